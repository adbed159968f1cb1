/**
 * `npm run test:clock`: the whole agent under a clock that libfaketime bends for all of the process, OpenSSL's look at
 * certificates included, which no test within `npm test` reaches. Exit code 1 when a promise is broken.
 */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "../agent/common/clock.ts";
import { openRig, type Rig, removeFactory } from "../test/support/fixtures/running-agent.ts";
import { readOptions } from "./read-options.ts";

readOptions("test:clock", {});

const LIBRARIES = ["x86_64-linux-gnu", "aarch64-linux-gnu"].map(
  (arch) => `/usr/lib/${arch}/faketime/libfaketimeMT.so.1`,
);
const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;

const library = LIBRARIES.find((file) => existsSync(file));
if (library === undefined) {
  process.stderr.write("test:clock needs libfaketime: apt-get install libfaketime\n");
  process.exit(1);
}

let broken = 0;
function judge(what: string, holds: boolean, figure: string): void {
  if (!holds) broken++;
  process.stdout.write(`${holds ? "ok    " : "BROKEN"} ${what}: ${figure}\n`);
}

/** A clock that is `ms` off. Set anew while the agent runs, it is read at the next look. */
async function set(rig: Rig, ms: number): Promise<void> {
  await writeFile(rig.within("faketime"), `${ms < 0 ? "" : "+"}${Math.round(ms / 1_000)}s`);
}

const bent = (rig: Rig) => ({
  env: {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: rig.within("faketime"),
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
    DONT_FAKE_MONOTONIC: "1",
  },
});

async function bootIn1970(): Promise<void> {
  await using rig = await openRig();
  await set(rig, 60_000 - systemClock().wall());
  rig.start(bent(rig));
  const { last_error } = await rig.statusWhere("the fault", (status) => status.last_error !== null);
  const { code, since } = last_error ?? {};
  judge("a boot in 1970 is the clock's fault, not the certificate's", code === "CLOCK_WRONG", `${code} since ${since}`);
  await delay(1_500);
  await set(rig, 0);
  const setAt = systemClock().boot();
  await rig.served(({ state }) => state === "fresh");
  const seconds = (systemClock().boot() - setAt) / 1_000;
  judge("it heals within 5 s of the clock being set", seconds < 5, `${seconds.toFixed(2)} s`);
}

async function steps(): Promise<void> {
  await using rig = await openRig();
  await set(rig, 0);
  await rig.serve(bent(rig));
  const remaining = async () => Number((await rig.get()).body.remaining_s);
  for (const [index, step] of [HOUR_MS, -HOUR_MS, YEAR_MS, -YEAR_MS].entries()) {
    const before = await remaining();
    const at = systemClock().boot();
    await set(rig, step);
    const moved = before - (await remaining()) - Math.round((systemClock().boot() - at) / 1_000);
    judge(`a step to ${step / HOUR_MS} h leaves the remaining life`, Math.abs(moved) <= 1, `moved ${moved} s`);
    const { clock } = await rig.statusWhere("the step", (status) => Number(status.clock.steps) > index);
    judge("it is counted and shown", clock.steps === index + 1, `${clock.steps} steps, last ${clock.last_step_ms} ms`);
  }
  judge("no step costs a request", rig.pay.requests.length === 1, `${rig.pay.requests.length} request`);
}

await bootIn1970();
await steps();
await removeFactory();
process.exitCode = broken === 0 ? 0 : 1;
