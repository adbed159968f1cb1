// Forked by as-user.ts: becomes somebody else for good, then does what it was told and says what it met with.
import { readFile } from "node:fs/promises";
import http from "node:http";
import type { Met, Somebody } from "./as-user.ts";

process.once("message", (message) => {
  const { somebody, deeds } = message as { somebody: Somebody; deeds: string[] };
  process.setgroups?.([...somebody.groups]);
  process.setgid?.(somebody.groups[0]);
  process.setuid?.(somebody.uid);
  void Promise.all(deeds.map(meet)).then((met) => process.send?.(met, () => process.disconnect()));
});

async function meet(deed: string): Promise<Met> {
  const [verb, where = "", target = "/"] = deed.split(" ");
  try {
    return verb === "read" ? { text: await readFile(where, "latin1") } : await get(where, target);
  } catch (error) {
    return { text: String((error as { code?: unknown }).code) };
  }
}

function get(socketPath: string, path: string): Promise<Met> {
  return new Promise((resolve, reject) => {
    http
      .get({ socketPath, path, agent: false }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      })
      .on("error", reject);
  });
}
