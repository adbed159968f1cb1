import { isAgentError } from "../../../agent/common/errors.ts";
import { silentLog } from "../../../agent/common/log/log.ts";
import type { DriverConfig } from "../../../agent/config/config.ts";
import type { SdkDriver } from "../../../drivers/sdk/driver.ts";
import { createSdkDriver } from "../../../drivers/sdk/sdk-driver.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { type ReceivedCall, type Reply, ScriptedBridge, wrap } from "../fakes/scripted-bridge.ts";
import { lineSettings } from "../fixtures/line-settings.ts";
import { type Chance, seeded } from "./seeded.ts";

const CALL_TIMEOUT_MS = 1_000;
/** Within so long a bridge that answers again must be ready again: three timeouts, the longest pause, hello and init. */
const READY_WITHIN_MS = 60_000;
const STEP_MS = 100;
const MOST_AT_ONCE = 3;
const config: DriverConfig = {
  type: "socket",
  path: "/run/bridge.sock",
  ...lineSettings,
  callTimeoutMs: CALL_TIMEOUT_MS,
  initTimeoutMs: CALL_TIMEOUT_MS,
};

export interface DriverFuzz {
  calls: number;
  /** "answered", or the code of the error. */
  readonly outcomes: Record<string, number>;
  /** F7: a call was answered with what was not said to it. */
  readonly strangers: string[];
  /** F8: a call had not settled when its time was over, or the bridge was not found again. */
  readonly late: string[];
  /** F5: what a call rejected with was no AgentError. */
  readonly thrown: string[];
}

/** The whole driver on a line in memory, and at the other end a bridge that answers as badly as it can. */
export async function fuzzDriver(calls: number, seed: number): Promise<DriverFuzz> {
  const chance = seeded(seed);
  const clock = new FakeClock();
  const peer = new HostilePeer(chance);
  const report: DriverFuzz = { calls: 0, outcomes: {}, strangers: [], late: [], thrown: [] };
  const random = { unit: chance.unit, bytes: (length: number) => Buffer.alloc(length, chance.below(256)) };
  const driver = createSdkDriver({ config, version: "0", open: peer.bridge.open, clock, random, log: silentLog });
  driver.start();
  while (report.calls < calls && report.late.length === 0) {
    if (!(await becomesReady(driver, clock))) {
      report.late.push(`seed ${seed}, call ${report.calls}: not ready after ${READY_WITHIN_MS} ms`);
      break;
    }
    const group = Array.from({ length: chance.below(4) === 0 ? MOST_AT_ONCE : 1 }, () => ++report.calls);
    await callTogether(driver, clock, group, `seed ${seed}`, report);
  }
  await driver.close();
  return report;
}

async function callTogether(
  driver: SdkDriver,
  clock: FakeClock,
  nonces: readonly number[],
  where: string,
  report: DriverFuzz,
): Promise<void> {
  const open = new Set(nonces);
  for (const nonce of nonces) {
    driver.call({ cmd: "fuzz", nonce }, new AbortController().signal).then(
      (answer) => {
        open.delete(nonce);
        count(report, "answered");
        const { nonce: meantFor, forged } = answer as { nonce?: unknown; forged?: unknown };
        if (meantFor !== nonce || forged !== undefined) {
          report.strangers.push(`${where}, call ${nonce}: ${JSON.stringify(answer)?.slice(0, 200)}`);
        }
      },
      (error: unknown) => {
        open.delete(nonce);
        count(report, isAgentError(error) ? error.code : "no AgentError");
        if (!isAgentError(error)) report.thrown.push(`${where}, call ${nonce}: ${String(error)}`);
      },
    );
  }
  await clock.settle();
  // One after the other goes over the line, so each waits at most for those before it.
  for (let waited = 0; open.size > 0; waited += STEP_MS) {
    if (waited >= nonces.length * CALL_TIMEOUT_MS) {
      report.late.push(`${where}, calls ${[...open]}: not settled after ${waited} ms`);
      return;
    }
    await clock.advance(STEP_MS);
  }
}

async function becomesReady(driver: SdkDriver, clock: FakeClock): Promise<boolean> {
  for (let waited = 0; waited < READY_WITHIN_MS; waited += STEP_MS) {
    if (driver.status().state === "ready") return true;
    await clock.advance(STEP_MS);
  }
  return driver.status().state === "ready";
}

function count(report: DriverFuzz, outcome: string): void {
  report.outcomes[outcome] = (report.outcomes[outcome] ?? 0) + 1;
}

/** Honest in hello and init, so that there is something to attack; in all other calls whatever chance suggests. */
class HostilePeer {
  readonly bridge = new ScriptedBridge();
  readonly #chance: Chance;
  /** Answers that were due long ago, to calls of this line or of lines before it. */
  readonly #belated: Buffer[] = [];
  #lastId = 0;

  constructor(chance: Chance) {
    this.#chance = chance;
    this.bridge.script = (call) => (call.params.cmd === "fuzz" ? this.#answer(call) : undefined);
  }

  #answer(call: ReceivedCall): Reply {
    const chance = this.#chance;
    const { id, params } = call;
    const honest = { return_code: "SUCCESS", return_msg: "", nonce: params.nonce };
    const frame = wrap(JSON.stringify({ jsonrpc: "2.0", id, result: honest }));
    const forged = (forgedId: unknown) =>
      wrap(JSON.stringify({ jsonrpc: "2.0", id: forgedId, result: { ...honest, nonce: params.nonce, forged: true } }));
    const octets = (...parts: Uint8Array[]): Reply => ({ octets: Buffer.concat(parts) });
    const lastId = this.#lastId;
    this.#lastId = id;
    switch (chance.below(16)) {
      case 0:
        return octets(frame, frame);
      case 1:
        // Another call's answer: the next one's before it is asked, the last one's once more.
        return octets(forged(id + 1), forged(lastId === id ? id + 2 : lastId), frame);
      case 2:
        return octets(
          forged([null, 0.5, 2 ** 53, String(id), -id, [id], { id }, true, id + 0.5][chance.below(9)]),
          frame,
        );
      case 3:
        this.#belated.push(frame);
        return "silence";
      case 4:
        // What was due earlier, now that something else is asked.
        return octets(...this.#belated.splice(0), frame);
      case 5:
        // A loopback plug.
        return octets(
          wrap(JSON.stringify({ jsonrpc: "2.0", ...call })),
          chance.below(2) === 0 ? frame : Buffer.alloc(0),
        );
      case 6:
        return octets(this.#noise(), frame);
      case 7:
        return octets(this.#flipped(frame));
      case 8:
        return octets(wrap(this.#badPayload(id)), frame);
      case 9:
        return octets(wrap(this.#badPayload(id)));
      case 10:
        // Cut off: the rest comes when something else is asked, or never.
        return this.#cut(frame);
      case 11:
        this.#cut(frame, true);
        return "silence";
      case 12:
        return {
          error: { code: [-32000, -32601, -32700, 7][chance.below(4)] ?? 0, message: "no", data: { status: 3 } },
        };
      case 13:
        for (const octet of frame) this.bridge.send(Buffer.of(octet));
        return "silence";
      case 14:
        return "silence";
      default:
        return { result: honest };
    }
  }

  #cut(frame: Buffer, thenUnplug = false): Reply {
    const at = this.#chance.below(frame.length);
    this.bridge.send(frame.subarray(0, at));
    if (thenUnplug) this.bridge.unplug();
    else if (this.#chance.below(2) === 0) this.#belated.push(frame.subarray(at));
    return "silence";
  }

  #flipped(frame: Buffer): Buffer {
    const damaged = Buffer.from(frame);
    const bit = this.#chance.below(frame.length * 8);
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    return damaged;
  }

  #noise(): Buffer {
    const kind = this.#chance.below(4);
    const length = this.#chance.below(kind === 0 ? 20_000 : 300);
    const octet = [0x41, 0x7e, 0x7d][kind];
    if (octet !== undefined) return Buffer.alloc(length, octet);
    return Buffer.from(Array.from({ length }, () => this.#chance.below(256)));
  }

  /** A payload in a perfect frame that answers nothing. */
  #badPayload(id: number): Buffer {
    const json = (value: unknown) => Buffer.from(JSON.stringify(value));
    const result = { return_code: "SUCCESS", forged: true };
    const all: (() => Buffer)[] = [
      () => json([{ jsonrpc: "2.0", id, result }]),
      () => json({ jsonrpc: "1.0", id, result }),
      () => json({ id, result }),
      () => json({ jsonrpc: "2.0", id, result, error: { code: 1, message: "x" } }),
      () => json({ jsonrpc: "2.0", id }),
      () => json({ jsonrpc: "2.0", id, error: "x" }),
      () => json({ jsonrpc: "2.0", id, error: { code: "1", message: 2 } }),
      () => json({ jsonrpc: "2.0", id: null, error: { code: -32700, message: "x" } }),
      () => json({ jsonrpc: "2.0", method: "hello", params: {} }),
      () =>
        Buffer.from(`{"jsonrpc":"2.0","__proto__":{"id":${id},"result":{}},"constructor":{"prototype":{"id":${id}}}}`),
      () => Buffer.from(`{"jsonrpc":"2.0","id":${id},"id":${id + 1},"result":{"forged":true}}`),
      () => Buffer.from(`${"[".repeat(4_000)}${"]".repeat(4_000)}`),
      () => Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":${'{"a":'.repeat(1_000)}1${"}".repeat(1_000)}}`),
      () => Buffer.from(`\u{feff}{"jsonrpc":"2.0","id":${id},"result":{"forged":true}}`),
      () =>
        Buffer.concat([
          Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":"`),
          Buffer.of(0xc0, 0xaf),
          Buffer.from('"}'),
        ]),
      () =>
        Buffer.concat([
          Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":"`),
          Buffer.of(0xed, 0xa0, 0x80),
          Buffer.from('"}'),
        ]),
      () => Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":{"forged":true}`),
      () => Buffer.from("null"),
      () => Buffer.from(`"${"x".repeat(8_000)}"`),
      () => Buffer.of(0),
    ];
    return (all[this.#chance.below(all.length)] ?? (() => Buffer.of(0)))();
  }
}
