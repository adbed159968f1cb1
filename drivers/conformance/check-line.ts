import type { Clock } from "../../agent/common/clock.ts";
import type { OpenedStream, OpenStream } from "../line/open-stream.ts";
import { Deframer, frame, type Received } from "../simulator/wire.ts";
import { RuleBroken, type Words } from "./verdict.ts";

/** One answer, and how it was written. */
export interface Answer {
  readonly text: string;
  readonly message: Readonly<Record<string, unknown>>;
  readonly ms: number;
  /** What stood between the flags, unescaped: payload and check sequence. */
  readonly octets: Buffer;
}

export interface AskOptions {
  readonly timeoutMs?: number;
  /** Instead of the next id. */
  readonly id?: number;
  /** Instead of a plain frame around the payload. */
  readonly wrap?: (payload: string) => Uint8Array;
  /** Instead of the usual way to write the request. */
  readonly write?: (id: number, method: string, params: object) => string;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The caller's end of a line, as octets and as calls. Its frames are not the agent's code: what is checked here is built with that,
 * and would agree with its mistakes.
 */
export class CheckLine {
  /** Unless told, an answer may take so long (specification 2, call_timeout_ms). */
  readonly patienceMs: number;
  readonly #open: OpenStream;
  readonly #clock: Clock;
  #opened: OpenedStream | undefined;
  #received: Received[] = [];
  #wake: () => void = () => {};
  #lost = false;
  #nextId: number;

  constructor(open: OpenStream, clock: Clock, options: { readonly firstId: number; readonly patienceMs: number }) {
    this.#open = open;
    this.#clock = clock;
    this.#nextId = options.firstId;
    this.patienceMs = options.patienceMs;
  }

  get lost(): boolean {
    return this.#lost;
  }

  /** Opens the line, anew if need be; what came before is forgotten. Rejects with the AgentError of the opening. */
  async open(): Promise<void> {
    await this.close();
    const opened = await this.#open(AbortSignal.timeout(this.patienceMs));
    this.#opened = opened;
    this.#lost = false;
    this.#received = [];
    const deframer = new Deframer();
    const { stream } = opened;
    stream.on("data", (chunk: Buffer) => {
      if (this.#opened !== opened) return;
      this.#received.push(...deframer.push(chunk));
      this.#wake();
    });
    const end = () => {
      if (this.#opened !== opened) return;
      this.#lost = true;
      this.#wake();
    };
    for (const event of ["end", "close", "error"]) stream.on(event, end);
  }

  /** The same in the middle of a case, where a line that does not open is the bridge's fault. */
  async reopen(): Promise<void> {
    await this.open().catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new RuleBroken(`无法重新打开线路：${why}`, `the line does not open again: ${why}`);
    });
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await opened?.close();
  }

  send(octets: Uint8Array): void {
    this.#opened?.stream.write(octets);
  }

  /** The next thing that comes in, undefined when nothing does until then or the line has gone. */
  async next(untilBoot: number): Promise<Received | undefined> {
    while (this.#received.length === 0 && !this.#lost) {
      const left = untilBoot - this.#clock.boot();
      if (left <= 0) return undefined;
      const woken = Promise.withResolvers<void>();
      this.#wake = woken.resolve;
      const timer = new AbortController();
      await Promise.race([woken.promise, this.#clock.sleep(left, timer.signal).catch(() => undefined)]);
      timer.abort();
    }
    return this.#received.shift();
  }

  /** All that comes in within `ms`. */
  async listen(ms: number): Promise<Received[]> {
    const until = this.#clock.boot() + ms;
    const heard: Received[] = [];
    for (let one = await this.next(until); one; one = await this.next(until)) heard.push(one);
    return heard;
  }

  /** The payload of a call and its id, not sent. */
  request(method: string, params: object, { id = ++this.#nextId, write = plainRequest }: AskOptions = {}) {
    return { id, payload: write(id, method, params) };
  }

  /** One call and the answer with its id. Throws RuleBroken when there is none, with what came instead. */
  async ask(method: string, params: object, options: AskOptions = {}): Promise<Answer> {
    const { timeoutMs = this.patienceMs, wrap = frame } = options;
    const { id, payload } = this.request(method, params, options);
    const startedAt = this.#clock.boot();
    this.send(wrap(payload));
    return await this.answerTo(id, startedAt, timeoutMs);
  }

  async answerTo(id: number, startedAt: number, timeoutMs = this.patienceMs): Promise<Answer> {
    return await this.#await(startedAt, timeoutMs, (octets) => {
      const text = decode(octets);
      const message = parse(text);
      const ms = this.#clock.boot() - startedAt;
      return message?.id === id ? { text, message, ms, octets } : insteadOf(octets, message);
    });
  }

  /** One call, and any good frame after it, whatever is in it. Throws RuleBroken when none comes. */
  async frameAfter(method: string, params: object, timeoutMs: number): Promise<void> {
    this.send(frame(this.request(method, params).payload));
    const headed = (octets: Buffer) => (isHeaded(octets) ? others.headed : { octets });
    await this.#await(this.#clock.boot(), timeoutMs, headed);
  }

  /** @param judge what is looked for, or in words what has come instead */
  async #await<T extends { octets: Buffer }>(
    startedAt: number,
    timeoutMs: number,
    judge: (payload: Buffer) => T | Words,
  ): Promise<T> {
    const instead = new Set<Words>();
    for (;;) {
      const received = await this.next(startedAt + timeoutMs);
      if (received === undefined) break;
      const found = received.kind === "payload" ? judge(received.payload) : others[received.kind];
      if ("octets" in found) return found;
      instead.add(found);
    }
    const list = (language: "zh" | "en") => [...instead].map((words) => words[language]).join(", ");
    const zh = instead.size > 0 ? `，却收到：${list("zh")}` : "";
    const en = instead.size > 0 ? `; instead came ${list("en")}` : "";
    if (this.#lost) throw new RuleBroken(`刷脸模组关闭了线路${zh}`, `the bridge closed the line${en}`);
    throw new RuleBroken(`${timeoutMs} ms 内没有应答${zh}`, `no answer within ${timeoutMs} ms${en}`);
  }
}

/** What may come instead of an answer. */
const others = {
  aborted: { zh: "被中止的帧", en: "an aborted frame" },
  short: { zh: "不足五字节的帧", en: "a frame of less than five octets" },
  fcs: { zh: "FCS 错误的帧", en: "a frame with a wrong check sequence" },
  oversize: { zh: "超过 8192 字节的帧", en: "a frame of more than 8192 octets" },
  headed: { zh: "以 FF 03（地址与控制字段）开头的帧", en: "a frame that begins with FF 03, address and control" },
  id: { zh: "其他 id 的应答", en: "an answer with another id" },
  idType: { zh: "id 不是数字的应答", en: "an answer whose id is no number" },
  nul: { zh: "JSON 之后多了 NUL 字节（00）的应答", en: "an answer with a NUL octet after its JSON" },
  bom: { zh: "以 BOM 开头的应答", en: "an answer that begins with a byte order mark" },
  json: { zh: "不是 JSON 对象的内容", en: "a payload that is no JSON object" },
} as const satisfies Record<string, Words>;

/** RFC 1662 3.1, which the protocol leaves out. */
function isHeaded(payload: Buffer): boolean {
  return payload[0] === 0xff && payload[1] === 0x03;
}

function insteadOf(payload: Buffer, message: Readonly<Record<string, unknown>> | undefined): Words {
  if (isHeaded(payload)) return others.headed;
  if (message !== undefined) return typeof message.id === "number" ? others.id : others.idType;
  if (decode(payload).codePointAt(0) === 0xfeff) return others.bom;
  return payload.at(-1) === 0 ? others.nul : others.json;
}

function plainRequest(id: number, method: string, params: object): string {
  return JSON.stringify({ jsonrpc: "2.0", id, method, params });
}

/** What came in as an object, undefined for anything else. */
export function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** "" for what is not UTF-8, which then is no JSON either. */
export function decode(payload: Uint8Array): string {
  try {
    return utf8.decode(payload);
  } catch {
    return "";
  }
}
