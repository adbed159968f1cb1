import type { LogFields } from "../common/log/log.ts";
import type { EventFields } from "./event-queue.ts";

/**
 * Which events of the log leave the terminal (specification 10), and which of their fields: numbers, truth values and words of ours. Never a
 * text of a peer or of a file, which may hold anything.
 */
const told: Readonly<Record<string, readonly string[]>> = {
  SERVING: [],
  STOPPING: [],
  UNPROVISIONED: [],
  CONFIGURED: ["hash", "source"],
  CONFIG_RELOAD_REFUSED: [],
  SECRETS_RENEWED: [],
  SECRETS_REFUSED: [],
  SECRETS_UNUSABLE: [],
  AUTHINFO_STATE: ["state", "generation", "persisted", "remaining_s"],
  AUTHINFO_OBTAINED: ["generation", "why"],
  AUTHINFO_REJECTED: ["generation"],
  REFRESH_FAILED: ["cause", "why", "remedy"],
  RECOVERED: ["after_failures", "cause"],
  DEVICE_CHANGED: ["was", "is"],
  BRIDGE_READY: [],
  CLOCK_STEPPED: ["stepped_ms"],
  NETWORK_CHANGED: [],
  STORE_RECOVERED: ["loaded", "generation"],
  STORE_NOT_DURABLE: ["cause"],
  STORE_WRITE_FAILED: ["cause"],
  STORE_DURABLE_AGAIN: [],
  STORE_QUARANTINED: [],
  API_SOCKET_REPLACED: [],
  TELEMETRY_HOSTILE: ["reason"],
  COMMAND_REFUSED: ["op", "reason", "count"],
  COMMAND_STARTED: ["op", "command"],
  COMMAND_ENDED: ["op", "command", "outcome", "cause"],
};

const LONGEST_TEXT = 100;

/** The fields to publish with an event of the log; undefined for one that stays on the terminal. */
export function auditFields(code: string, fields: LogFields = {}): EventFields | undefined {
  if (code === "API_REFUSED") return counted(fields);
  const names = Object.hasOwn(told, code) ? told[code] : undefined;
  if (names === undefined) return undefined;
  const kept: Record<string, string | number | boolean> = {};
  for (const name of names) {
    const value = fields[name];
    if (typeof value === "number" || typeof value === "boolean") kept[name] = value;
    else if (typeof value === "string") kept[name] = plain(value);
  }
  return kept;
}

/** Refused requests are counted, not told one by one (agent/api/http/rejection-log.ts). */
function counted({ refused }: LogFields): EventFields {
  const kept: Record<string, number> = {};
  if (typeof refused !== "object" || refused === null) return kept;
  for (const [reason, count] of Object.entries(refused)) {
    if (/^[a-z_]{1,40}$/.test(reason) && typeof count === "number") kept[`refused_${reason}`] = count;
  }
  return kept;
}

/** One line of printable ASCII: a device id may come from a bridge. */
function plain(text: string): string {
  return text.slice(0, LONGEST_TEXT).replace(/[^\x20-\x7e]/g, "?");
}
