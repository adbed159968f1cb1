import { mkdtemp, rm } from "node:fs/promises";
import http, { type IncomingHttpHeaders } from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import type { Credential } from "../../agent/authinfo/credential.ts";
import type { AuthinfoView, Keeper, Rejection } from "../../agent/authinfo/keeper-types.ts";
import type { Identity } from "../../agent/config/config.ts";

export const obtainedWallMs = Date.UTC(2026, 5, 1, 4, 0, 0, 123);

export const identity: Identity = {
  spMchid: "1900000100",
  spAppid: "wxsp",
  subMchid: "1900000109",
  organizationId: "O1",
};

export function makeCredential(changes: Partial<Credential> = {}): Credential {
  return {
    authinfo: "CANARY-AUTHINFO-0123456789",
    generation: 7,
    deviceId: "DEV-1",
    bootId: "boot",
    obtainedBootMs: 1_000,
    obtainedWallMs,
    skewMs: 0,
    lifetimeMs: 3_600_000,
    expirySource: "response",
    refreshAfterMs: 1_800_000,
    ...changes,
  };
}

export function makeView(changes: Partial<AuthinfoView> = {}): AuthinfoView {
  return {
    state: "fresh",
    credential: makeCredential(),
    remainingMs: 3_599_900,
    clockTrusted: true,
    persisted: true,
    ...changes,
  };
}

export const absentView: AuthinfoView = {
  state: "absent",
  remainingMs: 0,
  clockTrusted: true,
  persisted: false,
};

/** A keeper in the test's hand. */
export class HandKeeper implements Keeper {
  now: AuthinfoView = makeView();
  retryIn = 3;
  rejections: Rejection[] = [];
  verdict: "renewing" | "limited" | "outdated" = "renewing";
  refreshing: (signal: AbortSignal) => Promise<AuthinfoView> = () => Promise.resolve(this.now);
  readonly listeners = new Set<(view: AuthinfoView) => void>();

  view(): AuthinfoView {
    return this.now;
  }

  retryAfterS(): number {
    return this.retryIn;
  }

  subscribe(listener: (view: AuthinfoView) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  reject(rejection: Rejection): "renewing" | "limited" | "outdated" {
    this.rejections.push(rejection);
    return this.verdict;
  }

  refresh(signal: AbortSignal): Promise<AuthinfoView> {
    return this.refreshing(signal);
  }

  become(view: AuthinfoView): void {
    this.now = view;
    for (const listener of this.listeners) listener(view);
  }
}

export async function temporaryDirectory(): Promise<{ path: string; remove(): Promise<void> }> {
  const directory = await mkdtemp(path.join(os.tmpdir(), "facepay-api-"));
  return { path: directory, remove: () => rm(directory, { recursive: true, force: true }) };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

/** One request over a connection of its own. */
export function ask(
  socketPath: string,
  method: string,
  target: string,
  options: { body?: string | Buffer | object; headers?: Record<string, string>; agent?: http.Agent } = {},
): Promise<Answer> {
  const { body, headers = {}, agent } = options;
  const raw = body === undefined || typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const type = body === undefined ? {} : { "Content-Type": "application/json" };
  return new Promise((resolve, reject) => {
    const req = http.request(
      { socketPath, method, path: target, headers: { ...type, ...headers }, agent: agent ?? false },
      (res) => {
        const chunks: Buffer[] = [];
        res.on("data", (chunk: Buffer) => chunks.push(chunk));
        res.on("error", reject);
        res.on("end", () => {
          try {
            resolve(toAnswer(res.statusCode ?? 0, res.headers, Buffer.concat(chunks).toString()));
          } catch (error) {
            reject(error);
          }
        });
      },
    );
    req.on("error", reject);
    req.end(raw);
  });
}

function toAnswer(status: number, headers: IncomingHttpHeaders, text: string): Answer {
  const isJson = headers["content-type"]?.endsWith("json") === true && text !== "";
  return { status, headers, text, body: isJson ? (JSON.parse(text) as Record<string, unknown>) : {} };
}

/** Sends octets as they are and returns everything that comes back until the server closes. */
export function askRaw(socketPath: string, octets: string | Buffer, deadlineMs = 60_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(socketPath);
    let text = "";
    const deadline = setTimeout(() => {
      socket.destroy();
      reject(new Error(`still open after ${deadlineMs} ms; so far: ${text.slice(0, 500)}`));
    }, deadlineMs);
    socket.setEncoding("utf8");
    socket.on("data", (chunk) => {
      text += chunk;
    });
    // A reset after the answer is a close like any other.
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      clearTimeout(deadline);
      resolve(text);
    });
    socket.write(octets);
  });
}

export const statusOf = (raw: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(raw)?.[1] ?? 0);

/** Waits until the condition holds; fails after a minute. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  patienceMs = 60_000,
): Promise<void> {
  for (let tries = 0; tries < patienceMs / 10; tries++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`never: ${what}`);
}
