import { failureRules } from "../../agent/common/failures.ts";
import type { Bilingual } from "../../agent/common/language.ts";

/** What `facepay_fleet_last_error` says, by the beginning of the code. The first that fits counts. */
export const errorClasses: readonly (readonly [beginning: RegExp, number: number, meaning: Bilingual])[] = [
  [/^BRIDGE_|^ATTEMPT_/, 1, { en: "face module", zh: "刷脸模组" }],
  [/^SDK_|^DEVICE_/, 2, { en: "face SDK", zh: "刷脸 SDK" }],
  [
    /^PAY_RATE_LIMITED$|^PAY_SERVER_ERROR$|^PAY_UNAVAILABLE$/,
    5,
    { en: "WeChat Pay limits or is out of order", zh: "微信支付限流或故障" },
  ],
  [
    /^PAY_(DNS|IP|CONNECT|UNREACHABLE|CONNECTION|TIMEOUT|TLS|CLIENT_CERT|ANSWER_NOT_HTTP|PROXY)/,
    3,
    { en: "network", zh: "网络" },
  ],
  [
    /^PAY_(BAD|UNAUTH|FORBID|NOT_FOUND|CLIENT_ERROR|STATUS|REDIRECT)/,
    4,
    { en: "WeChat Pay or the gateway refuses", zh: "微信支付或网关拒绝" },
  ],
  [/^PAY_/, 6, { en: "answer that is not believed", zh: "应答不可信" }],
  [/^CLOCK_/, 7, { en: "clock", zh: "时钟" }],
  [/./, 8, { en: "terminal itself: files, configuration", zh: "终端自身：文件、配置" }],
];

const states = ["fresh", "due", "rejected", "stale", "expired", "absent", "unprovisioned"];

interface Mapping {
  /** In Prometheus, after `facepay_fleet_`. */
  readonly name: string;
  /** In the payload. */
  readonly field: string;
  readonly help: string;
  readonly type?: "counter" | "gauge";
  /** Words as numbers; `other` for every other word. */
  readonly words?: { readonly map: Readonly<Record<string, number>>; readonly other: number };
}

const classOf = (code: string) => errorClasses.find(([beginning]) => beginning.test(code))?.[1] ?? 0;

/** Every number of `health` and `state` (specification 10) that an operator may ask for. */
const mappings: readonly Mapping[] = [
  { name: "online", field: "online", help: "1 while the terminal is connected" },
  {
    name: "state",
    field: "state",
    help: states.map((state, number) => `${number} ${state}`).join(", "),
    words: { map: Object.fromEntries(states.map((state, number) => [state, number])), other: -1 },
  },
  { name: "version_number", field: "version_number", help: "1.2.3 is 1002003" },
  { name: "generation", field: "generation", help: "Generation of the authinfo" },
  { name: "expires_timestamp_seconds", field: "expires_at", help: "When the authinfo ends" },
  { name: "last_success_timestamp_seconds", field: "last_success_at", help: "When a renewal last succeeded" },
  { name: "failures", field: "failures", help: "Renewals that failed since the last success" },
  {
    name: "last_error",
    field: "last_error",
    help: [...errorClasses]
      .map(([, number, meaning]) => `${number} ${meaning.en}`)
      .sort()
      .join(", "),
    words: {
      map: { "": 0, ...Object.fromEntries(Object.keys(failureRules).map((code) => [code, classOf(code)])) },
      other: 9,
    },
  },
  {
    name: "bridge_ready",
    field: "bridge_state",
    help: "1 while the face module is ready",
    words: { map: { ready: 1 }, other: 0 },
  },
  { name: "skew_seconds", field: "skew_s", help: "WeChat Pay's clock minus the terminal's" },
  { name: "clock_trusted", field: "clock_trusted", help: "1 when something confirms the clock" },
  { name: "persisted", field: "persisted", help: "1 when the authinfo is on disk" },
  {
    name: "warned",
    field: "warnings",
    help: "1 while any warning stands",
    words: { map: { "": 0, DIRECT_MODE: 0 }, other: 1 },
  },
  { name: "config_refused", field: "config_refused", help: "1 while a configuration was refused" },
  { name: "uptime_seconds", field: "uptime_s", help: "Since the start of the agent" },
  { name: "disk_free_megabytes", field: "disk_free_mb", help: "Where the state is kept" },
  { name: "memory_available_megabytes", field: "memory_available_mb", help: "Of the terminal" },
  {
    name: "client_certificate_expires_timestamp_seconds",
    field: "client_certificate_expires_at",
    help: "When the client certificate for the gateway ends",
  },
  { name: "served_total", field: "served_total", help: "Times the authinfo was handed out", type: "counter" },
  { name: "refresh_ok_total", field: "refresh_ok_total", help: "Renewals that succeeded", type: "counter" },
  { name: "refresh_failed_total", field: "refresh_failed_total", help: "Renewals that failed", type: "counter" },
  { name: "rejected_total", field: "rejected_total", help: "Authinfos that the SDK refused", type: "counter" },
];

/** `docs/fleet/exporter.yaml`: MQTT to Prometheus, for prometheus-mqtt-exporter (mqtt2prometheus) of Debian. */
export function exporterFile(): string {
  const lines = [
    "# prometheus-mqtt-exporter for a fleet of facepay-agents. Made by `npm run docs`; do not edit.",
    "# 供 facepay-agent 终端使用的 prometheus-mqtt-exporter 配置。由 `npm run docs` 生成，请勿手工修改。",
    "mqtt:",
    "  server: tcp://127.0.0.1:1883",
    "  client_id: facepay-exporter",
    '  topic_path: "facepay/v1/+/+/+"',
    '  device_id_regex: "v1/[^/]+/(?P<deviceid>[^/]+)/(state|health)$"',
    "  qos: 1",
    "cache:",
    "  # What a terminal has said last counts until it says something else; a will says that it is away.",
    "  timeout: -1s",
    "metrics:",
    ...mappings.flatMap(entry),
  ];
  return `${lines.join("\n")}\n`;
}

function entry({ name, field, help, type = "gauge", words }: Mapping): string[] {
  return [
    `  - prom_name: facepay_fleet_${name}`,
    `    mqtt_name: ${field}`,
    `    help: ${JSON.stringify(help)}`,
    `    type: ${type}`,
    "    # With the time of arrival Prometheus would take a value of a quarter of an hour ago for stale.",
    "    omit_timestamp: true",
    ...(words === undefined
      ? []
      : [
          "    string_value_mapping:",
          "      map:",
          ...Object.entries(words.map).map(([word, number]) => `        ${JSON.stringify(word)}: ${number}`),
          `      error_value: ${words.other}`,
        ]),
  ];
}
