import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { until } from "../support/api-fixture.ts";

const demo = path.resolve(import.meta.dirname, "../../scripts/demo.ts");

describe.concurrent("npm start", () => {
  it.each([
    [[], "WeChat Pay"],
    [["--gateway"], "gateway"],
  ] as const)("%j does the main job before one's eyes, in both languages, and ends with Ctrl-C", async (args, peer) => {
    const directory = await mkdtemp(path.join(os.tmpdir(), "facepay-demo-"));
    const env = { PATH: process.env.PATH ?? "", TMPDIR: directory };
    const child = spawn(process.execPath, [demo, ...args], { stdio: ["pipe", "pipe", "inherit"], env });
    const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    try {
      await until(() => text.includes("next refresh"), `the last of the steps, after: ${text}`);
      const steps = ["bridge found", "device id", "authinfo obtained", "served: GET /v1/authinfo -> 200 fresh"];
      for (const step of [...steps, "获取", "下次", peer]) expect(text).toContain(step);
    } finally {
      child.kill("SIGINT");
      expect(await ended).toEqual({ code: 0, signal: null });
      await rm(directory, { recursive: true });
    }
  });
});
