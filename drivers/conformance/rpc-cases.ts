import { frame } from "../simulator/wire.ts";
import { asFacts, type CheckCase, type CheckContext, HELLO, hello } from "./check-case.ts";
import { decode, parse } from "./check-line.ts";
import { heardBesides } from "./heard-besides.ts";
import { demand } from "./verdict.ts";

/** JSON-RPC 2.0 section 5.1. */
const METHOD_NOT_FOUND = -32601;

/** Ids that are more than 31, 32 and 52 bits long, and none at all. */
const IDS = [0, 1, 2_147_483_648, 4_294_967_296, Number.MAX_SAFE_INTEGER];

/** What is no call: it may be refused, but never be answered as one, and the next call must be. */
async function noCall(context: CheckContext, payload: string, mayRefuse: boolean): Promise<void> {
  for (const text of await heardBesides(context, frame(payload))) {
    const refused = mayRefuse && asFacts(parse(text)?.error) !== undefined;
    demand(refused, `它得到了应答：${text.slice(0, 120)}`, `it was answered: ${text.slice(0, 120)}`);
  }
}

export const rpcCases: readonly CheckCase[] = [
  {
    id: "R01",
    rule: "one JSON-RPC 2.0 object",
    title: { zh: "应答是一个 JSON-RPC 2.0 对象", en: "an answer is one JSON-RPC 2.0 object" },
    async run({ line, limits }) {
      const { message } = await line.ask("hello", HELLO, { timeoutMs: limits.helloMs });
      demand(message.jsonrpc === "2.0", 'jsonrpc 不是 "2.0"', 'its jsonrpc is not "2.0"');
      const both = Object.hasOwn(message, "result") === Object.hasOwn(message, "error");
      demand(!both, "result 与 error 应恰有其一", "it must have either result or error");
      demand(!Object.hasOwn(message, "method"), "应答带有 method", "it has a method, as a call has");
      return undefined;
    },
  },
  {
    id: "R02",
    rule: "UTF-8",
    title: { zh: "应答是不带 BOM 的 UTF-8", en: "answers are UTF-8 without a byte order mark" },
    async run({ line, limits, clock }) {
      for (const [method, params] of [
        ["hello", HELLO],
        ["call", { cmd: "", version: "1", now: 1 }],
      ] as const) {
        const startedAt = clock.boot();
        line.send(frame(line.request(method, params).payload));
        const received = await line.next(startedAt + limits.callMs);
        demand(received?.kind === "payload", "没有完好的应答", "no good answer came");
        const text = decode(received.payload);
        demand(text !== "", "应答不是 UTF-8", "an answer is not UTF-8");
        demand(text.codePointAt(0) !== 0xfeff, "应答以 BOM 开头", "an answer begins with a byte order mark");
      }
      return undefined;
    },
  },
  {
    id: "R03",
    rule: "UTF-8",
    title: { zh: "接受含中文的请求", en: "takes a call with Chinese in it" },
    async run({ line, limits }) {
      const params = { ...HELLO, agent: "facepay-bridge-check/检查" };
      const { message } = await line.ask("hello", params, { timeoutMs: limits.helloMs });
      demand(asFacts(message.result) !== undefined, "含中文的 hello 被拒绝", "a hello with Chinese in it was refused");
      return undefined;
    },
  },
  {
    id: "R04",
    rule: "id is an unsigned integer that starts at random and grows",
    title: { zh: "应答原样带回 id，直至 2^53-1", en: "the id comes back as it was, up to 2^53-1" },
    async run({ line, limits }) {
      for (const id of IDS) await line.ask("hello", HELLO, { id, timeoutMs: limits.helloMs });
      return `${IDS.length} id`;
    },
  },
  {
    id: "R05",
    rule: "The agent calls, the bridge answers",
    title: {
      zh: "每个请求恰有一个应答，此外不发送任何内容",
      en: "each call has exactly one answer, and nothing else is sent",
    },
    async run(context) {
      const { line, limits } = context;
      await hello(context);
      const more = await line.listen(limits.quietMs);
      demand(more.length === 0, `应答之后又收到 ${more.length} 帧`, `${more.length} more frames followed the answer`);
      return undefined;
    },
  },
  {
    id: "R06",
    rule: "one JSON-RPC 2.0 object",
    title: { zh: "未知方法得到错误 -32601", en: "an unknown method is error -32601" },
    async run({ line, limits }) {
      const { message } = await line.ask("noSuchMethod", {}, { timeoutMs: limits.helloMs });
      const error = asFacts(message.error);
      demand(
        error?.code === METHOD_NOT_FOUND && typeof error.message === "string",
        `应答为 ${JSON.stringify(message.error ?? message.result)}`,
        `the answer was ${JSON.stringify(message.error ?? message.result)}`,
      );
      return undefined;
    },
  },
  {
    id: "R07",
    rule: "no batches",
    title: { zh: "不应答批量请求", en: "a batch is not answered as one" },
    async run(context) {
      const { payload } = context.line.request("hello", HELLO);
      await noCall(context, `[${payload}]`, true);
      return undefined;
    },
  },
  {
    id: "R08",
    rule: "one JSON-RPC 2.0 object",
    title: { zh: "不是 JSON 的内容不影响线路", en: "a payload that is no JSON does not stop the bridge" },
    async run(context) {
      for (const payload of ["no JSON", "{", "42"]) await noCall(context, payload, true);
      return undefined;
    },
  },
  {
    id: "R09",
    rule: "The agent calls, the bridge answers",
    title: { zh: "不应答他人的应答", en: "an answer is not answered" },
    async run(context) {
      await noCall(context, '{"jsonrpc":"2.0","id":1,"result":{}}', false);
      return undefined;
    },
  },
  {
    id: "R10",
    rule: "one JSON-RPC 2.0 object",
    title: { zh: "接受任何写法的 JSON", en: "takes a call however its JSON is written" },
    async run({ line, limits }) {
      const write = (id: number, _method: string, params: object) =>
        `\n{ "params" : ${JSON.stringify(params)},\t"method":"\\u0068ello" ,"id": ${id},"jsonrpc":"2.0" }\r\n`;
      await line.ask("hello", HELLO, { write, timeoutMs: limits.helloMs });
      return undefined;
    },
  },
];
