import type { Registry } from "prom-client";
import { version } from "../../common/version.ts";
import { warningCodes } from "../../common/warnings.ts";
import type { AuthinfoState } from "../../credential/credential-types.ts";
import type { MetricCounts, MetricSources } from "./metrics.ts";

type Labels = Readonly<Record<string, string>>;
/** One line: its labels and its value. */
type Sample = readonly [labels: Labels, value: number];

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly samples: readonly Sample[];
}

/** The metrics of specification 7, `facepay_*` alone, as Prometheus text 0.0.4. Loads prom-client at the first call. */
export async function renderMetrics(counts: MetricCounts, sources: MetricSources): Promise<string> {
  const { Counter, Gauge, Registry } = await import("prom-client");
  const registry = new Registry();
  for (const { name, help, type, samples } of describe(counts, sources)) {
    const labelNames = Object.keys(samples[0]?.[0] ?? labelsWithoutSamples[name] ?? {});
    const options = { name, help, labelNames, registers: [registry] };
    if (type === "counter") {
      const counter = new Counter(options);
      for (const [labels, value] of samples) counter.inc(labels, value);
    } else {
      const gauge = new Gauge(options);
      for (const [labels, value] of samples) gauge.set(labels, value);
      // The library begins a metric without labels at 0, which is not what "unknown" is.
      if (samples.length === 0 && labelNames.length === 0) gauge.remove();
    }
  }
  return await registry.metrics();
}

let processRegistry: Promise<Registry> | undefined;

/** The usual metrics of a process; with `runtime` those of Node as well, whose names break Prometheus' own rules. */
export async function renderProcessMetrics(runtime: boolean): Promise<string> {
  processRegistry ??= createProcessRegistry();
  const registry = await processRegistry;
  const wanted = registry.getMetricsAsArray().filter(({ name }) => runtime || !name.startsWith("nodejs_"));
  const texts = await Promise.all(wanted.map(({ name }) => registry.getSingleMetricAsString(name)));
  return `${texts.join("\n\n")}\n`;
}

/** Watches the garbage collector and the event loop from now on, so there is one for the whole process. */
async function createProcessRegistry(): Promise<Registry> {
  const { Registry, collectDefaultMetrics } = await import("prom-client");
  const register = new Registry();
  collectDefaultMetrics({ register });
  return register;
}

const labelsWithoutSamples: Readonly<Record<string, Labels>> = {
  facepay_wechatpay_requests_total: { base_url: "", outcome: "" },
  facepay_info: { device_id: "", sub_mchid: "", mode: "", config_hash: "" },
};

const states = [
  "fresh",
  "due",
  "rejected",
  "stale",
  "expired",
  "absent",
  "unprovisioned",
] as const satisfies readonly AuthinfoState[];

/**
 * The table of specification 7. The expiry of an authinfo that is not there yet is 0: the alarm "expires soon" then rings, as it should. A
 * terminal that is not provisioned has no expiry at all, so that it raises no alarm.
 */
function describe(counts: MetricCounts, sources: MetricSources): Metric[] {
  const { view, bridge, store, skewMs, clockSteps, warnings, info, deviceId = "", clientCertEndsMs } = sources;
  const { credential } = view;
  const expiryMs = credential === undefined ? 0 : credential.obtainedWallMs + credential.lifetimeMs;
  const provisioned = view.state !== "unprovisioned";
  const lastSuccessMs = counts.lastSuccessWallMs ?? credential?.obtainedWallMs ?? 0;
  return [
    known("facepay_build_info", "Which program this is", [[{ version, node: process.versions.node }, 1]]),
    known("facepay_info", "Which terminal this is", info === undefined ? [] : [[{ device_id: deviceId, ...info }, 1]]),
    known(
      "facepay_authinfo_state",
      "1 for the state of the authinfo, 0 for the others",
      states.map((state) => [{ state }, Number(state === view.state)]),
    ),
    gauge("facepay_bridge_ready", "Whether the bridge is ready for calls", Number(bridge?.state === "ready")),
    known(
      "facepay_warnings",
      "1 for each standing warning, 0 for the others",
      warningCodes.map((code) => [{ code }, Number(warnings.includes(code))]),
    ),
    gauge(
      "facepay_client_certificate_expiry_timestamp_seconds",
      "When the client certificate for the gateway expires, Unix time",
      clientCertEndsMs === undefined ? undefined : clientCertEndsMs / 1000,
    ),
    gauge(
      "facepay_authinfo_expiry_timestamp_seconds",
      "When the authinfo expires, Unix time",
      provisioned ? expiryMs / 1000 : undefined,
    ),
    gauge(
      "facepay_authinfo_remaining_seconds",
      "Seconds until the authinfo expires, negative afterwards",
      provisioned ? view.remainingMs / 1000 : undefined,
    ),
    gauge("facepay_authinfo_generation", "Generation of the authinfo", credential?.generation ?? 0),
    counter("facepay_refresh_attempts_total", "Attempts to get a new authinfo", "outcome", counts.refreshAttempts),
    gauge(
      "facepay_refresh_last_success_timestamp_seconds",
      "When an attempt last succeeded, Unix time",
      lastSuccessMs / 1000,
    ),
    counter("facepay_authinfo_served_total", "Times the authinfo was handed out", "state", counts.served),
    counter("facepay_store_writes_total", "Writes of the state file", "outcome", seen(store?.writes)),
    counter("facepay_bridge_frames_total", "Frames from the bridge", "outcome", seen(framesOnly(bridge?.frames))),
    counter("facepay_bridge_opens_total", "Openings of the line to the bridge", "outcome", seen(bridge?.opens)),
    {
      name: "facepay_clock_steps_total",
      help: "Steps of the wall clock",
      type: "counter",
      samples: [[{}, clockSteps]],
    },
    gauge("facepay_clock_skew_seconds", "WeChat Pay's clock minus ours", (skewMs ?? credential?.skewMs ?? 0) / 1000),
    wechatpayRequests(counts, sources.baseUrls ?? []),
    counter("facepay_api_denied_total", "Requests and connections refused by the local API", "reason", counts.denied),
  ];
}

function gauge(name: string, help: string, value: number | undefined): Metric {
  return known(name, help, value === undefined ? [] : [[{}, value]]);
}

function known(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, help, type: "gauge", samples };
}

function counter(name: string, help: string, label: string, counts: Iterable<readonly [string, number]>): Metric {
  return { name, help, type: "counter", samples: [...counts].map(([key, value]) => [{ [label]: key }, value]) };
}

/** A status' counters, with "ok" from the first scrape on. */
function seen(counts: Readonly<Record<string, number>> | undefined): Iterable<readonly [string, number]> {
  return Object.entries({ ok: 0, ...counts });
}

function wechatpayRequests(counts: MetricCounts, baseUrls: readonly string[]): Metric {
  const samples: Sample[] = [];
  for (const baseUrl of new Set([...baseUrls, ...counts.wechatpayRequests.keys()])) {
    const outcomes = new Map([["ok", 0], ...(counts.wechatpayRequests.get(baseUrl) ?? [])]);
    for (const [outcome, value] of outcomes) samples.push([{ base_url: baseUrl, outcome }, value]);
  }
  return {
    name: "facepay_wechatpay_requests_total",
    help: "Requests to WeChat Pay or the gateway",
    type: "counter",
    samples,
  };
}

/** The decoder also counts octets, which are no frames. */
function framesOnly(
  frames: Readonly<Record<string, number>> | undefined,
): Readonly<Record<string, number>> | undefined {
  if (frames === undefined) return undefined;
  const { dropped_octets: _octets, ...rest } = frames;
  return rest;
}
