import http from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

export interface ConnectProxy {
  readonly url: string;
  /** What was asked for, oldest first. */
  readonly requests: { readonly target: string; readonly authorization: string | undefined }[];
  /** Instead of a tunnel: that status, no answer at all, or an end after the tunnel's first bytes have passed. */
  fault: number | "hang" | "cut" | undefined;
  stop(): Promise<void>;
}

/**
 * A proxy that only knows CONNECT, as RFC 9110 9.3.6 has it. `credentials`: "user:password"; `port`: any unless
 * told; `leadsTo`: the local port every tunnel ends at, whatever it is asked for.
 */
export async function startConnectProxy(
  options: { readonly credentials?: string; readonly port?: number; readonly leadsTo?: number } = {},
): Promise<ConnectProxy> {
  const sockets = new Set<Socket>();
  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
  };
  const expected = options.credentials && `Basic ${Buffer.from(options.credentials).toString("base64")}`;
  const server = http.createServer((_request, response) => response.writeHead(405).end());
  server.on("connection", track);
  server.on("connect", (request: http.IncomingMessage, socket: Socket, head: Buffer) => {
    const { "proxy-authorization": authorization } = request.headers;
    proxy.requests.push({ target: request.url ?? "", authorization });
    if (proxy.fault === "hang") return;
    const status = typeof proxy.fault === "number" ? proxy.fault : expected && authorization !== expected ? 407 : 200;
    if (status !== 200) {
      socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const { hostname, port } = new URL(`http://${request.url}`);
    const { leadsTo } = options;
    const to = leadsTo === undefined ? { port: Number(port), host: hostname } : { port: leadsTo, host: "127.0.0.1" };
    const upstream = connect(to, () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.write(head);
      upstream.pipe(socket);
      socket.pipe(upstream);
    });
    track(upstream);
    if (proxy.fault === "cut") upstream.once("data", () => socket.destroy());
    socket.once("close", () => upstream.destroy());
    upstream.once("close", () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  const proxy: ConnectProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    fault: undefined,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  return proxy;
}
