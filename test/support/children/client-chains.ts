/**
 * Takes COUNT connections over TLS, one after the other, from a client that shows its certificate with the authority's behind it, and says
 * before and after how much of the C library's heap is resident, in MB: node client-chains.ts COUNT, PEM texts as JSON on standard input.
 */
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import tls from "node:tls";

const count = Number(process.argv[2]);
const chunks: Buffer[] = [];
for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
const pem = JSON.parse(Buffer.concat(chunks).toString()) as Record<
  "ca" | "cert" | "key" | "clientCert" | "clientKey",
  string
>;

const server = tls.createServer({ ...pem, requestCert: true, rejectUnauthorized: true }, (socket) => {
  socket.on("error", () => undefined);
  socket.resume();
  socket.end("x");
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address() as AddressInfo;
const { clientCert, clientKey, ca } = pem;
const secureContext = tls.createSecureContext({ cert: `${clientCert}\n${ca}`, key: clientKey, ca });

function connect(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ port, host: "127.0.0.1", secureContext });
    socket.on("error", reject);
    socket.on("close", () => resolve());
    socket.on("end", () => socket.end());
    socket.resume();
  });
}

function heapMb(): number {
  const heap = readFileSync("/proc/self/smaps", "latin1")
    .split(/^(?=[0-9a-f]+-)/m)
    .filter((map) => /\[heap\]/.test(map));
  return heap.reduce((sum, map) => sum + Number(/^Rss:\s+(\d+)/m.exec(map)?.[1]) / 1024, 0);
}

async function connectTimes(times: number): Promise<number> {
  for (let done = 0; done < times; done++) await connect();
  global.gc?.();
  return heapMb();
}

// The first half fills what is kept for good.
const before = await connectTimes(count);
const after = await connectTimes(count);
process.stdout.write(JSON.stringify({ before, after }));
process.exit(0);
