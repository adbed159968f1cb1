import { describe, expect, it } from "vitest";
import { withoutAuthinfo } from "../../../agent/api/authinfo-document.ts";
import { version } from "../../../agent/common/version.ts";
import { createMetrics } from "../../../agent/runtime/metrics/metrics.ts";
import { renderMetrics, renderProcessMetrics } from "../../../agent/runtime/metrics/prometheus.ts";
import { metricNames } from "../../support/checks/metric-names.ts";
import { absentView, makeView, obtainedWallMs } from "../../support/fixtures/api-fixture.ts";

const lineOf = (text: string, start: string) => text.split("\n").find((line) => line.startsWith(`${start} `));

describe("metrics", () => {
  it("all appear on the first scrape of an agent that has nothing yet, with those of the process", async () => {
    const text = await renderMetrics(createMetrics().counts, { view: absentView, clockSteps: 0, warnings: [] });
    for (const name of metricNames) expect(text).toMatch(new RegExp(`^# TYPE ${name} (counter|gauge)$`, "m"));
    expect(lineOf(text, "facepay_authinfo_expiry_timestamp_seconds")).toMatch(/ 0$/);
    expect(lineOf(text, 'facepay_refresh_attempts_total{outcome="ok"}')).toMatch(/ 0$/);
    expect(lineOf(text, 'facepay_authinfo_served_total{state="stale"}')).toMatch(/ 0$/);
    expect(lineOf(text, 'facepay_api_denied_total{reason="origin"}')).toMatch(/ 0$/);
    expect(lineOf(text, 'facepay_authinfo_state{state="absent"}')).toMatch(/ 1$/);
    expect(lineOf(text, 'facepay_authinfo_state{state="fresh"}')).toMatch(/ 0$/);
    expect(lineOf(text, 'facepay_warnings{code="BRIDGE_DOWN"}')).toMatch(/ 0$/);
    expect(lineOf(text, "facepay_bridge_ready")).toMatch(/ 0$/);
    // A node exporter adds its own metrics of the process: with ours in its text file both would be refused.
    for (const line of text.split("\n")) expect(line).toMatch(/^(|# (HELP|TYPE) facepay_\w+ .+|facepay_.+)$/);
  });

  it("of the process are the usual ones, and those of Node only when asked for", async () => {
    const usual = await renderProcessMetrics(false);
    expect(usual).toMatch(/^process_resident_memory_bytes \d+/m);
    expect(usual).not.toContain("nodejs_");
    expect(await renderProcessMetrics(true)).toMatch(/^nodejs_eventloop_lag_seconds /m);
  });

  it("tell no expiry of a terminal without a configuration, which is no alarm", async () => {
    const view = { ...absentView, state: "unprovisioned" as const };
    const text = await renderMetrics(createMetrics().counts, { view, clockSteps: 0, warnings: [] });
    for (const name of ["facepay_authinfo_expiry_timestamp_seconds", "facepay_authinfo_remaining_seconds"]) {
      expect(lineOf(text, name)).toBeUndefined();
    }
    expect(lineOf(text, 'facepay_authinfo_state{state="unprovisioned"}')).toMatch(/ 1$/);
  });

  it("tell what was counted and what is known, and never the authinfo", async () => {
    const metrics = createMetrics();
    metrics.refreshAttempt("ok", obtainedWallMs + 5_000);
    metrics.refreshAttempt("pay_dns", obtainedWallMs + 9_000);
    metrics.served("fresh");
    metrics.served("fresh");
    metrics.denied("origin");
    metrics.wechatpayRequest("https://b", 'x"y\n');
    const text = await renderMetrics(metrics.counts, {
      view: withoutAuthinfo(makeView()),
      bridge: { state: "ready", frames: { ok: 5, fcs: 1 }, opens: { ok: 2 } },
      store: { writes: { ok: 3, failed: 1 } },
      skewMs: -1_500,
      clockSteps: 4,
      warnings: ["BRIDGE_DOWN"],
      info: { sub_mchid: "1900000109", mode: "gateway", config_hash: "0123456789ab" },
      deviceId: "D-1",
      clientCertEndsMs: 1_800_000_000_500,
      baseUrls: ["https://a", "https://b"],
    });
    const expected: [string, string][] = [
      ["facepay_authinfo_expiry_timestamp_seconds", String(obtainedWallMs / 1000 + 3600)],
      ["facepay_authinfo_remaining_seconds", "3599.9"],
      [`facepay_build_info{version="${version}",node="${process.versions.node}"}`, "1"],
      ['facepay_info{device_id="D-1",sub_mchid="1900000109",mode="gateway",config_hash="0123456789ab"}', "1"],
      ['facepay_authinfo_state{state="fresh"}', "1"],
      ["facepay_bridge_ready", "1"],
      ['facepay_warnings{code="BRIDGE_DOWN"}', "1"],
      ['facepay_warnings{code="CLOCK_SKEWED"}', "0"],
      ["facepay_client_certificate_expiry_timestamp_seconds", "1800000000.5"],
      ["facepay_authinfo_generation", "7"],
      ['facepay_refresh_attempts_total{outcome="ok"}', "1"],
      ['facepay_refresh_attempts_total{outcome="pay_dns"}', "1"],
      ["facepay_refresh_last_success_timestamp_seconds", String(obtainedWallMs / 1000 + 5)],
      ['facepay_authinfo_served_total{state="fresh"}', "2"],
      ['facepay_store_writes_total{outcome="failed"}', "1"],
      ['facepay_bridge_frames_total{outcome="fcs"}', "1"],
      ['facepay_bridge_opens_total{outcome="ok"}', "2"],
      ["facepay_clock_steps_total", "4"],
      ["facepay_clock_skew_seconds", "-1.5"],
      ['facepay_wechatpay_requests_total{base_url="https://a",outcome="ok"}', "0"],
      ['facepay_wechatpay_requests_total{base_url="https://b",outcome="x\\"y\\n"}', "1"],
      ['facepay_api_denied_total{reason="origin"}', "1"],
    ];
    for (const [start, value] of expected) expect(lineOf(text, start)).toBe(`${start} ${value}`);
    expect(text).not.toContain("CANARY");
  });

  it("count from a kept authinfo when nothing has succeeded since the start", async () => {
    const sources = { view: withoutAuthinfo(makeView()), clockSteps: 0, warnings: [] };
    const text = await renderMetrics(createMetrics().counts, sources);
    expect(lineOf(text, "facepay_refresh_last_success_timestamp_seconds")).toContain(String(obtainedWallMs / 1000));
  });
});
