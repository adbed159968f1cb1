import { choices, type Form, filePath, integer, text, withDefault } from "./fields.ts";
import type { Section } from "./key-table.ts";
import { good, unfit } from "./validation-result.ts";

/** Where the operator's broker listens. `host` is without the brackets of an IPv6 address. */
export interface Broker {
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
}

const BROKER = /^(mqtts?):\/\/(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(?::(\d{1,5}))?\/?$/;
const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|localhost)$/;
const PORTS = { mqtts: 8883, mqtt: 1883 } as const;

const brokerUrl: Form = {
  pattern: BROKER,
  published: /^mqtts?:\/\/[^\s/?#@]+\/?$/,
  read: (given) => (parseBroker(given) === undefined ? unfit(brokerUrl.expects) : good(given)),
  expects: { id: "form.broker_url" },
};
const topicPrefix: Form = {
  pattern: /^(?=.{1,64}$)[0-9A-Za-z_-]+(\/[0-9A-Za-z_-]+)*$/,
  expects: { id: "form.topic_prefix" },
};
const userName: Form = {
  pattern: /^[\x21-\x7e]{1,128}$/,
  expects: { id: "form.user_name" },
};

/** Undefined for what is no broker's address, or one without encryption that leaves this machine. */
export function parseBroker(url: string): Broker | undefined {
  const [, scheme, host = "", digits] = BROKER.exec(url) ?? [];
  if (scheme !== "mqtts" && scheme !== "mqtt") return undefined;
  const bare = host.replace(/^\[|\]$/g, "");
  const port = digits === undefined ? PORTS[scheme] : Number(digits);
  if (port < 1 || port > 65_535 || (scheme === "mqtt" && !LOOPBACK.test(bare))) return undefined;
  return { tls: scheme === "mqtts", host: bare, port };
}

export const telemetryKeys = {
  about: { id: "section.telemetry" },
  fields: {
    broker: text({ id: "key.telemetry.broker" }, '"mqtts://mqtt.example.com:8883"', brokerUrl),
    ca_file: filePath({ id: "key.telemetry.ca_file" }, '"/etc/facepay-agent/mqtt-ca.pem"'),
    client_cert_file: filePath({ id: "key.telemetry.client_cert_file" }, '"/etc/facepay-agent/mqtt.pem"'),
    client_key_file: filePath({ id: "key.telemetry.client_key_file" }, '"/etc/facepay-agent/mqtt.key"'),
    username: text({ id: "key.telemetry.username" }, '"terminal-17"', userName),
    password_file: filePath({ id: "key.telemetry.password_file" }, '"/etc/facepay-agent/mqtt-password"'),
    topic_prefix: withDefault(text({ id: "key.telemetry.topic_prefix" }, '"facepay"', topicPrefix), "facepay"),
    interval_s: withDefault(integer({ id: "key.telemetry.interval_s" }, "900", 60, 3_600), 900),
    keepalive_s: withDefault(integer({ id: "key.telemetry.keepalive_s" }, "60", 5, 600), 60),
    commands: withDefault(
      choices({ id: "key.telemetry.commands" }, '["refresh", "diagnose"]', ["refresh", "diagnose"]),
      [],
    ),
  },
} as const satisfies Section;
