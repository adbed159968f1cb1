import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { until } from "../support/fixtures/api-fixture.ts";
import { missing } from "../support/fixtures/tools.ts";

const demo = path.resolve(import.meta.dirname, "../../scripts/demo.ts");

describe.concurrent("npm start", () => {
  it.for([
    [[], "mode: directly to WeChat Pay https://", "authinfo obtained earlier"],
    [["--gateway"], "mode: through the merchant's gateway https://", "answer verified: HTTP 200"],
    [["--bridge", "java"], "simulated-java-bridge/1.0", "authinfo obtained earlier"],
  ] as const)(
    "%j does the main job before one's eyes, in both languages, and ends with Ctrl-C",
    async ([args, peer, again], { skip }) => {
      const reason = args[1] === "java" ? missing("java", "javac") : undefined;
      if (reason !== undefined) return skip(reason);
      const directory = await mkdtemp(path.join(os.tmpdir(), "facepay-demo-"));
      const env = { PATH: process.env.PATH ?? "", TMPDIR: directory };
      const run = async () => {
        const child = spawn(process.execPath, [demo, ...args], { stdio: ["pipe", "pipe", "inherit"], env });
        const ended = new Promise<object>((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
        let text = "";
        child.stdout.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        try {
          await until(() => text.includes("next refresh") || child.exitCode !== null, "the last of the steps", 120_000);
        } finally {
          child.kill("SIGINT");
        }
        expect({ ...(await ended), text }).toEqual({
          code: 0,
          signal: null,
          text: expect.stringContaining("next refresh"),
        });
        return text;
      };
      try {
        const first = await run();
        const steps = ["bridge found", "device id", peer, "answer verified: HTTP 200", "authinfo obtained"];
        for (const step of [...steps, "served: GET /v1/authinfo -> 200 fresh", "获取", "应答已验证", "下次"])
          expect(first).toContain(step);
        // The plain demo goes on with what it has kept; the gateway's shows the gateway at work each time.
        expect(await run()).toContain(again);
      } finally {
        await rm(directory, { recursive: true });
      }
    },
  );

  it("says what --bridge java needs where there is no JDK", () => {
    const args = [demo, "--bridge", "java", "--lang", "en"];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: "utf8", env: { PATH: "" } });
    expect(status).toBe(69);
    expect(stdout).toContain("apt-get install default-jdk-headless");
  });
});
