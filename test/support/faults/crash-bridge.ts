import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { compileSimulatedSdk } from "../../../drivers/simulator/compile-sdk.ts";
import { NativeBridge } from "../fakes/native-bridge.ts";
import { openRig } from "../fixtures/running-agent.ts";

/** What a process holds of the machine. */
export interface RuntimeConfig {
  readonly descriptors: number;
  readonly residentKiB: number;
}

export interface CrashFigures {
  readonly crashes: number;
  /** Processes of the SDK that have ended and were not taken away. */
  readonly zombies: number;
  /** At the beginning, after a tenth (when caches and heaps have filled) and at the end. */
  readonly agent: readonly RuntimeConfig[];
  readonly bridge: readonly RuntimeConfig[];
  /** From the request that crashes to the first answer of the next process, milliseconds, sorted. */
  readonly recoveryMs: readonly number[];
  /** What was not as it should be, in words. */
  readonly faults: readonly string[];
}

/** Lets the SDK behind agent and reference bridge crash again and again, by calls of the cashier app. */
export async function crashTheSdk(times: number, onProgress: (done: number) => void = () => {}): Promise<CrashFigures> {
  await using rig = await openRig({ line: "socket", unplugged: true });
  const workshop = await mkdtemp(path.join(os.tmpdir(), "facepay-crashes-"));
  const { deviceId } = rig.playground.identity;
  const place = ["--socket", rig.within("bridge.sock"), "--device-id", deviceId, "--net-id", "none"];
  await using bridge = new NativeBridge(workshop, await compileSimulatedSdk(workshop), place);
  await bridge.start();
  await rig.serve();
  const faults: string[] = [];
  const recoveryMs: number[] = [];
  const hold = () => [holdings(rig.agent.pid), holdings(bridge.process.pid)] as const;
  const held = [hold()];
  for (let n = 1; n <= times; n++) {
    const at = performance.now();
    const crashed = await rig.ask("api", "POST", "/v1/sdk/call", { body: { cmd: "getSdkInfo", simulate: "crash" } });
    const { cause } = crashed.body as { cause?: { code: string } };
    if (cause?.code !== "SDK_CRASHED") faults.push(`crash ${n}: ${crashed.status} ${crashed.text}`);
    const init = { cmd: "initWxpayface", version: "1", now: 1 };
    const after = await rig.ask("api", "POST", "/v1/sdk/call", { body: init });
    if (after.body.return_code !== "SUCCESS") faults.push(`after crash ${n}: ${after.status} ${after.text}`);
    recoveryMs.push(performance.now() - at);
    if (n === Math.ceil(times / 10)) held.push(hold());
    if (n % 100 === 0) onProgress(n);
  }
  const zombies = await untilFewest(() => zombiesOf(bridge.process.pid));
  held.push(hold());
  await rm(workshop, { recursive: true });
  return {
    crashes: times,
    zombies,
    agent: held.map(([agent]) => agent),
    bridge: held.map(([, own]) => own),
    recoveryMs: recoveryMs.sort((a, b) => a - b),
    faults,
  };
}

function holdings(pid: number): RuntimeConfig {
  const resident = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return { descriptors: readdirSync(`/proc/${pid}/fd`).length, residentKiB: Number(resident) };
}

/** The last child may be on its way out. */
async function untilFewest(count: () => number): Promise<number> {
  for (let looks = 0; looks < 50 && count() > 0; looks++) await new Promise((resolve) => setTimeout(resolve, 20));
  return count();
}

function zombiesOf(parent: number): number {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && isZombieOf(name, parent)).length;
}

function isZombieOf(pid: string, parent: number): boolean {
  try {
    // proc(5): after the name in parentheses come state and parent.
    const [state, itsParent] = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return state === "Z" && Number(itsParent) === parent;
  } catch {
    return false;
  }
}
