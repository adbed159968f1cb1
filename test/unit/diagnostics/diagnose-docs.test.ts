import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { failureRules } from "../../../agent/common/failures.ts";
import { allChecks } from "../../../agent/diagnostics/checks.ts";
import { orderByCause } from "../../../agent/diagnostics/engine.ts";
import { checkRemedy } from "../../../agent/messages/remedies/remedies.ts";
import { textOf } from "../../../agent/messages/text-of.ts";
import { cell } from "../../../scripts/docs/errors-page.ts";

const docs = path.resolve(import.meta.dirname, "../../../docs");
const pages = { en: "operations/diagnose.md", zh: "operations/diagnose.zh-CN.md" } as const;

describe.each(Object.entries(pages))("the page in %s", (language, page) => {
  const text = readFileSync(path.join(docs, page), "utf8");
  const rows = new Map(
    [...text.matchAll(/^\| <a id="(\d{3})"><\/a>(\d{3}) \|.*$/gm)].map(([row, anchor, code]) => {
      expect(anchor).toBe(code);
      return [Number(code), row] as const;
    }),
  );

  it("has a row for each check, and for nothing else", () => {
    expect([...rows.keys()]).toEqual(allChecks.map(({ code }) => code).toSorted((a, b) => a - b));
  });

  it.each(allChecks.map((check) => [check.id, check] as const))("says of %s what the check says", (id, check) => {
    const row = rows.get(check.code) ?? "";
    expect(row).toContain(`\`${id}\``);
    expect(row).toContain(cell(textOf(check.remedy)[language === "zh" ? "zh" : "en"]));
    const { warn, fail } = check.threshold;
    if (language === "en")
      for (const limit of [warn, fail]) expect(row).toContain(limit === undefined ? "" : textOf(limit).en);
    else expect([warn !== undefined, fail !== undefined]).toEqual([row.includes("警告："), row.includes("故障：")]);
  });
});

describe("the schema", () => {
  it("has an absolute URI for its id, without which some validators resolve none of its references", () => {
    const schema = JSON.parse(readFileSync(path.join(docs, "diagnose.schema.json"), "utf8")) as { $id: string };
    expect(schema.$id).toMatch(/^urn:facepay-agent:/);
  });
});

describe("the registry", () => {
  it("uses each id and number once, and can be put in order", () => {
    expect(new Set(allChecks.map(({ id }) => id)).size).toBe(allChecks.length);
    expect(new Set(allChecks.map(({ code }) => code)).size).toBe(allChecks.length);
    expect(orderByCause(allChecks)).toHaveLength(allChecks.length);
  });

  it("numbers the checks by section", () => {
    const sections = { 1: "system", 2: "time", 3: "config", 4: "bridge", 5: "network", 6: "store" };
    for (const { code, section } of allChecks)
      expect(Object.entries(sections)).toContainEqual([String(code)[0], section]);
  });

  it("has one remedy for one thing: that of the table of remedies", () => {
    for (const { id, remedy } of allChecks)
      expect(checkRemedy(id as Parameters<typeof checkRemedy>[0])).toEqual(remedy);
  });

  it("has a check for whatever a failure points at", () => {
    const ids = new Set<string>(allChecks.map(({ id }) => id));
    // The vendor's library is the reference bridge's matter, which speaks for itself.
    const ours = Object.values(failureRules).filter(({ remedy }) => !remedy.startsWith("sdk."));
    for (const { remedy } of ours) expect(ids).toContain(remedy);
  });

  it.each(allChecks.map((check) => [check.id, check] as const))(
    "gives %s texts for people in both languages",
    (_id, check) => {
      expect(textOf(check.title).zh).toMatch(/\p{Script=Han}|Node/u);
      expect(textOf(check.title).en).toMatch(/^[A-Z]/);
      expect(textOf(check.remedy).zh).toMatch(/\p{Script=Han}.*(。|：\n {2}[\s\S]+)$/u);
      expect(textOf(check.remedy).en).toMatch(/^[A-Z].*(\.|:\n {2}[\s\S]+)$/);
      // Short enough to be read out on the telephone.
      expect(textOf(check.remedy).en.split(" ").length).toBeLessThanOrEqual(25);
    },
  );
});
