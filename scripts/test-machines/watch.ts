/**
 * Runs inside a test machine, bundled into one file: its cashier app and, once that has had its first answer, which can only
 * have come from the disk, its bridge and WeChat Pay. `watch.mjs SOCKET OUTPUT DIR` writes one line for each thing it learns,
 * so that another machine can keep the ledger: `FIRST <status> <generation> <digest> <state>` for the very first answer, then
 * `ACK <generation> <digest>` whenever an authinfo is announced as safe on the disk. Never the authinfo itself.
 */
import { createHash } from "node:crypto";
import { openSync, writeSync } from "node:fs";
import http from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { startBridge, startPay } from "./simulators.ts";

const [, , socketPath = "/run/facepay-agent/api.sock", output = "/dev/stdout", peers = "."] = process.argv;
const fd = openSync(output, "w");
const say = (...words: readonly unknown[]) => writeSync(fd, `\nLEDGER ${words.join(" ")}\n`);
const digest = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16);

interface Answer {
  readonly status: number;
  readonly text: string;
}

function get(target: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.get({ socketPath, path: target, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      response.on("error", reject);
    });
    request.on("error", reject);
  });
}

async function first(): Promise<Answer> {
  for (;;) {
    const answer = await get("/v1/authinfo").catch(() => undefined);
    if (answer) return answer;
    await delay(20);
  }
}

function follow(): void {
  const request = http.get({ socketPath, path: "/v1/authinfo/events", agent: false }, (response) => {
    let buffer = "";
    response.setEncoding("utf8").on("data", (chunk: string) => {
      buffer += chunk;
      for (let end = buffer.indexOf("\n\n"); end !== -1; end = buffer.indexOf("\n\n")) {
        const data = /^data: (.*)$/m.exec(buffer.slice(0, end))?.[1];
        buffer = buffer.slice(end + 2);
        const { authinfo, generation, persisted } = JSON.parse(data ?? "{}");
        if (authinfo && persisted) say("ACK", generation, digest(authinfo));
      }
    });
    response.on("close", () => setTimeout(follow, 100));
  });
  request.on("error", () => setTimeout(follow, 100));
}

const { status, text } = await first();
const { authinfo = "", generation = 0, state, code } = JSON.parse(text);
say("FIRST", status, generation, authinfo === "" ? "-" : digest(authinfo), state ?? code);
follow();
await startBridge(peers);
await startPay(peers);
