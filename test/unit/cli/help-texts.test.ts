import { afterEach, describe, expect, it, vi } from "vitest";
import { main } from "../../../agent/main.ts";
import { texts } from "../../../agent/messages/texts.ts";

const original = { ...texts };
afterEach(() => {
  Object.assign(texts, original);
  vi.restoreAllMocks();
});

const commands = ["run", "status", "refresh", "diagnose", "page", "provision", "simulate", "bridge", "gateway"];
const lines = [
  ...[[], ...[...commands, "support", "config"].map((command) => [command])].map((command) => [...command, "--help"]),
  ...["check", "show", "schema"].map((name) => ["config", name, "--help"]),
  ...[["statsu"], ["status", "--nope"], ["status", "--config"], ["support"], ["refresh", "now"]],
];

/** Everything that these command lines print. */
async function printed(language: "zh-CN" | "en"): Promise<string> {
  let output = "";
  const keep = (text: string | Uint8Array) => {
    output += String(text);
    return true;
  };
  vi.spyOn(process.stdout, "write").mockImplementation(keep);
  vi.spyOn(process.stderr, "write").mockImplementation(keep);
  for (const line of lines) await main([...line, "--lang", language]);
  vi.restoreAllMocks();
  return output;
}

describe("the help and the complaints of the command line", () => {
  it.each([
    ["en", "zh-CN"],
    ["zh", "en"],
  ] as const)("with every text of %s replaced by its id, stay the same in %s", async (replaced, language) => {
    const before = await printed(language);
    const ids = Object.keys(texts[replaced]).map((id) => [id, () => id]);
    texts[replaced] = Object.fromEntries(ids) as unknown as (typeof texts)["en"];
    expect(await printed(language)).toBe(before);
    expect(await printed(replaced === "en" ? "en" : "zh-CN")).toContain("help.bridge.library");
  });
});
