import net from "node:net";
import { type Clock, withDeadline } from "../../agent/common/clock.ts";
import { AgentError } from "../../agent/common/errors.ts";
import { OPEN_DEADLINE_MS, type OpenStream, openFailure, openTooLate } from "./open-stream.ts";

/** Connects to a bridge that listens on a unix stream socket. */
export function unixSocketStream(path: string, clock: Clock): OpenStream {
  return async (signal) => {
    const socket = net.connect({ path });
    const connecting = new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      // Stays for good, so that an error after the deadline is not unhandled.
      socket.on("error", reject);
    });
    try {
      await withDeadline(connecting, OPEN_DEADLINE_MS, clock, () => openTooLate(path), signal);
    } catch (error) {
      socket.destroy();
      if (signal.aborted) throw signal.reason;
      const failure = openFailure(path, error);
      // The listener is a program: there is no cable to check.
      throw failure.code === "BRIDGE_NOT_FOUND"
        ? new AgentError("BRIDGE_NOT_FOUND.socket", { path }, { cause: error, context: failure.context })
        : failure;
    }
    return {
      stream: socket,
      path,
      async close() {
        socket.destroy();
      },
    };
  };
}
