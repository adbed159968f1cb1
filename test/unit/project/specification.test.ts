import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { problemStatuses } from "../../../agent/api/http/problem.ts";
import { failureRules } from "../../../agent/common/failures.ts";
import { fieldOf, knownKeys } from "../../../agent/config/keys/schema.ts";

const docs = path.resolve(import.meta.dirname, "../../../docs");
const page = readFileSync(path.join(docs, "specification.md"), "utf8");
const section = (number: number) => page.split(/^## /m).find((text) => text.startsWith(`${number}. `)) ?? "";
const rowsOf = (text: string) => text.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| --- "));

describe("specification 2", () => {
  const toml = /```toml\n(.*?)```/s.exec(section(2))?.[1] ?? "";
  /** The text of each TOML table, comments included. */
  const tables = new Map(
    toml.split(/^(?=\[)/m).map((text) => [/^\[([a-z_.]+)\]/.exec(text)?.[1] ?? "", text] as const),
  );
  const shown = [...tables].flatMap(([name, text]) =>
    [...text.matchAll(/^([a-z_]+) = ("[^"]*"|\S+)/gm)].map(([, key, value = ""]) => [`${name}.${key}`, value] as const),
  );

  it("names every key of the key table in its section", () => {
    const missing = knownKeys.filter((key) => {
      const dot = key.lastIndexOf(".");
      return !new RegExp(`\\b${key.slice(dot + 1)}\\b`).test(tables.get(key.slice(0, dot)) ?? "");
    });
    expect(missing).toEqual([]);
  });

  it("shows no key that the table does not have", () => {
    // [driver.init] is open: its parameters are the SDK's own.
    const others = shown.filter(([key]) => fieldOf(key) === undefined && !key.startsWith("driver.init."));
    expect(others).toEqual([]);
  });

  it("shows the default of each key that has one", () => {
    const withDefaults = shown.filter(([key]) => fieldOf(key)?.fallback !== undefined);
    expect(withDefaults.length).toBeGreaterThan(15);
    for (const [key, value] of withDefaults) {
      const field = fieldOf(key);
      expect(JSON.parse(value), key).toEqual(field?.fallbackText ?? field?.fallback);
    }
  });
});

describe("specification 4", () => {
  const codes = Object.entries(failureRules).filter(([code]) => /^(PAY_|CLOCK_WRONG$)/.test(code));
  const rows = rowsOf(section(4)).map((row) => row.split(" | "));
  const rowOf = (code: string) =>
    rows.filter(([, named = ""]) =>
      [...named.matchAll(/`([A-Z_]+)(\*?)`/g)].some(([, name = "", any]) =>
        any ? code.startsWith(name) : code === name,
      ),
    );

  it.each(codes)("tells once what follows on %s, as the agent does", (code, rule) => {
    const found = rowOf(code);
    expect(found).toHaveLength(1);
    const next = found[0]?.[2] ?? "";
    expect({
      failover: next.includes("next base URL at once"),
      slow: next.includes("every 5 minutes"),
      throttled: next.includes("`Retry-After`"),
    }).toEqual({
      failover: "failover" in rule,
      slow: rule.retry === "slow",
      throttled: rule.retry === "throttled",
    });
  });

  it("names no code that does not exist", () => {
    const named = [...section(4).matchAll(/`([A-Z]+_[A-Z_]*[A-Z_])(\*?)`/g)].map(([, name = "", any]) => [name, any]);
    const unknown = named.filter(([name = "", any]) =>
      any ? !codes.some(([code]) => code.startsWith(name)) : !Object.hasOwn(failureRules, name),
    );
    expect(unknown).toEqual([]);
  });
});

describe("the problems of the local API", () => {
  const expected = Object.entries(problemStatuses)
    .map(([code, status]) => `${status} ${code}`)
    .toSorted();

  it("are all in specification 5, with their status", () => {
    const rows = rowsOf(section(5)).filter((row) => /^\| \d{3}/.test(row));
    const named = rows.flatMap((row) => {
      const [, statuses = "", codes = ""] = row.split(/ ?\| ?/);
      const numbers = statuses.split(", ");
      const groups = numbers.length === 1 ? [codes] : codes.split("; ");
      return groups.flatMap((group, n) =>
        [...group.matchAll(/`([A-Z_]+)`/g)].map(([, code]) => `${numbers[n]} ${code}`),
      );
    });
    expect(named.toSorted()).toEqual(expected);
  });

  it.each(["cashier-api.md", "cashier-api.zh-CN.md"])("have the same status in %s", (file) => {
    const text = readFileSync(path.join(docs, file), "utf8");
    const named = [...text.matchAll(/\b(\d{3}) ((?:`[A-Z_]+`(?:, |、)?)+)/g)].flatMap(([, status, codes = ""]) =>
      [...codes.matchAll(/`([A-Z_]+)`/g)].map(([, code]) => `${status} ${code}`),
    );
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((entry) => !expected.includes(entry))).toEqual([]);
  });
});
