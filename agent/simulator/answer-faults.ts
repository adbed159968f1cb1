import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { type Clock, unlessAborted } from "../common/clock.ts";
import type { Answer, SignatureKind } from "./answers.ts";

/** How an answer is wrong. Several may be set at once; what is not set is as it should be. */
export interface AnswerFault {
  /** 400 and above, without a `body`: WeChat Pay's usual words, unsigned. */
  readonly status?: number;
  /** Instead of the answer's own, unsigned unless `signature` says otherwise. */
  readonly body?: string | Uint8Array;
  /** Laid over the answer's own. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of {"authinfo":...}, signed. */
  readonly json?: unknown;
  /** In place of the authinfo, whatever it is; present and undefined: left out. */
  readonly authinfo?: unknown;
  readonly expiresIn?: unknown;
  /** The authinfo of the answer before. */
  readonly sameAuthinfo?: boolean;
  readonly signature?: SignatureKind;
  /** Moves `Wechatpay-Timestamp`, or the `Date` header, alone. */
  readonly timestampOffsetS?: number;
  readonly dateOffsetS?: number;
  /** The last good answer once more, headers and all. */
  readonly replay?: boolean;
  /** Compressed after it was signed. */
  readonly gzip?: boolean;
  readonly delayMs?: number;
  /** Held back until then. */
  readonly until?: Promise<unknown>;
  readonly delivery?: Delivery;
}

/**
 * `hang`: nothing comes. `hang-in-body`: half of it comes. `drip`: an octet every 100 ms. `reset`: TCP reset. `close`: the
 * connection ends before the headers. `close-in-body`: it ends before `Content-Length` is reached. `truncated-chunks`: the
 * last chunk never comes. `huge`: 100 MB in place of the body. `bare`: the status line, and the end of the connection.
 */
export type Delivery =
  | "hang"
  | "hang-in-body"
  | "drip"
  | "reset"
  | "close"
  | "close-in-body"
  | "truncated-chunks"
  | "huge"
  | "bare";

const DRIP_MS = 100;
const HUGE_OCTETS = 100 * 1024 * 1024;
const HUGE_CHUNK = Buffer.alloc(64 * 1024, 0x20);

/** Frequent ones by name. */
export const commonFaults = {
  captivePortal: { status: 200, headers: { "Content-Type": "text/html" }, body: "<html>login</html>" },
  redirect: { status: 302, headers: { Location: "https://portal.invalid/login" }, body: "" },
  accepted: { status: 202, body: "", signature: "good" },
  missingAuthinfo: { authinfo: undefined },
  otherCharset: { headers: { "Content-Type": "application/json; charset=gbk" } },
  tooManyRequests: (retryAfterS: number) => ({ status: 429, headers: { "Retry-After": String(retryAfterS) } }),
} as const satisfies Record<string, AnswerFault | ((seconds: number) => AnswerFault)>;

/** What the next answers are to be like. A test changes it while the server runs. */
export class FaultScript {
  /** For every answer that `next` says nothing about. */
  always: AnswerFault | undefined;
  readonly #queued: AnswerFault[] = [];

  /** `fault` for the next `times` answers, after those already queued. */
  next(fault: AnswerFault, times = 1): void {
    for (let i = 0; i < times; i++) this.#queued.push(fault);
  }

  clear(): void {
    this.always = undefined;
    this.#queued.length = 0;
  }

  take(): AnswerFault {
    return this.#queued.shift() ?? this.always ?? {};
  }
}

/** Sends an answer the way the fault wants it. `signal` ends when the peer has gone or the server stops. */
export async function deliver(
  answer: Answer,
  fault: AnswerFault,
  to: { readonly response: ServerResponse; readonly tcp: Socket | undefined },
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const { response, tcp } = to;
  if (fault.delayMs !== undefined) await clock.sleep(fault.delayMs, signal);
  if (fault.until !== undefined) await unlessAborted(fault.until, signal);
  const body = fault.gzip ? gzipSync(answer.body) : answer.body;
  const half = body.subarray(0, body.length >> 1);
  const headers = { ...answer.headers, ...(fault.gzip ? { "Content-Encoding": "gzip" } : {}) };
  const sized = { ...headers, "Content-Length": String(body.length) };
  // Date is ours to set, so that a test may move it.
  response.sendDate = false;
  switch (fault.delivery) {
    case undefined:
      response.writeHead(answer.status, answer.status === 204 ? headers : sized).end(body);
      return;
    case "hang":
      return;
    case "hang-in-body":
      response.writeHead(answer.status, sized).write(half);
      return;
    case "drip":
      response.writeHead(answer.status, sized);
      for (let at = 0; at < body.length; at++) {
        response.write(body.subarray(at, at + 1));
        await clock.sleep(DRIP_MS, signal);
      }
      response.end();
      return;
    case "reset":
      // The TLS socket cannot reset, only the TCP socket beneath it.
      tcp?.resetAndDestroy();
      return;
    case "close":
      tcp?.destroy();
      return;
    case "close-in-body":
      response.writeHead(answer.status, sized);
      response.write(half, () => tcp?.destroy());
      return;
    case "truncated-chunks":
      response.writeHead(answer.status, { ...headers, "Transfer-Encoding": "chunked" });
      response.write(half, () => tcp?.destroy());
      return;
    case "bare":
      response.socket?.end(`HTTP/1.1 ${answer.status} \r\n\r\n`);
      return;
    case "huge":
      response.writeHead(answer.status, headers);
      for (let sent = 0; sent < HUGE_OCTETS && !signal.aborted; sent += HUGE_CHUNK.length) {
        if (!response.write(HUGE_CHUNK)) await drained(response, signal);
      }
      response.end();
      return;
  }
}

function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    response.once("drain", done);
    signal.addEventListener("abort", done, { once: true });
    if (signal.aborted) done();
  });
}
