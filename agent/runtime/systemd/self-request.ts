import { connect } from "node:net";
import type { Clock } from "../../common/clock.ts";
import { systemCode } from "../../common/errors.ts";
import type { ServerSign } from "./notice.ts";

const QUESTION = "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/**
 * Asks our own server over its socket, as any reader would. Every answer counts, also a connection that it closes without
 * one because its connection limit is reached: something that accepts connections turns.
 */
export async function askOurselves(path: string, patienceMs: number, clock: Clock): Promise<ServerSign> {
  const answered = new AbortController();
  const late = clock.sleep(patienceMs, answered.signal).then(
    () => "silent" as const,
    () => "unknown" as const,
  );
  const socket = connect(path);
  const sign = new Promise<ServerSign>((resolve) => {
    let connected = false;
    socket.on("connect", () => {
      connected = true;
      socket.write(QUESTION);
    });
    socket.on("data", () => resolve("answered"));
    socket.on("end", () => resolve("answered"));
    socket.on("error", (error) => {
      const refused = systemCode(error) === "ECONNREFUSED";
      resolve(connected ? "answered" : refused ? "refused" : "unknown");
    });
  });
  try {
    return await Promise.race([sign, late]);
  } finally {
    answered.abort();
    socket.destroy();
  }
}
