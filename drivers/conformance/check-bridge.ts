import type { Clock } from "../../agent/common/clock.ts";
import type { Random } from "../../agent/common/random.ts";
import type { OpenStream } from "../line/open-stream.ts";
import { type CheckCase, type CheckContext, type CheckLimits, hello } from "./check-case.ts";
import { CheckLine } from "./check-line.ts";
import { enduranceCases } from "./endurance-cases.ts";
import { framingCases } from "./framing-cases.ts";
import { helloCases } from "./hello-cases.ts";
import { rpcCases } from "./rpc-cases.ts";
import { sdkCases } from "./sdk-cases.ts";
import { NotTried, RuleBroken, type Words } from "./verdict.ts";

const [framed, ...framing] = framingCases;
const [answered, ...rpc] = rpcCases;

/** Without a frame, and an answer in it, to a plain call nothing else can be tried: what is wrong would be said of every case. */
const FIRST = [framed, answered].filter((one) => one !== undefined);

export const checkCases: readonly CheckCase[] = [
  ...FIRST,
  ...framing,
  ...rpc,
  ...helloCases,
  ...sdkCases,
  ...enduranceCases,
];

export interface CaseResult {
  readonly id: string;
  readonly rule: string;
  readonly title: Words;
  readonly status: "pass" | "fail" | "skip";
  /** What was measured, or what is wrong, or why it was not tried. */
  readonly detail: Words;
  readonly ms: number;
}

export interface CheckOptions {
  readonly open: OpenStream;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: CheckLimits;
  readonly cases?: readonly CheckCase[];
  readonly restart?: () => Promise<void>;
  /** Called as soon as a case has ended. */
  readonly onResult?: (result: CaseResult) => void;
}

export interface CheckReport {
  /** What the bridge says of itself, where it says it. */
  readonly bridge: Readonly<Record<string, unknown>>;
  readonly results: readonly CaseResult[];
}

/** Checks one bridge, case by case. Rejects only when the line does not open, with the AgentError that says why. */
export async function checkBridge(options: CheckOptions): Promise<CheckReport> {
  const { open, clock, random, limits, cases = checkCases, restart, onResult } = options;
  // Below 2^31, so that the cases about large ids are the only ones to have any.
  const firstId = random.bytes(4).readUInt32BE() >>> 1;
  const line = new CheckLine(open, clock, { firstId, patienceMs: limits.callMs });
  const context: CheckContext = { line, clock, random, limits, ...(restart && { restart }) };
  await line.open();
  const results: CaseResult[] = [];
  let deaf: CheckCase | undefined;
  try {
    for (const one of cases) {
      const startedAt = clock.boot();
      const outcome: Outcome = deaf ? skippedAfter(deaf) : await tryCase(one, context);
      if (FIRST.includes(one) && outcome.status === "fail") deaf = one;
      const { id, rule, title } = one;
      const result = { id, rule, title, ...outcome, ms: Math.round(clock.boot() - startedAt) };
      results.push(result);
      onResult?.(result);
      // What a broken bridge still sends belongs to no other case.
      if (outcome.status === "fail" && !deaf) await settle(line, limits, clock);
    }
    const { facts: bridge } = deaf ? { facts: {} } : await hello(context).catch(() => ({ facts: {} }));
    return { bridge, results };
  } finally {
    await line.close();
  }
}

type Outcome = Pick<CaseResult, "status" | "detail">;

function skippedAfter({ id }: CheckCase): Outcome {
  return { status: "skip", detail: { zh: `${id} 未通过`, en: `${id} has failed` } };
}

async function tryCase(one: CheckCase, context: CheckContext): Promise<Outcome> {
  try {
    const measured = (await one.run(context)) ?? "";
    return { status: "pass", detail: typeof measured === "string" ? { zh: measured, en: measured } : measured };
  } catch (error) {
    if (error instanceof RuleBroken) return { status: "fail", detail: error.words };
    if (error instanceof NotTried) return { status: "skip", detail: error.words };
    throw error;
  }
}

async function settle(line: CheckLine, limits: CheckLimits, clock: Clock): Promise<void> {
  const until = clock.boot() + limits.helloMs;
  while (clock.boot() < until && (await line.listen(limits.quietMs)).length > 0);
  // A bridge that cannot be reached any more fails the cases that follow by its silence.
  await line.open().catch(() => undefined);
}
