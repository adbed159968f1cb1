import net from "node:net";

/** A forwarder on loopback that holds every octet, and the connection itself, for `latencyMs` in either direction. */
export async function startSlowPath(
  port: number,
  latencyMs: number,
): Promise<{ readonly port: number; close(): void }> {
  const open = new Set<net.Socket>();
  const later = (act: () => void) => setTimeout(act, latencyMs);
  const join = (from: net.Socket, to: net.Socket) => {
    open.add(from);
    from.on("data", (octets) => later(() => to.write(octets)));
    from.once("end", () => later(() => to.end()));
    from.on("error", () => undefined);
    from.once("close", () => {
      open.delete(from);
      later(() => to.destroy());
    });
  };
  const server = net.createServer({ allowHalfOpen: true }, (near) => {
    const far = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    join(near, far);
    join(far, near);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
