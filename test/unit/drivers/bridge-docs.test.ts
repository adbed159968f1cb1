import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { checkCases } from "../../../drivers/conformance/check-bridge.ts";
import { FrameDecoder } from "../../../drivers/line/frame.ts";

const pages = [
  ["docs/bridge.md", "en"],
  ["docs/bridge.zh-CN.md", "zh"],
] as const;
const read = (page: string) => readFileSync(path.resolve(import.meta.dirname, "../../..", page), "utf8");

describe.each(pages)("%s", (page, language) => {
  const text = read(page);

  it("shows octets that are what stands above them", () => {
    const examples = [...text.matchAll(/^(\{.*\})\n((?:[0-9a-f]{2}[ \n])+)/gm)];
    expect(examples).toHaveLength(3);
    for (const [, json, hex = ""] of examples) {
      const frames = new FrameDecoder().push(Buffer.from(hex.replace(/\s/g, ""), "hex"));
      expect(frames.map(String)).toEqual([json]);
    }
  });

  it("lists every case of the kit as it is", () => {
    const rows = text.split("\n").filter((line) => /^\| [A-Z]\d\d \|/.test(line));
    expect(rows).toEqual(checkCases.map(({ id, title, rule }) => `| ${id} | ${title[language]} | ${rule} |`));
  });

  it("says the same as the page in the other language", () => {
    const shape = (page: string) =>
      read(page)
        .split("\n")
        .filter((line) => /^(#|\||```)/.test(line)).length;
    expect(shape(page)).toBe(shape(pages[0][0]));
  });
});
