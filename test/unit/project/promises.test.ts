import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { failureRules } from "../../../agent/common/failures.ts";

const root = path.resolve(import.meta.dirname, "../../..");
const page = readFileSync(path.join(root, "docs/testing.md"), "utf8");

/** The rows of every table whose heading names test files. */
function rows(): { readonly promise: string; readonly files: readonly string[] }[] {
  const found = [];
  let inside = false;
  for (const line of page.split("\n")) {
    if (!line.startsWith("|")) inside = false;
    else if (line.startsWith("| Promise | Test file |")) inside = true;
    else if (inside && !line.startsWith("| ---")) {
      const [, promise = "", files = ""] = line.split(/(?<!\\) ?\| /);
      found.push({ promise, files: [...files.matchAll(/`([\w./-]+\.test\.ts)`/g)].map(([, file = ""]) => file) });
    }
  }
  return found;
}

describe("docs/testing.md", () => {
  const promises = rows();

  it("is read by this test at all", () => expect(promises.length).toBeGreaterThan(200));

  it("names for each promise test files that exist", () => {
    const missing = promises.flatMap(({ promise, files }) =>
      files.length === 0 ? [promise] : files.filter((file) => !existsSync(path.join(root, "test", file))),
    );
    expect(missing).toEqual([]);
  });

  it("has a row for each invariant of disk and line", () => {
    const wanted = [..."12345678"].map((n) => `F${n}`).concat(Array.from({ length: 10 }, (_, n) => `I${n + 1}`));
    const named = new Set(promises.map(({ promise }) => promise.split(":")[0]));
    expect(wanted.filter((number) => !named.has(number))).toEqual([]);
  });

  it("names only codes that exist", () => {
    const named = [...page.matchAll(/`((?:PAY|CLOCK)_[A-Z_]+)`/g)].map(([, code = ""]) => code);
    expect(named.filter((code) => !Object.hasOwn(failureRules, code))).toEqual([]);
  });
});
