import type { Duplex } from "node:stream";
import { AgentError, errorText, systemCode } from "../../agent/common/errors.ts";

/** One open line to the bridge. */
export interface OpenedStream {
  readonly stream: Duplex;
  /** The device or socket that was opened, for people. */
  readonly path: string;
  /** Rejects when the line is dead though the stream has not said so. */
  alive?(): Promise<void>;
  /** Ends the line within a few seconds, whatever state it is in. Never rejects. */
  close(): Promise<void>;
}

/** Looks the device up anew and opens it within a deadline of its own. Rejects with AgentError BRIDGE_*. */
export type OpenStream = (signal: AbortSignal) => Promise<OpenedStream>;

/** How long the opening of a device or socket may take, milliseconds. */
export const OPEN_DEADLINE_MS = 5_000;

/** Why a path did not open, where the system says so. */
export type NotOpened = "BRIDGE_NOT_FOUND" | "BRIDGE_PERMISSION" | "BRIDGE_BUSY";

const codes: Readonly<Record<string, NotOpened>> = {
  ENOENT: "BRIDGE_NOT_FOUND",
  ENODEV: "BRIDGE_NOT_FOUND",
  ENXIO: "BRIDGE_NOT_FOUND",
  ENOTDIR: "BRIDGE_NOT_FOUND",
  ECONNREFUSED: "BRIDGE_NOT_FOUND",
  EACCES: "BRIDGE_PERMISSION",
  EPERM: "BRIDGE_PERMISSION",
  EBUSY: "BRIDGE_BUSY",
};

/** The AgentError for a path that did not open; `code` where the system's own code is not at hand. */
export function openFailure(path: string, cause: unknown, code?: NotOpened): AgentError {
  if (cause instanceof AgentError) return cause;
  const found = code ?? codes[systemCode(cause) ?? ""];
  const system = systemCode(cause);
  const options = { cause, ...(system === undefined ? {} : { context: { system } }) };
  // The mode of a file is refused with EACCES; EPERM is systemd's list of devices (or a container's), for every user.
  if (system === "EPERM") return new AgentError("BRIDGE_PERMISSION.unit", { path }, options);
  if (found === undefined) return new AgentError("BRIDGE_OPEN_FAILED", { path, error: errorText(cause) }, options);
  return new AgentError(found, { path }, options);
}

export function openTooLate(path: string): AgentError {
  return new AgentError("BRIDGE_OPEN_FAILED.late", { path, ms: OPEN_DEADLINE_MS });
}
