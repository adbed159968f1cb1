import type { StatusDocument } from "../api/status-document.ts";

/** What the status document does not tell. */
export interface HealthFacts {
  readonly diskFreeMb?: number;
  readonly memoryAvailableMb?: number;
  readonly served: number;
  readonly refreshOk: number;
  readonly refreshFailed: number;
  readonly rejected: number;
}

export type Health = Readonly<Record<string, number | string>>;

/** Enough for every list of warnings that can stand together; a longer one is cut. */
const LONGEST_TEXT = 500;

/**
 * One flat object of numbers and short strings (specification 10), as exporters of MQTT want it: times are Unix seconds, truth is 0 or 1, and
 * what is not known is left out. Built by name, so that nothing else slips in.
 */
export function healthOf(status: StatusDocument, facts: HealthFacts): Health {
  const { authinfo, bridge, clock, wechatpay, config, warnings } = status;
  const codes = warnings.map(({ code }) => code);
  const fields: Readonly<Record<string, number | string | boolean | null | undefined>> = {
    version: status.version,
    version_number: versionNumber(status.version ?? ""),
    config_hash: config?.hash ?? "",
    config_refused: codes.includes("CONFIG_REMEMBERED") || codes.includes("CONFIG_RELOAD_REFUSED"),
    state: authinfo.state,
    generation: authinfo.generation ?? 0,
    remaining_s: authinfo.remaining_s ?? 0,
    expires_at: seconds(authinfo.expires_at),
    last_success_at: seconds(authinfo.last_success_at ?? authinfo.obtained_at),
    failures: authinfo.failures ?? 0,
    last_error: status.last_error?.code ?? "",
    bridge_state: bridge?.state ?? "",
    skew_s: clock.skew_s,
    clock_trusted: clock.trusted,
    persisted: authinfo.persisted,
    warnings: codes.join(","),
    uptime_s: status.uptime_s,
    disk_free_mb: facts.diskFreeMb,
    memory_available_mb: facts.memoryAvailableMb,
    client_certificate_expires_at: seconds(wechatpay?.client_cert_expires_at),
    served_total: facts.served,
    refresh_ok_total: facts.refreshOk,
    refresh_failed_total: facts.refreshFailed,
    rejected_total: facts.rejected,
  };
  const told: Record<string, number | string> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === "string") told[name] = value.slice(0, LONGEST_TEXT);
    else if (typeof value === "boolean") told[name] = Number(value);
    else if (value !== undefined && value !== null) told[name] = value;
  }
  return told;
}

/** What has to change for a report out of turn: a change of state or of the last error, of the bridge and of the warnings. */
export function healthSignature(health: Health): string {
  const { state, generation, last_error, bridge_state, warnings, persisted, clock_trusted } = health;
  return [state, generation, last_error, bridge_state, warnings, persisted, clock_trusted].join("|");
}

/** For comparisons: 1.2.3 is 1002003. What stands behind the three numbers is of no account. */
function versionNumber(version: string): number {
  const [, major = 0, minor = 0, patch = 0] = /^(\d+)\.(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) * 1e6 + Number(minor) * 1e3 + Number(patch);
}

function seconds(rfc3339: string | null | undefined): number | undefined {
  return rfc3339 === undefined || rfc3339 === null ? undefined : Math.floor(Date.parse(rfc3339) / 1_000);
}
