import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { failureRules } from "../../../agent/common/failures.ts";

const root = path.resolve(import.meta.dirname, "../../..");
/** Each in both languages, with the rows it has at least. */
const tables = [
  ["docs/promises", 100],
  ["docs/hostile", 60],
] as const;
const languages = [".md", ".zh-CN.md"];

interface Row {
  readonly cells: readonly string[];
  readonly tests: readonly { readonly file: string; readonly title: string }[];
}

const textOf = (file: string) => readFileSync(path.join(root, file), "utf8");

/** The rows of every table whose heading names tests. */
function rowsOf(page: string): Row[] {
  const rows: Row[] = [];
  let named = false;
  for (const line of textOf(page).split("\n")) {
    if (!line.startsWith("|")) {
      named = false;
      continue;
    }
    if (/\| (Tested by|测试) \|/.test(line)) named = true;
    else if (named && !line.startsWith("| ---")) {
      const tests = [...line.matchAll(/`((?:unit|integration|e2e)\/[\w./-]+\.test\.ts)` "(.+?)"(?=<br>| \|)/g)];
      rows.push({
        cells: line.split(" | ").map((cell) => cell.replace(/^\|? ?/, "")),
        tests: tests.map(([, file = "", title = ""]) => ({ file, title })),
      });
    }
  }
  return rows;
}

const pages = tables.flatMap(([name, least]) => languages.map((language) => [name + language, least] as const));

describe.each(pages)("the table of tests, %s", (page, least) => {
  const rows = rowsOf(page);

  it("is read by this test at all", () => expect(rows.length).toBeGreaterThan(least));

  it("names for each promise a test that is there, by its title", () => {
    const nowhere = rows.flatMap(({ cells, tests }) => {
      if (tests.length === 0) return [`${cells[0]} ${cells[1]}: no test`];
      return tests
        .filter(
          ({ file, title }) => !existsSync(path.join(root, "test", file)) || !textOf(`test/${file}`).includes(title),
        )
        .map(({ file, title }) => `${cells[0]}: ${file} "${title}"`);
    });
    expect(nowhere).toEqual([]);
  });
});

it.each(tables)("both languages of %s name the same tests", (name) => {
  const [english, chinese] = languages.map((language) => rowsOf(name + language).map(({ tests }) => tests));
  expect(chinese).toEqual(english);
});

it("the codes that docs/hostile.md names are those of the table of failures", () => {
  const named = [...textOf("docs/hostile.md").matchAll(/`((?:PAY|CLOCK)_[A-Z_]+)`/g)].map(([, code = ""]) => code);
  expect(named.filter((code) => !Object.hasOwn(failureRules, code))).toEqual([]);
});

describe.each(languages)("the table of promises, %s", (language) => {
  const page = `docs/promises${language}`;
  const rows = rowsOf(page);

  it("has a row for each invariant", () => {
    const numbers = rows.map(({ cells }) => cells[0]);
    const wanted = [..."12345678"].map((n) => `F${n}`).concat(Array.from({ length: 10 }, (_, n) => `I${n + 1}`));
    expect(numbers).toEqual(expect.arrayContaining(wanted));
    const all = rows.flatMap(({ tests }) => tests.map(({ title }) => title));
    for (const number of wanted) {
      expect(
        all.some((title) => title.startsWith(`${number}: `)),
        number,
      ).toBe(true);
    }
  });

  it("has a place for each of the 53 behaviours, kept or not", () => {
    const mentioned = new Set([...textOf(page).matchAll(/^\| (\d+) \|/gm)].map(([, number]) => Number(number)));
    expect(Array.from({ length: 53 }, (_, index) => index + 1).filter((number) => !mentioned.has(number))).toEqual([]);
  });
});
