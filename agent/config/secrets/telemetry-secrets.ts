import type { Problem } from "../problem.ts";
import type { NamedFiles } from "./named-files.ts";
import { parseTlsKey } from "./pem.ts";
import { type FileContext, MOST, MOST_CA, Reading } from "./secret-file-loader.ts";

/** What a connection to the operator's broker needs out of files. Never logged, never shown. */
export interface TelemetrySecrets {
  /** An extra root certificate, PEM. */
  readonly ca?: string;
  /** Its own, else those of [wechatpay]. */
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly password?: string;
}

export interface TelemetrySecretsResult {
  /** Absent when there is any problem. */
  readonly secrets?: TelemetrySecrets;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/**
 * Reads and checks the files that [telemetry] names. Never throws. Read again for each connection, so that renewed files count from the
 * next one on.
 */
export function readTelemetrySecrets(
  files: NamedFiles,
  surroundings: FileContext,
  origins: ReadonlyMap<string, string> = new Map(),
): TelemetrySecretsResult {
  const reading = new Reading(files, surroundings, origins);
  const owner = files.has("telemetry.client_cert_file") ? "telemetry" : "wechatpay";
  const certKey = `${owner}.client_cert_file` as const;
  const keyKey = `${owner}.client_key_file` as const;
  const clientCert = reading.certificates(certKey, "mqtt.pem", MOST);
  const clientKey = reading.pem(keyKey, (text, file) => parseTlsKey(text, file, "mqtt.key"));
  reading.pair([certKey, clientCert?.first], [keyKey, clientKey?.value]);
  const ca = reading.certificates("telemetry.ca_file", "mqtt-ca.pem", MOST_CA);
  const password = reading.line("telemetry.password_file", () => undefined);
  const { problems, warnings } = reading;
  if (problems.length > 0) return { problems, warnings };
  return {
    secrets: {
      ...(ca === undefined ? {} : { ca: ca.text }),
      ...(clientCert === undefined ? {} : { clientCert: clientCert.text }),
      ...(clientKey === undefined ? {} : { clientKey: clientKey.text }),
      ...(password === undefined ? {} : { password }),
    },
    problems,
    warnings,
  };
}

/** For the check of a configuration: telemetry that cannot work is a warning, since the main job goes on without it. */
export function telemetryWarnings(
  files: NamedFiles,
  surroundings: FileContext,
  origins: ReadonlyMap<string, string>,
): Problem[] {
  if (![...files.keys()].some((key) => key.startsWith("telemetry."))) return [];
  const { problems, warnings } = readTelemetrySecrets(files, surroundings, origins);
  // Those of [wechatpay] are reported under their own keys.
  return [...problems, ...warnings].filter(({ key }) => key.startsWith("telemetry."));
}
