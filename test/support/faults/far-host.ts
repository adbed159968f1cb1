/**
 * A host in a network namespace of its own that refuses everyone's request over TLS. Waits for a card that somebody puts into its namespace:
 * node far-host.ts CARD ADDRESS/BITS MTU, certificate and key as JSON on standard input. What comes in a larger packet than MTU is lost
 * without a word, though the host promises to take 1500, as one behind a narrow tunnel does.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import tls from "node:tls";

const [card = "", address = "", mtu = ""] = process.argv.slice(2);
const chunks: Buffer[] = [];
for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
const { cert, key } = JSON.parse(Buffer.concat(chunks).toString()) as { cert: string; key: string };
const server = tls.createServer({ cert, key }, (socket) => {
  socket.on("error", () => undefined);
  socket.once("data", () => socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"));
});
await new Promise<void>((resolve) => server.listen(443, "0.0.0.0", resolve));

const ip = (...words: string[]) => execFileSync("ip", words);
execFileSync("mount", ["-t", "sysfs", "sysfs", "/sys"]);
while (!existsSync(`/sys/class/net/${card}`)) await delay(20);
ip("address", "add", address, "dev", card);
ip("link", "set", card, "mtu", mtu, "up");
// A packet that exceeds the MTU of the card is dropped on arrival (veth); that of the connection says 1500 all the same.
ip("route", "add", "default", "dev", card, "advmss", "1460");
process.stdout.write("ready\n");
