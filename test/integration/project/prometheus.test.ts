import { spawnSync } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it, type TestContext } from "vitest";
import { parse } from "yaml";
import { lintMetrics } from "../../support/checks/metric-lint.ts";
import { metricNames } from "../../support/checks/metric-names.ts";
import { openRig, removeFactory } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

const root = path.resolve(import.meta.dirname, "../../..");
const rulesFile = path.join(root, "docs/prometheus-rules.yml");

/** What promtool says, "" when it has no fault to find. Skips without it. */
function promtool({ skip }: Pick<TestContext, "skip">, args: readonly string[], input = "", cwd = root): string {
  const { error, status, stdout, stderr } = spawnSync("promtool", args, { input, cwd, encoding: "utf8" });
  skip(error !== undefined, "promtool of Prometheus is not installed (Debian package prometheus)");
  return status === 0 ? stderr : `exit ${status}\n${stdout}${stderr}`;
}

describe("the metrics of a running agent", () => {
  it("keep Prometheus' rules on the socket and in the text file, by promtool and without", async (context) => {
    await using rig = await openRig({ mode: "gateway", config: { metrics: { textfile: "run/facepay.prom" } } });
    await rig.serve();
    const file = await rig.until("the text file", () => readFile(rig.within("run/facepay.prom"), "utf8"));
    const socket = await rig.metrics();
    for (const text of [file, socket]) expect(lintMetrics(text)).toEqual([]);
    expect(socket).toMatch(/^process_cpu_seconds_total /m);
    expect(file).not.toMatch(/^(?!#)(?!facepay_)\S/m);
    for (const name of metricNames) expect(file).toMatch(new RegExp(`^${name}(\\{.*\\})? [-+.e\\d]+$`, "m"));
    for (const text of [file, socket]) expect(promtool(context, ["check", "metrics"], text)).toBe("");
  });

  it("break one rule each, and are found out", () => {
    const broken = `${[
      "# TYPE facepay_x counter\nfacepay_x 1",
      "# HELP facepay_y_total y\n# TYPE facepay_y_total gauge\nfacepay_y_total 1\nfacepay_y_total 2",
      "# HELP facepay_wait_milliseconds w\n# TYPE facepay_wait_milliseconds gauge\nfacepay_wait_milliseconds soon",
    ].join("\n")}\n`;
    expect(lintMetrics(broken)).toEqual([
      "facepay_x: no HELP",
      'facepay_x: a counter should end with "_total"',
      'facepay_y_total: only a counter ends with "_total"',
      "facepay_y_total: a sample twice",
      "facepay_wait_milliseconds: no base unit",
      "facepay_wait_milliseconds: a sample without a number",
    ]);
  });
});

describe("docs/prometheus-rules.yml", () => {
  it("names metrics of ours only, in both languages, and rings by the instant of expiry", async () => {
    const { groups } = parse(await readFile(rulesFile, "utf8"));
    const rules: { alert: string; expr: string; annotations: Record<string, string> }[] = groups[0].rules;
    for (const { alert, expr, annotations } of rules) {
      const names = expr.match(/\b(facepay|node)_\w+/g) ?? [];
      expect(names.length, alert).toBeGreaterThan(0);
      for (const name of names) expect([...metricNames, "node_textfile_mtime_seconds"]).toContain(name);
      expect(annotations.summary_zh, alert).toMatch(/\p{Script=Han}/u);
    }
    expect(rules[0]?.expr).toBe("facepay_authinfo_expiry_timestamp_seconds - time() < 600");
  });

  it("ring when they should and not otherwise, by promtool", async (context) => {
    const directory = await mkdtemp(path.join(os.tmpdir(), "facepay-rules-"));
    try {
      await copyFile(rulesFile, path.join(directory, "prometheus-rules.yml"));
      await copyFile(
        path.join(root, "test/support/checks/prometheus-rules.test.yml"),
        path.join(directory, "test.yml"),
      );
      expect(promtool(context, ["test", "rules", "test.yml"], "", directory)).toBe("");
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
