import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { explained, explanationRows } from "../../../agent/cli/support/explanation.ts";
import {
  failureNumbers,
  failureOfNumber,
  NO_CAUSE,
  numberOfFailure,
  UNLISTED_CAUSE,
} from "../../../agent/common/support/cause-numbers.ts";
import type { SupportReading } from "../../../agent/common/support/support-code.ts";
import { allChecks } from "../../../agent/diagnostics/checks.ts";
import { textIn } from "../../../agent/messages/text-of.ts";

const kept: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(path.join(import.meta.dirname, "../../support/fixtures/support-causes.json"), "utf8"),
);

const now = new Map([
  ...Object.entries(failureNumbers).map(([id, number]) => [String(number), id] as const),
  ...allChecks.map(({ id, code }) => [String(code), id] as const),
]);

const reading = (cause: number): SupportReading => ({
  ...{ format: 1, cause, deviceEnd: "0042", version: { text: "0.1.0", orLater: false } },
  ...{ state: "expired", lasted: { leastS: 900, belowS: 1_800 } },
});

const lines = (cause: number, language: "zh" | "en") =>
  explanationRows(reading(cause)).map(({ value }) => textIn(value, language));

describe("the numbers of causes", () => {
  // The file only grows: a code that was read out years ago means what it meant then.
  it("are those that have always been given, and no number has a second cause", () => {
    const changed = [...now].filter(([number, id]) => Object.hasOwn(kept, number) && kept[number] !== id);
    expect(changed).toEqual([]);
    expect(now.size).toBe(Object.keys(failureNumbers).length + allChecks.length);
    expect(new Set(Object.values(kept)).size).toBe(Object.keys(kept).length);
  });

  it("are all kept, with those of causes that are gone: add a new one to support-causes.json", () => {
    expect([...now].filter(([number]) => !Object.hasOwn(kept, number))).toEqual([]);
  });

  it("fit into a code, checks below 700 and failures above", () => {
    for (const { code } of allChecks) expect(code).toBeLessThan(700);
    for (const number of Object.values(failureNumbers)) {
      expect(number).toBeGreaterThan(700);
      expect(number).toBeLessThan(UNLISTED_CAUSE);
    }
  });

  it("tell a failure with its variant, and its code alone where the variant is of another version", () => {
    const named = { code: "PAY_DNS", params: { variant: "timeout" } };
    expect(failureOfNumber(numberOfFailure(named))).toEqual(named);
    expect(numberOfFailure({ code: "PAY_DNS", params: { variant: "later" } })).toBe(failureNumbers.PAY_DNS);
    expect(numberOfFailure({ code: "PAY_LATER" })).toBe(UNLISTED_CAUSE);
  });
});

describe("the explanation of a support code", () => {
  it.each([...now.keys()].map(Number))("of cause %i says what it is and what to do, in both languages", (number) => {
    const { cause } = explained(reading(number));
    expect(cause?.remedies.length).toBeGreaterThan(0);
    const texts = [cause?.detail, ...(cause?.remedies ?? [])];
    for (const text of texts) {
      expect(text?.zh).toMatch(/[\u4e00-\u9fff]|HTTP/);
      expect(text?.en).toMatch(/[a-z]{3}|HTTP/);
      expect(`${text?.zh} ${text?.en}`).not.toMatch(/undefined|NaN|\[object|\{\w+\}/);
    }
  });

  it("names cause, remedy, duration, state, device and version", () => {
    expect(lines(failureNumbers.PAY_DNS, "en")).toEqual([
      "PAY_DNS the name could not be resolved",
      "Names are not resolved; set DNS to 223.5.5.5 or 119.29.29.29.",
      ...["15 min to 30 min", "expired", "ends with 0042", "0.1.0"],
    ]);
  });

  it("gives both remedies where a gateway makes a difference, and says what the code had no room for", () => {
    const told = lines(failureNumbers.PAY_FORBIDDEN, "en");
    expect(told[0]).toBe("PAY_FORBIDDEN HTTP 403 <answerCode>: <answerMessage>");
    expect(told[1]).toMatch(/^With a gateway: /);
    expect(told[2]).toMatch(/^Without a gateway: /);
    expect(told[3]).toContain("<>");
  });

  it("of a number that this version does not know names the number", () => {
    expect(lines(950, "en")[0]).toContain("does not know, number 950");
    expect(lines(950, "zh")[0]).toContain("编号 950");
  });

  it("of a later format still tells cause, remedy, device and version", () => {
    const later = { ...reading(failureNumbers.PAY_DNS), format: 3, state: undefined, lasted: undefined };
    const told = explanationRows(later).map(({ value }) => textIn(value, "en"));
    expect(told.slice(0, 2)).toEqual(lines(failureNumbers.PAY_DNS, "en").slice(0, 2));
    expect(told.filter((text) => text.includes("format 3"))).toHaveLength(2);
    expect(told.slice(-2)).toEqual(["ends with 0042", "0.1.0"]);
  });

  it("of a terminal without a failure has no remedy", () => {
    expect(explained(reading(NO_CAUSE)).cause).toBeNull();
    expect(lines(NO_CAUSE, "en")[0]).toBe("none: nothing had failed");
  });
});
