import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");
const pages = ["docs/promises.md", "docs/promises.zh-CN.md"];

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
      const tests = [...line.matchAll(/`((?:unit|integration)\/[\w.-]+\.test\.ts)` "(.+?)"(?=<br>| \|)/g)];
      rows.push({
        cells: line.split(" | ").map((cell) => cell.replace(/^\|? ?/, "")),
        tests: tests.map(([, file = "", title = ""]) => ({ file, title })),
      });
    }
  }
  return rows;
}

describe.each(pages)("the table of promises, %s", (page) => {
  const rows = rowsOf(page);

  it("is read by this test at all", () => expect(rows.length).toBeGreaterThan(100));

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

it("both languages of the table of promises name the same tests", () => {
  const [english, chinese] = pages.map((page) => rowsOf(page).map(({ tests }) => tests));
  expect(chinese).toEqual(english);
});
