import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { healthOf } from "../../../agent/telemetry/health.ts";
import { exporterFile } from "../../../scripts/docs/exporter-file.ts";
import { runbook } from "../../../scripts/docs/runbook-texts.ts";

const kit = path.resolve(import.meta.dirname, "../../../docs/fleet");
const read = (file: string) => readFileSync(path.join(kit, file), "utf8");

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

const rules: Rule[] = parse(read("rules.yml")).groups.flatMap(({ rules }: { rules: Rule[] }) => rules);
const alerts = rules.filter(({ alert }) => alert !== undefined);
const exported: { prom_name: string; mqtt_name: string }[] = parse(exporterFile()).metrics;
const gatewayMetrics =
  /^(up|received_messages|ALERTS|facepay_gateway_(terminals\w*|warnings|upstream_requests_total))$/;

/** The names of metrics in an expression. */
function metricsIn(expr: string): string[] {
  return expr.match(/\b(facepay_[a-z_:]+|received_messages|up(?=\{))/g) ?? [];
}

function known(name: string): boolean {
  return (
    gatewayMetrics.test(name) ||
    exported.some(({ prom_name }) => prom_name === name) ||
    rules.some(({ record }) => record === name)
  );
}

const dashboard: { panels: { title: string; targets: { expr: string }[] }[] } = JSON.parse(read("dashboard.json"));
const shown = dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr })));

describe("docs/fleet", () => {
  it("alerts of what an operator has to act on, in both languages, each with its place in the runbook", () => {
    expect(alerts.length).toBeGreaterThanOrEqual(12);
    for (const { alert, labels, annotations } of alerts) {
      expect(["critical", "warning", "info"]).toContain(labels?.severity);
      expect(annotations?.summary, alert).toMatch(/[a-z]/);
      expect(annotations?.summary_zh, alert).toMatch(/[\u4e00-\u9fff]/);
      expect(annotations?.runbook_url, alert).toBe(`runbook.md#${alert?.toLowerCase()}`);
    }
    expect(alerts.map(({ alert }) => alert).toSorted()).toEqual(Object.keys(runbook).toSorted());
    for (const page of ["runbook.md", "runbook.zh-CN.md"]) {
      const headings = [...read(page).matchAll(/^## (\w+)$/gm)].map(([, heading]) => heading);
      expect(headings.filter((heading) => heading?.startsWith("Facepay")).toSorted()).toEqual(
        Object.keys(runbook).toSorted(),
      );
    }
  });

  it("maps fields that a terminal publishes", () => {
    const status = {
      ...{ version: "1.0.0", config: null, boot_id: "", uptime_s: 1, bridge: null, store: null, last_error: null },
      authinfo: {
        state: "fresh",
        expires_at: "2026-01-01T00:00:00Z",
        obtained_at: "2026-01-01T00:00:00Z",
        persisted: true,
      },
      wechatpay: { base_urls: [], client_cert_expires_at: "2026-01-01T00:00:00Z" },
      ...{ clock: { trusted: true, skew_s: 0 }, next_attempt: null, warnings: [] },
    };
    const facts = { diskFreeMb: 1, memoryAvailableMb: 1, served: 0, refreshOk: 0, refreshFailed: 0, rejected: 0 };
    const published = new Set(["online", ...Object.keys(healthOf(status, facts))]);
    for (const { mqtt_name } of exported) expect(published).toContain(mqtt_name);
  });

  it.each([...alerts.map(({ alert = "", expr }) => ({ title: alert, expr })), ...shown])(
    "$title asks for metrics that there are: $expr",
    ({ expr }) => {
      const names = metricsIn(expr);
      expect(names.length).toBeGreaterThan(0);
      expect(names.filter((name) => !known(name))).toEqual([]);
    },
  );

  it("has a test of firing for each alert, and one of silence", () => {
    const text = read("rules.test.yml");
    for (const { alert } of alerts) expect(text).toContain(`alertname="${alert}"`);
    expect(text).toContain("exp_samples: []");
  });

  it("passes promtool: rules, their tests, and every expression of the dashboard", ({ skip }) => {
    const promtool = (...args: string[]) => spawnSync("promtool", args, { encoding: "utf8" });
    const { error } = promtool("--version");
    skip(error !== undefined, "promtool of Prometheus is not installed (Debian package prometheus)");
    for (const args of [
      ["check", "rules", path.join(kit, "rules.yml")],
      ["check", "config", "--syntax-only", path.join(kit, "prometheus.yml")],
      ["test", "rules", path.join(kit, "rules.test.yml")],
    ]) {
      const { status, stdout, stderr } = promtool(...args);
      expect({ args, status, said: status === 0 ? "" : stdout + stderr }).toEqual({ args, status: 0, said: "" });
    }
    const directory = mkdtempSync(path.join(os.tmpdir(), "facepay-fleet-"));
    try {
      const file = path.join(directory, "dashboard.yml");
      const asked = shown.map(({ expr }, n) => ({ record: `panel:${n}`, expr: expr.replaceAll("$sp_mchid", ".*") }));
      writeFileSync(file, stringify({ groups: [{ name: "dashboard", rules: asked }] }));
      const { status, stdout, stderr } = promtool("check", "rules", file);
      expect(status === 0 ? "" : stdout + stderr).toBe("");
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
