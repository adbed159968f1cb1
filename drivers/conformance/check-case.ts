import type { Clock } from "../../agent/common/clock.ts";
import type { Random } from "../../agent/common/random.ts";
import type { Answer, CheckLine } from "./check-line.ts";
import { demand, NotTried, type Words } from "./verdict.ts";

export interface CheckLimits {
  /** An answer to hello may take so long: from then on diagnose calls the bridge unresponsive (ser.handshake). */
  readonly helloMs: number;
  /** Specification 2: call_timeout_ms, init_timeout_ms. */
  readonly callMs: number;
  readonly initMs: number;
  /** So long nothing may come where nothing should. */
  readonly quietMs: number;
  /** Between two rawdata that must differ: the SDK's own clock may count in seconds. */
  readonly rawDataGapMs: number;
  /** Length of the silence after which the bridge still answers. */
  readonly silenceMs: number;
  /** Calls of the endurance case. */
  readonly calls: number;
}

/** What a case has to work with. */
export interface CheckContext {
  readonly line: CheckLine;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: CheckLimits;
  /** Starts the bridge anew, where the user has said how. */
  readonly restart?: () => Promise<void>;
}

/** One rule of specification 3 as a test. It throws RuleBroken or NotTried, or returns what was measured. */
export interface CheckCase {
  /** Permanent: a letter for the part of the specification, a number, never used again. */
  readonly id: string;
  /** The sentence of specification 3 it stands for. */
  readonly rule: string;
  readonly title: Words;
  run(context: CheckContext): Promise<Words | string | undefined>;
}

type Facts = Readonly<Record<string, unknown>>;

export const HELLO = { protocol: "1.0", agent: "facepay-bridge-check/1.0" };

export async function hello({ line, limits }: CheckContext): Promise<{ facts: Facts; answer: Answer }> {
  const answer = await line.ask("hello", HELLO, { timeoutMs: limits.helloMs });
  const facts = asFacts(answer.message.result);
  demand(facts !== undefined, "hello 的应答没有 result 对象", "the answer to hello has no result object");
  return { facts, answer };
}

/** The two calls of `getWxpayfaceRawdata`, the SDK initialised where it is not. */
export async function rawData(context: CheckContext): Promise<{ facts: Facts; answer: Answer }> {
  await hello(context);
  const reading = await call(context, { cmd: "getWxpayfaceRawdata" });
  if (reading.facts.err_code !== NOT_INITIALISED) return reading;
  await initialise(context);
  await hello(context);
  return await call(context, { cmd: "getWxpayfaceRawdata" });
}

const NOT_INITIALISED = 271378620;
const INITIALISING = 271378621;
const INITIALISING_WAIT_MS = 500;

/** One request to the SDK, with version and now unless it has its own; its answer must be a result. */
export async function call(context: CheckContext, request: Facts): Promise<{ facts: Facts; answer: Answer }> {
  const { line, clock, limits } = context;
  const params = { version: "1", now: Math.floor(clock.wall() / 1000), ...request };
  const timeoutMs = request.cmd === "initWxpayface" ? limits.initMs : limits.callMs;
  const answer = await line.ask("call", params, { timeoutMs });
  const facts = asFacts(answer.message.result);
  const instead = JSON.stringify(answer.message.error ?? answer.message.result)?.slice(0, 200);
  demand(
    typeof facts?.return_code === "string",
    `${String(request.cmd)} 的应答不是带 return_code 的对象：${instead}`,
    `the answer to ${String(request.cmd)} is no object with a return_code: ${instead}`,
  );
  return { facts, answer };
}

/** initWxpayface by the SDK's rules: 271378621 means wait 500 ms and ask again. */
export async function initialise(context: CheckContext, more: Facts = {}): Promise<Facts> {
  const { clock, limits } = context;
  const until = clock.boot() + limits.initMs;
  for (;;) {
    const { facts } = await call(context, { ...more, cmd: "initWxpayface" });
    if (facts.err_code === INITIALISING && clock.boot() < until) {
      await clock.sleep(INITIALISING_WAIT_MS);
      continue;
    }
    const said = `${String(facts.return_code)} ${String(facts.return_msg ?? "")}`;
    demand(facts.return_code === "SUCCESS", `初始化失败：${said}`, `initWxpayface failed: ${said}`);
    return facts;
  }
}

/** Skips a case that needs the simulated SDK's own commands (drivers/simulator/simulated-sdk.c). Returns its counters. */
export async function simulatedSdk(context: CheckContext): Promise<{ outstanding: number }> {
  const answer = await context.line.ask("call", { cmd: "simulatedSdk", version: "1", now: 1 });
  const counters = asFacts(answer.message.result);
  if (typeof counters?.outstanding !== "number") {
    throw new NotTried(
      "需要模拟 SDK（simulated-sdk.c）",
      "needs the simulated SDK (simulated-sdk.c) behind the bridge",
    );
  }
  return { outstanding: counters.outstanding };
}

export function asFacts(value: unknown): Facts | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Facts) : undefined;
}
