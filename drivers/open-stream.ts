import type { Duplex } from "node:stream";
import { AgentError, type ErrorCode, systemCode } from "../agent/errors.ts";

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

const codes: Readonly<Record<string, ErrorCode>> = {
  ENOENT: "BRIDGE_NOT_FOUND",
  ENODEV: "BRIDGE_NOT_FOUND",
  ENXIO: "BRIDGE_NOT_FOUND",
  ENOTDIR: "BRIDGE_NOT_FOUND",
  ECONNREFUSED: "BRIDGE_NOT_FOUND",
  EACCES: "BRIDGE_PERMISSION",
  EPERM: "BRIDGE_PERMISSION",
  EBUSY: "BRIDGE_BUSY",
};

const explanations: Readonly<Partial<Record<ErrorCode, string>>> = {
  BRIDGE_NOT_FOUND: "is not there",
  BRIDGE_PERMISSION: "may not be opened by this user",
  BRIDGE_BUSY: "is held by another program",
};

/** The AgentError for a path that did not open; `code` where the system's own code is not at hand. */
export function openFailure(path: string, cause: unknown, code?: ErrorCode): AgentError {
  if (cause instanceof AgentError) return cause;
  const found = code ?? codes[systemCode(cause) ?? ""] ?? "BRIDGE_OPEN_FAILED";
  const why = explanations[found] ?? `did not open: ${cause instanceof Error ? cause.message : String(cause)}`;
  return new AgentError(found, `${path} ${why}`, { cause, context: { path, system_code: systemCode(cause) } });
}

export function openTooLate(path: string): AgentError {
  return new AgentError("BRIDGE_OPEN_FAILED", `${path} did not open within ${OPEN_DEADLINE_MS} ms`, {
    context: { path },
  });
}
