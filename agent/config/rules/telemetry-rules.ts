import { sections } from "../keys/schema.ts";
import type { Findings } from "./findings.ts";

/** Who reports, and with what: the rest of the section is nothing without a broker. */
export function telemetryRules(found: Findings): void {
  const keys = Object.keys(sections.get("telemetry")?.fields ?? {}).map((key) => `telemetry.${key}`);
  const alone = keys.find((key) => found.has(key));
  if (alone !== undefined && !found.has("telemetry.broker")) {
    found.problem("telemetry.broker", { id: "telemetry.missing", params: { alone } }, { id: "telemetry.broker_write" });
  }
  together(found, "client_cert_file", "client_key_file");
  together(found, "client_key_file", "client_cert_file");
  // MQTT 3.1.1, 3.1.2.9: no password without a user name.
  together(found, "password_file", "username");
}

function together(found: Findings, alone: string, key: string): void {
  if (!found.has(`telemetry.${alone}`) || found.has(`telemetry.${key}`)) return;
  found.problem(
    `telemetry.${key}`,
    { id: "telemetry.missing", params: { alone } },
    { id: "telemetry.write_or_remove", params: { key, alone } },
  );
}
