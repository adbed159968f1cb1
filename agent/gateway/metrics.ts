import type { Counter, Histogram, Registry } from "prom-client";
import type { FleetBook } from "./fleet-book.ts";

export interface GatewayMetrics {
  /** A request has been answered; "ok", or the code in lower case. */
  request(path: string, outcome: string, seconds: number): void;
  upstream(baseUrl: string, outcome: string): void;
  /** A connection was refused or cut before there was a request. */
  refusedConnection(reason: string): void;
  render(): Promise<string>;
}

/** What is read at each scrape. */
export interface GatewayGauges {
  readonly devices: number;
  readonly registerLoadedMs: number;
  readonly registerInvalid: boolean;
  readonly trustInvalid: boolean;
  readonly inFlight: number;
  readonly connections: number;
  readonly certificateEndsMs: number;
  readonly crlNextUpdateMs: number;
  readonly skewMs: number;
  readonly warnings: number;
  readonly fleet: FleetBook;
  /** Unix ms. */
  readonly now: number;
  /** A sample for each terminal is wanted. */
  readonly perDevice: boolean;
}

const SUCCESS_WITHIN = [
  ["10m", 600_000],
  ["1h", 3_600_000],
  ["24h", 86_400_000],
] as const;

const gauges: readonly (readonly [name: string, help: string, read: (now: GatewayGauges) => number])[] = [
  ["devices", "Terminals in the register in force", ({ devices }) => devices],
  [
    "register_loaded_timestamp_seconds",
    "When the register in force was read, Unix time",
    ({ registerLoadedMs }) => registerLoadedMs / 1000,
  ],
  ["register_invalid", "1 while a newer register is refused", ({ registerInvalid }) => Number(registerInvalid)],
  [
    "authorities_invalid",
    "1 while newer authorities or revocation lists are refused",
    ({ trustInvalid }) => Number(trustInvalid),
  ],
  ["in_flight", "Requests being forwarded", ({ inFlight }) => inFlight],
  ["connections", "Open connections of terminals", ({ connections }) => connections],
  [
    "certificate_expiry_timestamp_seconds",
    "When the server's certificate ends, Unix time",
    ({ certificateEndsMs }) => certificateEndsMs / 1000,
  ],
  [
    "crl_next_update_timestamp_seconds",
    "When the first revocation list ends, Unix time; 0 without one",
    ({ crlNextUpdateMs }) => crlNextUpdateMs / 1000,
  ],
  ["clock_skew_seconds", "WeChat Pay's clock minus ours", ({ skewMs }) => skewMs / 1000],
  ["warnings", "Standing warnings", ({ warnings }) => warnings],
];

/** The library is loaded with the gateway: unlike a terminal it is always scraped. */
export async function createGatewayMetrics(read: () => GatewayGauges): Promise<GatewayMetrics> {
  const { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } = await import("prom-client");
  const registry: Registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const name = (own: string) => `facepay_gateway_${own}`;
  for (const [own, help, value] of gauges) {
    new Gauge({
      name: name(own),
      help,
      registers,
      collect() {
        this.set(value(read()));
      },
    });
  }
  new Gauge({
    name: name("terminals"),
    help: "Terminals that have asked since the start, by their version",
    labelNames: ["version"],
    registers,
    collect() {
      this.reset();
      for (const [version, count] of read().fleet.versions()) this.set({ version }, count);
    },
  });
  new Gauge({
    name: name("terminals_succeeded"),
    help: "Terminals that have got an authinfo within this time",
    labelNames: ["within"],
    registers,
    collect() {
      const { fleet, now } = read();
      for (const [within, ms] of SUCCESS_WITHIN) this.set({ within }, fleet.succeededSince(now - ms));
    },
  });
  new Gauge({
    name: name("terminal_last_success_timestamp_seconds"),
    help: "When a terminal last got an authinfo, Unix time; only with health.per_device",
    labelNames: ["device_id"],
    registers,
    collect() {
      this.reset();
      const { fleet, perDevice } = read();
      if (!perDevice) return;
      for (const [device_id, wallMs] of fleet.lastSuccesses()) this.set({ device_id }, wallMs / 1000);
    },
  });
  const requests: Counter<"path" | "outcome"> = new Counter({
    name: name("requests_total"),
    help: "Requests of terminals",
    labelNames: ["path", "outcome"],
    registers,
  });
  const seconds: Histogram<"path"> = new Histogram({
    name: name("request_duration_seconds"),
    help: "From the head of a request to its answer, those that were forwarded",
    labelNames: ["path"],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const upstream = new Counter({
    name: name("upstream_requests_total"),
    help: "Requests to WeChat Pay",
    labelNames: ["base_url", "outcome"],
    registers,
  });
  const refused = new Counter({
    name: name("refused_connections_total"),
    help: "Connections refused or cut before there was a request",
    labelNames: ["reason"],
    registers,
  });
  // A label that has never been seen is one too many for an alarm on its increase.
  for (const path of ["authinfo", "echo"]) requests.inc({ path, outcome: "ok" }, 0);
  return {
    request(path, outcome, took) {
      requests.inc({ path, outcome });
      if (path !== "other") seconds.observe({ path }, took);
    },
    upstream: (baseUrl, outcome) => upstream.inc({ base_url: baseUrl, outcome }),
    refusedConnection: (reason) => refused.inc({ reason }),
    render: () => registry.metrics(),
  };
}
