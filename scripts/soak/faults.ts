import { randomBytes } from "node:crypto";
import { type AnswerFault, commonFaults } from "../../agent/simulator/answer-faults.ts";
import type { BridgeFaults } from "../../drivers/simulator/bridge-faults.ts";
import { limitFileSize } from "../../test/support/faults/small-disk.ts";
import { noStrace, type Tampering, tamper } from "../../test/support/faults/tampered.ts";
import type { SoakAgent } from "./agent.ts";
import type { Peers, Which } from "./peers.ts";

export interface Stage {
  readonly peers: Peers;
  readonly agent: SoakAgent;
}

/** Something wrong with the world for a while. */
export interface Fault {
  readonly name: string;
  readonly weight: number;
  /** Within so long after its end there has to be a fresh authinfo. */
  readonly promiseMs: number;
  /** What it leaves unharmed: even in its midst every read has to succeed. */
  readonly harmless?: true;
  begin(stage: Stage): Promise<void> | void;
  end(stage: Stage): Promise<void> | void;
}

/**
 * An attempt that is under way when the fault ends may last: bridge 2 s, hello 2 s, raw_data 2 s, two base URLs of 4 s. Then
 * 30 s, the cap of the pauses, an attempt that succeeds, and what a busy machine adds.
 */
const ATTEMPT_MS = 14_000;
const MARGIN_MS = 6_000;
export const PROMISE_MS = ATTEMPT_MS + 30_000 + MARGIN_MS;
/** Specification 4: after a 429 or 5xx expired terminals spread over 60 s. */
const SPREAD_PROMISE_MS = ATTEMPT_MS + 60_000 + MARGIN_MS;

function pay(
  name: string,
  fault: AnswerFault,
  options: { believable?: boolean; only?: Which; promiseMs?: number; weight?: number } = {},
): Fault {
  return {
    name: `WeChat Pay: ${name}`,
    weight: options.weight ?? 1,
    promiseMs: options.promiseMs ?? PROMISE_MS,
    begin: ({ peers }) => peers.misbehave(fault, options),
    end: ({ peers }) => peers.misbehave(undefined),
  };
}

function bridge(name: string, faults: BridgeFaults): Fault {
  return {
    name: `bridge: ${name}`,
    weight: 1,
    promiseMs: PROMISE_MS,
    begin: ({ peers }) => {
      peers.bridge.faults = faults;
    },
    end: ({ peers }) => peers.bridge.behave(),
  };
}

const spread = { promiseMs: SPREAD_PROMISE_MS };
const unbelievable = { believable: false };
/** Longest `Retry-After` sent, with its tenth more. */
const HELD_S = 20;

const answers: readonly Fault[] = [
  pay("hangs", { delivery: "hang" }, { weight: 2 }),
  pay("hangs in the body", { delivery: "hang-in-body" }),
  pay("an octet at a time", { delivery: "drip" }),
  pay("resets", { delivery: "reset" }, { weight: 2 }),
  pay("closes", { delivery: "close" }),
  pay("closes in the body", { delivery: "close-in-body" }),
  pay("truncated chunks", { delivery: "truncated-chunks" }),
  pay("100 MB", { delivery: "huge" }),
  pay("slow", { delayMs: 2_500 }, { weight: 2 }),
  pay("too slow", { delayMs: 5_000 }),
  pay("500", { status: 500 }, spread),
  pay("502", { status: 502 }, spread),
  pay("503", { status: 503 }, { ...spread, weight: 2 }),
  pay("504", { status: 504 }, spread),
  pay("429", { status: 429 }, spread),
  pay("429, Retry-After", commonFaults.tooManyRequests(HELD_S), { promiseMs: SPREAD_PROMISE_MS + HELD_S * 1_100 }),
  pay("404", { status: 404 }),
  pay("captive portal", commonFaults.captivePortal, { weight: 2 }),
  pay("redirect", commonFaults.redirect),
  pay("202", commonFaults.accepted),
  pay("garbage", { body: randomBytes(3_000) }),
  pay("signed garbage", { json: "\u0000garbage" }),
  pay("no authinfo", commonFaults.missingAuthinfo),
  pay("other charset", commonFaults.otherCharset, unbelievable),
  pay("gzip", { gzip: true }, unbelievable),
  pay("expires_in nonsense", { expiresIn: "soon" }, unbelievable),
  pay("bad signature", { signature: "bad" }, unbelievable),
  pay("signature probe", { signature: "probe" }, unbelievable),
  pay("unknown serial", { signature: "unknown-serial" }, unbelievable),
  pay("unsigned", { signature: "none" }, unbelievable),
  pay("signed long ago", { timestampOffsetS: -400 }, unbelievable),
  pay("signed in the future", { timestampOffsetS: 400 }, unbelievable),
  pay("replayed", { replay: true }),
  pay("the same authinfo again", { sameAuthinfo: true, expiresIn: undefined }),
  pay("Date is off", { dateOffsetS: 90 }),
];

const outages: readonly Fault[] = [
  {
    name: "WeChat Pay: down",
    weight: 6,
    promiseMs: PROMISE_MS,
    begin: async ({ peers }) => void (await Promise.all([peers.down("primary"), peers.down("backup")])),
    end: async ({ peers }) => void (await Promise.all([peers.up("primary"), peers.up("backup")])),
  },
  {
    name: "WeChat Pay: primary down",
    weight: 2,
    promiseMs: PROMISE_MS,
    harmless: true,
    begin: ({ peers }) => peers.down("primary"),
    end: ({ peers }) => peers.up("primary"),
  },
  { ...pay("primary 503", { status: 503 }, { only: "primary", weight: 2 }), harmless: true },
  { ...pay("primary hangs", { delivery: "hang" }, { only: "primary", weight: 2 }), harmless: true },
  {
    name: "WeChat Pay: no expires_in",
    weight: 3,
    promiseMs: PROMISE_MS,
    harmless: true,
    begin: ({ peers }) => peers.changeExpiry("assumed"),
    end: ({ peers }) => peers.changeExpiry("response"),
  },
];

const lines: readonly Fault[] = [
  {
    name: "bridge: unplugged",
    weight: 5,
    promiseMs: PROMISE_MS,
    begin: ({ peers }) => peers.unplug(),
    end: ({ peers }) => peers.plug(),
  },
  {
    name: "bridge: plugged anew",
    weight: 2,
    promiseMs: PROMISE_MS,
    begin: async ({ peers }) => {
      peers.unplug();
      await peers.plug();
    },
    end: () => undefined,
  },
  {
    name: "bridge: a new session",
    weight: 3,
    promiseMs: PROMISE_MS,
    begin: ({ peers }) => peers.bridge.restart(),
    end: () => undefined,
  },
  {
    name: "bridge: another network card",
    weight: 3,
    promiseMs: PROMISE_MS,
    begin: ({ peers }) => {
      peers.bridge.netId = `eth0-02:00:00:00:00:${randomBytes(1).toString("hex")}`;
    },
    end: () => undefined,
  },
  {
    name: "bridge: the SDK forgets its init",
    weight: 2,
    promiseMs: PROMISE_MS,
    begin: ({ peers }) => peers.bridge.sdk.initialiseFor(3_000),
    end: () => undefined,
  },
  bridge("silent", { silent: true }),
  bridge("no rawdata comes", { only: "getWxpayfaceRawdata", silent: true }),
  bridge("slow", { delayMs: 1_500 }),
  bridge("too slow", { delayMs: 2_500 }),
  bridge("noise", { noiseBefore: randomBytes(600), noiseAfter: randomBytes(300) }),
  bridge("echo", { echo: true }),
  bridge("wrong id", { wrongId: true }),
  bridge("late answers", { stale: true }),
  bridge("double answers", { duplicate: true }),
  bridge("bad FCS", { badFcs: true }),
  bridge("half frames", { truncated: true }),
  bridge("oversize frames", { oversize: true }),
  bridge("no JSON", { payload: randomBytes(200) }),
  bridge("a nonsense result", { result: [1, 2, 3] }),
  bridge("JSON-RPC error", { rpcError: { code: -32603, message: "internal" } }),
  bridge("native error", { nativeStatus: 7 }),
  bridge("empty rawdata", { rawData: "" }),
  bridge("rawdata with a space", { rawData: "ab cd" }),
];

/** Longer than the agent waits for a write, short enough for an end in order: Node's threads cannot be left behind. */
const HANG_MS = 8_000;

/** A disk takes nothing more, or does not come back: the authinfo has to be there all the same. */
function disksOf(): Fault[] {
  const full: Fault = {
    name: "disk: full",
    weight: 8,
    promiseMs: PROMISE_MS,
    harmless: true,
    begin: ({ agent }) => limitFileSize(agent.pid, 100).catch(ignoreEnded),
    end: ({ agent }) => limitFileSize(agent.pid, "unlimited").catch(ignoreEnded),
  };
  if (noStrace() !== undefined) return [full];
  let tampering: Tampering | undefined;
  const hangs: Fault = {
    name: "disk: hangs",
    weight: 3,
    promiseMs: PROMISE_MS,
    harmless: true,
    begin: async ({ agent }) => {
      tampering = await tamper(agent.pid, `fsync:delay_enter=${HANG_MS * 1_000}`).catch(() => undefined);
    },
    end: async () => {
      await tampering?.end();
      tampering = undefined;
    },
  };
  return [full, hangs];
}

function ignoreEnded(): void {
  // The agent was killed meanwhile, and its limits with it.
}

export const allFaults = (): readonly Fault[] => [...answers, ...outages, ...lines, ...disksOf()];
