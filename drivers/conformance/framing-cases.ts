import { fcs32, frame, LONGEST_PAYLOAD } from "../simulator/wire.ts";
import { type CheckCase, type CheckContext, HELLO, hello } from "./check-case.ts";
import { decode, parse } from "./check-line.ts";
import { heardBesides } from "./heard-besides.ts";
import { demand, RuleBroken, type Words } from "./verdict.ts";

const FLAG = 0x7e;
const ESCAPE = 0x7d;
/** The one octet that cannot be escaped: its escape would be 7D 7E, the abort. */
const FLAG_FLIPPED = 0x5e;
const MOST_LOOKS = 1000;
const NOISE_OCTETS = 2000;
const ENDLESS_OCTETS = 20_000;

/** What comes in must not be answered, and the call after it must. `id` belongs to the call that is not to be heard. */
async function unheard(context: CheckContext, id: number, octets: Uint8Array, en: string, zh: string): Promise<void> {
  const others = await heardBesides(context, octets);
  demand(!others.some((text) => parse(text)?.id === id), zh, en);
  demand(others.length === 0, "收到了多余的应答", "something else was answered too");
}

/** Calls hello until an answer holds each of these octets before it was escaped, which the check sequence sees to. */
async function untilSeen(
  context: CheckContext,
  octets: readonly number[],
  mark: (controls: number) => void,
): Promise<Words> {
  const { line, clock, limits } = context;
  const missing = new Set(octets);
  for (let looks = 1; looks <= MOST_LOOKS; looks++) {
    const { id, payload } = line.request("hello", HELLO);
    const startedAt = clock.boot();
    line.send(frame(payload));
    const received = await line.next(startedAt + limits.helloMs);
    if (received?.kind !== "payload") {
      const what = received?.kind ?? (line.lost ? "line closed" : "nothing");
      throw new RuleBroken(`第 ${looks} 次应答损坏（${what}）`, `answer ${looks} was damaged (${what})`);
    }
    if (parse(decode(received.payload))?.id !== id) throw new RuleBroken("应答的 id 不符", "an answer with another id");
    mark(received.control);
    const check = Buffer.alloc(4);
    check.writeUInt32LE(fcs32(received.payload));
    for (const octet of [...received.payload, ...check]) missing.delete(octet);
    if (missing.size === 0) return answers(looks);
  }
  return answers(MOST_LOOKS);
}

const answers = (count: number): Words => ({ zh: `${count} 个应答`, en: `${count} answers` });

const unterminated = (payload: string) => frame(payload).subarray(0, -1);

const escapeAll = (payload: string): Buffer => {
  const check = Buffer.alloc(4);
  check.writeUInt32LE(fcs32(Buffer.from(payload)));
  const octets = [...Buffer.from(payload), ...check];
  return Buffer.from([FLAG, ...octets.flatMap((o) => (o === FLAG_FLIPPED ? [o] : [ESCAPE, o ^ 0x20])), FLAG]);
};

const padded = (length: number) => (id: number, method: string, params: object) =>
  JSON.stringify({ jsonrpc: "2.0", id, method, params }).padEnd(length);

export const framingCases: readonly CheckCase[] = [
  {
    id: "F01",
    rule: "RFC 1662 section 4 octet-stuffed framing, without address, control or protocol fields. Flag 7E",
    title: { zh: "帧有应答，应答也是一帧", en: "a frame is answered by a frame" },
    async run({ line, limits }) {
      await line.frameAfter("hello", HELLO, limits.helloMs);
      return undefined;
    },
  },
  {
    id: "F02",
    rule: "The last four octets are FCS-32 (RFC 1662 C.3) over the unescaped payload, least significant octet first",
    title: {
      zh: "应答的 FCS-32 正确，低位字节在前",
      en: "answers carry a right FCS-32, least significant octet first",
    },
    async run(context) {
      await hello(context);
      return undefined;
    },
  },
  {
    id: "F03",
    rule: "A sender escapes 7E, 7D",
    title: { zh: "应答转义 7E 和 7D", en: "answers escape 7E and 7D" },
    run: async (context) => await untilSeen(context, [FLAG, ESCAPE], () => {}),
  },
  {
    id: "F04",
    rule: "A sender escapes 11, 13",
    title: { zh: "应答转义 11 和 13（XON/XOFF）", en: "answers escape 11 and 13 (XON, XOFF)" },
    run: async (context) =>
      await untilSeen(context, [0x11, 0x13], (controls) => {
        demand(controls === 0, "应答中有未转义的 11 或 13", "an answer held 11 or 13 without an escape");
      }),
  },
  {
    id: "F05",
    rule: "a receiver accepts any escaped octet",
    title: { zh: "接受任何被转义的字节", en: "takes a call with every octet escaped" },
    async run({ line, limits }) {
      await line.ask("hello", HELLO, { wrap: escapeAll, timeoutMs: limits.helloMs });
      return undefined;
    },
  },
  {
    id: "F06",
    rule: "Two frames may share one flag",
    title: {
      zh: "前一帧的结束标志可作后一帧的开始",
      en: "takes the closing flag of one frame as the opening one of the next",
    },
    async run({ line, limits }) {
      await line.ask("hello", HELLO, { timeoutMs: limits.helloMs });
      await line.ask("hello", HELLO, { wrap: (payload) => frame(payload).subarray(1), timeoutMs: limits.helloMs });
      return undefined;
    },
  },
  {
    id: "F07",
    rule: "empty frames are ignored",
    title: { zh: "忽略空帧", en: "ignores empty frames" },
    async run(context) {
      await unheard(context, -1, Buffer.alloc(6, FLAG), "an empty frame was answered", "空帧得到了应答");
      return undefined;
    },
  },
  {
    id: "F08",
    rule: "7D 7E aborts a frame",
    title: { zh: "7D 7E 中止一帧", en: "drops a frame that ends in 7D 7E" },
    async run(context) {
      const { id, payload } = context.line.request("hello", HELLO);
      const octets = Buffer.concat([unterminated(payload), Buffer.of(ESCAPE, FLAG)]);
      await unheard(context, id, octets, "an aborted frame was answered", "被中止的帧得到了应答");
      return undefined;
    },
  },
  {
    id: "F09",
    rule: "The last four octets are FCS-32",
    title: { zh: "丢弃 FCS 错误的帧", en: "drops a frame with a wrong check sequence" },
    async run(context) {
      const { id, payload } = context.line.request("hello", HELLO);
      const octets = frame(payload, { damage: true });
      await unheard(context, id, octets, "a damaged frame was answered", "损坏的帧得到了应答");
      return undefined;
    },
  },
  {
    id: "F10",
    rule: "A payload is 1 to 8192 octets",
    title: { zh: "接受 8192 字节的帧", en: "takes a payload of 8192 octets" },
    async run({ line, limits }) {
      await line.ask("hello", HELLO, { write: padded(LONGEST_PAYLOAD), timeoutMs: limits.callMs });
      return undefined;
    },
  },
  {
    id: "F11",
    rule: "a longer frame is dropped to the next flag",
    title: { zh: "丢弃 8193 字节的帧", en: "drops a payload of 8193 octets" },
    async run(context) {
      const { id, payload } = context.line.request("hello", HELLO, { write: padded(LONGEST_PAYLOAD + 1) });
      await unheard(context, id, frame(payload), "a frame that is too long was answered", "过长的帧得到了应答");
      return undefined;
    },
  },
  {
    id: "F12",
    rule: "a longer frame is dropped to the next flag",
    title: { zh: "无标志的 20000 字节之后恢复", en: "is in step again after 20000 octets without a flag" },
    async run(context) {
      await unheard(context, -1, Buffer.alloc(ENDLESS_OCTETS, 0x55), "noise was answered", "噪声得到了应答");
      return undefined;
    },
  },
  {
    id: "F13",
    rule: "Frame: RFC 1662 section 4",
    title: { zh: "随机噪声之后恢复", en: "is in step again after random noise" },
    async run(context) {
      const noise = context.random.bytes(NOISE_OCTETS);
      await unheard(context, -1, noise, "noise was answered", "噪声得到了应答");
      return undefined;
    },
  },
  {
    id: "F14",
    rule: "A payload is 1 to 8192 octets",
    title: { zh: "丢弃不足五字节的帧", en: "drops frames of less than five octets" },
    async run(context) {
      // The second one is the check sequence of no payload at all, and right.
      const octets = Buffer.from([FLAG, 1, 2, 3, FLAG, 0, 0, 0, 0, FLAG]);
      await unheard(context, -1, octets, "a frame without payload was answered", "没有内容的帧得到了应答");
      return undefined;
    },
  },
  {
    id: "F15",
    rule: "serial line or unix stream socket",
    title: { zh: "帧可以逐字节到达", en: "takes a frame that comes octet by octet" },
    async run({ line, clock, limits }) {
      const { id, payload } = line.request("hello", HELLO);
      for (const octet of frame(payload)) {
        line.send(Buffer.of(octet));
        await clock.sleep(1);
      }
      await line.answerTo(id, clock.boot(), limits.helloMs);
      return undefined;
    },
  },
  {
    id: "F16",
    rule: "A payload is 1 to 8192 octets",
    title: { zh: "应答不超过 8192 字节", en: "answers have at most 8192 octets" },
    async run({ line, clock, limits }) {
      const { id, payload } = line.request("hello", HELLO);
      line.send(frame(payload));
      const startedAt = clock.boot();
      const received = await line.next(startedAt + limits.helloMs);
      demand(received?.kind !== "oversize", "应答过长", "an answer was too long");
      demand(received?.kind === "payload", "没有完好的应答", "no good answer came");
      demand(parse(decode(received.payload))?.id === id, "应答的 id 不符", "an answer with another id");
      const { length } = received.payload;
      return { zh: `${length} 字节`, en: `${length} octets` };
    },
  },
];
