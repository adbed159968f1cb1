import type { Socket } from "node:net";
import type { Dispatcher } from "undici";
import { AgentError } from "../../common/errors.ts";

type ConnectProxy = (options: Omit<Dispatcher.ConnectOptions, "origin">) => Promise<Dispatcher.ConnectData>;

/** A connection through the proxy to `host:port`. Rejects with an AgentError alone: undici would ask again for ever. */
export async function connectThroughProxy(
  connect: ConnectProxy,
  target: string,
  credentials: string | undefined,
): Promise<Socket> {
  const token = credentials === undefined ? undefined : Buffer.from(credentials).toString("base64");
  const headers = { host: target, ...(token === undefined ? {} : { "proxy-authorization": `Basic ${token}` }) };
  const { socket, statusCode } = await connect({ path: target, headers }).catch((error: unknown) => {
    throw new AgentError("PAY_PROXY", {}, { cause: error });
  });
  if (statusCode >= 200 && statusCode < 300) return socket as Socket;
  socket.on("error", () => socket.destroy()).destroy();
  throw new AgentError(statusCode === 407 ? "PAY_PROXY_AUTH" : "PAY_PROXY.refused", { httpStatus: statusCode });
}
