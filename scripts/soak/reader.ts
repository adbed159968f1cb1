import http from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { Reading, Served } from "./judge.ts";

const PATIENCE_MS = 10_000;
const RECONNECT_MS = 200;

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

/** One request on a connection of its own. Rejects when no whole answer comes in time. */
export function exchange(socketPath: string, method: string, target: string, body?: string): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "Content-Type": "application/json" };
    const request = http.request({ socketPath, method, path: target, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      response.on("error", reject);
    });
    request.setTimeout(PATIENCE_MS, () => request.destroy(new Error("no answer in time")));
    request.on("error", reject);
    request.end(body);
  });
}

/** The cashier app: asks for the authinfo once. */
export async function read(socketPath: string, stale: boolean): Promise<Reading> {
  const sentMs = performance.now();
  try {
    const { status, text } = await exchange(socketPath, "GET", `/v1/authinfo${stale ? "?stale=ok" : ""}`);
    const gotMs = performance.now();
    const body = JSON.parse(text) as Served & { readonly code?: string; readonly cause?: { readonly code: string } };
    if (status === 200) return { sentMs, gotMs, stale, status, served: body };
    return { sentMs, gotMs, stale, status, error: `${body.code} (${body.cause?.code})` };
  } catch (error) {
    return { sentMs, gotMs: performance.now(), stale, status: 0, error: String(error) };
  }
}

export interface StreamEnds {
  readonly onOpen: () => void;
  /** Undefined: "unavailable". */
  readonly onEvent: (served: Served | undefined) => void;
  readonly onClose: () => void;
}

/** A subscriber that comes back whenever its stream ends. Resolves when the signal has fallen. */
export async function listen(socketPath: string, ends: StreamEnds, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await stream(socketPath, ends, signal);
    await delay(RECONNECT_MS, undefined, { signal }).catch(() => undefined);
  }
}

function stream(socketPath: string, ends: StreamEnds, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    let buffer = "";
    const request = http.get({ socketPath, path: "/v1/authinfo/events", agent: false, signal }, (response) => {
      if (response.statusCode === 200) ends.onOpen();
      response.setEncoding("utf8").on("data", (chunk: string) => {
        const parts = (buffer + chunk).split("\n\n");
        buffer = parts.pop() ?? "";
        for (const part of parts) take(part, ends.onEvent);
      });
      response.on("error", () => undefined);
      response.on("close", () => {
        ends.onClose();
        resolve();
      });
    });
    // Nobody is there: the loop tries again.
    request.on("error", () => resolve());
  });
}

function take(part: string, onEvent: StreamEnds["onEvent"]): void {
  const field = (name: string) =>
    part
      .split("\n")
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 2);
  const data = field("data");
  if (data !== undefined) onEvent(field("event") === "authinfo" ? (JSON.parse(data) as Served) : undefined);
}
