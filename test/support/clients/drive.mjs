// node drive.mjs SOCKET TIMEOUT_MS; commands on stdin, one line of output for each answer: see conformance.ts
import readline from "node:readline";
import { FacepayAgent } from "facepay-agent/client";

const [socket, timeoutMs] = process.argv.slice(2);
const agent = new FacepayAgent({ socket, timeoutMs: Number(timeoutMs) });

/** @param {string} what @param {import("facepay-agent/client").State} now */
function say(what, now) {
  const text = now.ok
    ? `ok ${now.document.state} ${now.document.generation} ${now.document.renewal?.code ?? "-"}`
    : `${now.code} ${now.cause ?? "-"} ${now.message.zh}|${now.message.en}`;
  console.log(`${what} ${text}`);
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const [command, generation] = line.split(" ");
  if (command === "read") say("read", await agent.read());
  if (command === "reject")
    console.log(`reject ${await agent.reject(Number(generation), { return_code: "PARAM_ERROR" })}`);
  if (command === "watch") agent.watch((now) => say("watch", now));
}
process.exit();
