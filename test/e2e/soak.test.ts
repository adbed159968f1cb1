import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { describe, expect, it } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");

/** `npm run soak` with these arguments, ended by SIGINT as soon as it has said `enough`. */
async function soak(args: readonly string[], enough?: string): Promise<{ code: number | null; text: string }> {
  const child = spawn(process.execPath, [path.join(root, "scripts/soak/soak.ts"), ...args], {
    env: { PATH: process.env.PATH ?? "", LANG: "C.UTF-8" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  let interrupted = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      if (enough !== undefined && text.includes(enough) && !interrupted) {
        interrupted = true;
        child.kill("SIGINT");
      }
    });
  }
  const [code] = (await once(child, "close")) as [number | null];
  return { code, text };
}

const figure = (text: string, what: string) => new RegExp(`^\\| ${what} *\\| (.*) \\|$`, "m").exec(text)?.[1];

describe("the soak", () => {
  it("of a quarter of a minute finds nothing wrong with the agent, and says what it has seen", async () => {
    const { code, text } = await soak(["--minutes", "0.25", "--seed", "5"]);
    expect(code, text).toBe(0);
    expect(figure(text, "violations")).toBe("0");
    expect(figure(text, "false-OK seconds")).toBe("0.0");
    expect(figure(text, "reads by a client")).toMatch(/fresh \d{2}/);
    expect(Number(figure(text, "calls, attempts")?.split(",")[0])).toBeGreaterThan(0);
  });

  it("finds out an agent that breaks its promises, and ends in order when it is told to", async () => {
    const broken = path.join(root, "test/support/fakes/broken-agent.ts");
    const { code, text } = await soak(["--minutes", "5", "--seed", "1", "--launcher", broken], "VIOLATION fallen ");
    expect(code, text).toBe(1);
    for (const invariant of ["unknown", "fallen", "stdout", "exit"]) {
      expect(text).toContain(`VIOLATION ${invariant} `);
    }
    expect(Number(figure(text, "violations"))).toBeGreaterThan(3);
  });

  it("refuses what it cannot make sense of", async () => {
    const { code, text } = await soak(["--minutes", "soon"]);
    expect(code).toBe(64);
    expect(text).toContain("usage: npm run soak");
  });
});
