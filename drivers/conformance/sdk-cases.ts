import {
  asFacts,
  type CheckCase,
  type CheckContext,
  call,
  hello,
  initialise,
  rawData,
  simulatedSdk,
} from "./check-case.ts";
import { demand } from "./verdict.ts";

/** More than a double can hold: 2^53 + 1. */
const LARGE_NUMBER = "9007199254740993";
const RELEASE_CALLS = 50;
/** The frame's envelope needs some of the 8192 octets. */
const TOO_LARGE = 9000;

function checkRawData(rawdata: unknown): asserts rawdata is string {
  demand(typeof rawdata === "string" && rawdata !== "", "没有 rawdata", "there is no rawdata");
  demand(
    !rawdata.includes(" "),
    "rawdata 含空格（+ 被当作表单编码）",
    "the rawdata holds a space: a + was taken for one",
  );
  const base64 = rawdata.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(rawdata);
  demand(base64, "rawdata 不是 base64", "the rawdata is not base64");
}

async function goodRawData(context: CheckContext): Promise<{ rawdata: string; ms: number }> {
  const { facts, answer } = await rawData(context);
  const said = `${String(facts.return_code)} ${String(facts.return_msg ?? "")}`;
  demand(facts.return_code === "SUCCESS", `getWxpayfaceRawdata 失败：${said}`, `getWxpayfaceRawdata failed: ${said}`);
  checkRawData(facts.rawdata);
  return { rawdata: facts.rawdata, ms: answer.ms };
}

/** A call that the simulated SDK lets go wrong must be answered with an error of JSON-RPC. */
async function wrong(context: CheckContext, simulate: string): Promise<Readonly<Record<string, unknown>>> {
  const { line, limits, clock } = context;
  const params = { cmd: "getSdkInfo", version: "1", now: Math.floor(clock.wall() / 1000), simulate };
  const { message } = await line.ask("call", params, { timeoutMs: limits.callMs });
  const error = asFacts(message.error);
  const good = Number.isInteger(error?.code) && typeof error?.message === "string";
  demand(good, "应答不是 JSON-RPC 错误", "the answer is no JSON-RPC error");
  return error ?? {};
}

export const sdkCases: readonly CheckCase[] = [
  {
    id: "S01",
    rule: "params are one request of the vendor SDK's wxpayCallFaceService, the result is its answer",
    title: { zh: "initWxpayface 的结果就是 SDK 的应答", en: "the result of initWxpayface is the SDK's answer" },
    async run(context) {
      await initialise(context);
      return undefined;
    },
  },
  {
    id: "S02",
    rule: "A rawdata that is empty, holds a space or is not base64 is refused",
    title: {
      zh: "getWxpayfaceRawdata 返回可用的 rawdata",
      en: "getWxpayfaceRawdata brings a rawdata that can be used",
    },
    async run(context) {
      const { rawdata, ms } = await goodRawData(context);
      const [characters, took] = [rawdata.length, ms.toFixed(0)];
      return { zh: `${characters} 个字符，${took} ms`, en: `${characters} characters, ${took} ms` };
    },
  },
  {
    id: "S03",
    rule: "A rawdata serves one attempt; the next attempt asks anew",
    title: { zh: "每次的 rawdata 都是新的", en: "each rawdata is a fresh one" },
    async run(context) {
      const first = await goodRawData(context);
      await context.clock.sleep(context.limits.rawDataGapMs);
      const second = await goodRawData(context);
      demand(first.rawdata !== second.rawdata, "两次得到同一个 rawdata", "the same rawdata came twice");
      return undefined;
    },
  },
  {
    id: "S04",
    rule: "failures carry another return_code; a native call that returns non-zero is JSON-RPC error -32000 with data.status",
    title: { zh: "SDK 的拒绝作为结果传回", en: "what the SDK refuses comes back as its own answer" },
    async run({ line, limits }) {
      const { message } = await line.ask("call", { cmd: "", version: "1", now: 1 }, { timeoutMs: limits.callMs });
      const error = asFacts(message.error);
      const native = error?.code === -32000 && Number.isInteger(asFacts(error.data)?.status);
      const good = typeof asFacts(message.result)?.return_code === "string" || native;
      const said = JSON.stringify(message.error ?? message.result);
      demand(good, `应答为 ${said}`, `the answer was ${said}`);
      return undefined;
    },
  },
  {
    id: "S05",
    rule: "both unchanged (the SDK counts octets, not characters)",
    title: { zh: "含中文的请求完整到达 SDK", en: "a request with Chinese in it reaches the SDK whole" },
    async run(context) {
      await initialise(context, { remark: "微信刷脸支付设备检测".repeat(5) });
      return undefined;
    },
  },
  {
    id: "S06",
    rule: "init once per bridge session",
    title: { zh: "重新打开线路后 SDK 仍已初始化", en: "the SDK stays initialised when the line is opened anew" },
    async run(context) {
      await goodRawData(context);
      await context.line.reopen();
      await hello(context);
      const { facts } = await call(context, { cmd: "getWxpayfaceRawdata" });
      demand(
        facts.return_code === "SUCCESS",
        "需要再次初始化，而 session 未变",
        "it needs another init in the same session",
      );
      return undefined;
    },
  },
  {
    id: "S07",
    rule: "A native call that returns non-zero is JSON-RPC error -32000 with data.status",
    title: {
      zh: "底层返回非零：错误 -32000 与 data.status",
      en: "a native call that returns 7 is error -32000 with status 7",
    },
    async run(context) {
      await simulatedSdk(context);
      const error = await wrong(context, "status 7");
      const good = error.code === -32000 && asFacts(error.data)?.status === 7;
      demand(good, `应答为 ${JSON.stringify(error)}`, `the answer was ${JSON.stringify(error)}`);
      return undefined;
    },
  },
  {
    id: "S08",
    rule: "the result is its answer, both unchanged",
    title: { zh: "请求与应答原样传递", en: "request and answer pass unchanged" },
    async run(context) {
      const { line } = context;
      await simulatedSdk(context);
      const inner = `{"cmd":"simulatedEcho","version":"1","now":1,"large":${LARGE_NUMBER},"text":"微信 \\u4fe1 ~}\\u0011","deep":[[{"a":null}]]}`;
      const write = (id: number) => `{"jsonrpc":"2.0","id":${id},"method":"call","params":${inner}}`;
      const { text, message } = await line.ask("call", {}, { write });
      const echoed = asFacts(asFacts(message.result)?.request);
      const same = JSON.stringify(echoed) === JSON.stringify(JSON.parse(inner));
      demand(same, "请求或应答被改动", "the request or the answer was changed");
      demand(text.includes(LARGE_NUMBER), `${LARGE_NUMBER} 被舍入`, `the number ${LARGE_NUMBER} was rounded`);
      return undefined;
    },
  },
  {
    id: "S09",
    rule: "A payload is 1 to 8192 octets; every call is answered",
    title: { zh: "SDK 应答过长时返回错误", en: "an answer of the SDK that fits no frame is an error" },
    async run(context) {
      await simulatedSdk(context);
      await wrong(context, `huge ${TOO_LARGE}`);
      await hello(context);
      return undefined;
    },
  },
  {
    id: "S10",
    rule: "one JSON-RPC 2.0 object, UTF-8",
    title: { zh: "SDK 应答不是 JSON 时返回错误", en: "an answer of the SDK that is no JSON is an error" },
    async run(context) {
      await simulatedSdk(context);
      for (const what of ["text", "garbage", "empty"]) await wrong(context, what);
      await hello(context);
      return undefined;
    },
  },
  {
    id: "S11",
    rule: "session differs each time the bridge starts; err_code 271378620 means init and try again",
    title: {
      zh: "SDK 崩溃后线路照常，session 改变",
      en: "after a crash of the SDK the line is answered, with a new session",
    },
    async run(context) {
      await simulatedSdk(context);
      const before = (await hello(context)).facts.session;
      await wrong(context, "crash");
      const after = (await hello(context)).facts.session;
      demand(before !== after, "SDK 重新启动而 session 未变", "the SDK is a new one and the session is not");
      await goodRawData(context);
      return undefined;
    },
  },
  {
    id: "S12",
    rule: "the answer may never come, so every call has a deadline",
    title: {
      zh: "SDK 无应答后线路照常，session 改变",
      en: "after a call that never returns the line is answered, with a new session",
    },
    async run(context) {
      await simulatedSdk(context);
      const before = (await hello(context)).facts.session;
      await wrong(context, "hang");
      const after = (await hello(context)).facts.session;
      demand(before !== after, "SDK 重新启动而 session 未变", "the SDK is a new one and the session is not");
      await goodRawData(context);
      return undefined;
    },
  },
  {
    id: "S13",
    rule: "wxpayReleaseResponse after every success (the SDK's own rule)",
    title: { zh: "每次成功后释放应答", en: "the SDK's answers are released" },
    async run(context) {
      const { outstanding: before } = await simulatedSdk(context);
      for (let i = 0; i < RELEASE_CALLS; i++) await call(context, { cmd: "simulatedSdk" });
      const { outstanding: after } = await simulatedSdk(context);
      const kept = after - before;
      demand(
        kept === 0,
        `${RELEASE_CALLS} 次调用后有 ${kept} 个应答未释放`,
        `${kept} answers of ${RELEASE_CALLS} calls were not released`,
      );
      return undefined;
    },
  },
];
