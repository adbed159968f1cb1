import { describe, expect, it } from "vitest";
import { parseToml } from "../../../agent/config/files/toml.ts";
import { textOf } from "../../../agent/messages/text-of.ts";

function problemOf(text: string) {
  const read = parseToml(text, "config.toml");
  if (read.ok) throw new Error("this is good TOML");
  return read.problem;
}

describe("a slip in a configuration", () => {
  it.each([
    [
      "a section's name without its end",
      "a = 1\n[refresh\nb = 3\n",
      /lacks its \]/,
      "Write line 2 like this: [refresh]",
    ],
    [
      "the same at the end of the file",
      "a = 1\n[refresh # x",
      /line 2 that lacks/,
      "Write line 2 like this: [refresh]",
    ],
    [
      "a section twice",
      "[api]\nx = 1\n\n[log]\ny = 1\n[api]\nz = 1\n",
      /^has api twice, in lines 1 and 6$/,
      "Delete line 6 and move the keys below it to [api] in line 1.",
    ],
    ["a key twice", "[log]\nlevel = 1\nb = 2\nlevel = 3\n", /^has log.level twice/, "Keep one of the lines 2 and 4."],
    ["a key twice, with dots", "a.b = 1\r\na.b = 2\r\n", /^has a.b twice/, "Keep one of the lines 1 and 2."],
    ["a key alone", "[log]\nlevel\n", /without =/, 'Write line 2 as key = value, as in mode = "gateway"'],
    ["a colon", 'mode: "gateway"\n', /another sign/, 'Write line 1 as key = value, as in mode = "gateway"'],
    ["a colon of Chinese", "mode\uff1a1\n", /another sign/, 'Write line 1 as key = value, as in mode = "gateway"'],
    ["a wide =", "mode\uff1d1\n", /another sign/, 'Write line 1 as key = value, as in mode = "gateway"'],
    ["typographic quotes", "mode = \u201cgateway\u201d\n", /typographic/, 'Write " in their place in line 1.'],
    ["single ones", "mode = \u2018gateway\u2019\n", /typographic/, 'Write " in their place in line 1.'],
    ["wide ones", "mode = \uff02gateway\uff02\n", /typographic/, 'Write " in their place in line 1.'],
    ["a text of several lines without its end", 'mode = """gateway\n', /unfinished string/, /Correct line 1/],
    ["a quote that a backslash has in hand", 'mode = "a\\" \\q"\n', /unrecognised escape/, /Correct line 1/],
    [
      "a key twice, and once more in a text",
      'a = """\nb = 1\n"""\nb = 2\nb = 3\n',
      /already defined/,
      /Correct line 5/,
    ],
    ["half a pair of quotes", '\nmode = "gateway\nb = 1\n', /without its pair in line 2/, /in line 2/],
    ["text without quotes", "\n\nmode = gateway\n", /invalid value/, /Correct line 3; text stands in double quotes/],
    ["a key twice in one line", "a = { b = 1, b = 2 }\n", /already defined/, /Correct line 1/],
  ])("such as %s is told with its line and what to write", (_what, text, what, instead) => {
    const problem = problemOf(text);
    expect(textOf(problem.what).en).toMatch(what);
    if (typeof instead === "string") expect(textOf(problem.instead).en).toBe(instead);
    else expect(textOf(problem.instead).en).toMatch(instead);
    const line = /\d+/.exec(problem.origin)?.[0] ?? "";
    expect(textOf(problem.instead).zh).toMatch(new RegExp(`第 ${line} 行`));
    expect(textOf(problem.what).zh).toMatch(/[\u4e00-\u9fff]/);
  });

  it("shows nothing of a line that may be a secret", () => {
    const secret = "c2VjcmV0+/c2VjcmV0";
    for (const text of [
      `[${secret}\na = 1\n`,
      `${secret}\n`,
      `"${secret}" = 1\n"${secret}" = 2\n`,
      `["${secret}"]\n["${secret}"]\n`,
    ]) {
      expect(JSON.stringify(problemOf(text))).not.toContain("c2Vj");
    }
  });
});
