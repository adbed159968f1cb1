/**
 * `npm run attack`: what a local program or a stranger on the network can do to the sockets of the agent and of the gateway, against the
 * running programs, each for `-- --minutes N`. Beside it a cashier app reads, or terminals with 300 ms latency each way ask. Exits with 1
 * when one of the bounds of the last column is missed. `-- --only TEXT` runs those whose name holds the text. Loopback only.
 */
import { spawn } from "node:child_process";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { readOptions } from "../read-options.ts";
import { type AttackName, attacks } from "./attacks.ts";
import { openAgent, openGateway, type Target } from "./targets.ts";

const BOUNDS = { cashier: 0.999, terminal: 0.99, growMb: 40, keepMb: 10 } as const;
/** How long the memory may take to come back. */
const BACK_WITHIN_MS = 60_000;
const SAMPLE_MS = 200;

const options = readOptions("attack", {
  minutes: { type: "string", default: "0.25" },
  only: { type: "string", default: "" },
});
const lastsMs = Number(options.values.minutes) * 60_000;
if (!(lastsMs > 0)) options.refuse("--minutes wants a number above 0");

const say = (line: string) => process.stdout.write(`${line}\n`);
const mb = (value: number) => value.toFixed(0).padStart(4);

function startAttacker(name: AttackName, place: string) {
  const script = path.join(import.meta.dirname, "attacker.ts");
  // The attacker yields: on a board it has its own machine, or is one process among others.
  return spawn("nice", ["-n", "10", process.execPath, script, name, place], {
    stdio: ["ignore", "inherit", "inherit"],
  });
}

async function run(name: AttackName, target: Target): Promise<boolean> {
  const wanted = attacks[name].on === "agent" ? BOUNDS.cashier : BOUNDS.terminal;
  // What is loaded and compiled at the first use is no effect of the attack.
  await target.told();
  await target.probe(100);
  await delay(2_000);
  const restMb = target.residentMb();
  const attacker = startAttacker(name, target.place);
  const until = performance.now() + lastsMs;
  let peakMb = restMb;
  const sampler = setInterval(() => {
    peakMb = Math.max(peakMb, target.residentMb());
  }, SAMPLE_MS);
  const tries = { asked: 0, served: 0, slowestMs: 0 };
  try {
    while (performance.now() < until) {
      const { asked, served, slowestMs } = await target.probe(10);
      tries.asked += asked;
      tries.served += served;
      tries.slowestMs = Math.max(tries.slowestMs, slowestMs);
    }
  } finally {
    clearInterval(sampler);
    attacker.kill("SIGKILL");
  }
  const told = await target.told();
  let afterMb = target.residentMb();
  for (let waited = 0; waited < BACK_WITHIN_MS && afterMb > restMb + BOUNDS.keepMb; waited += 1_000) {
    await delay(1_000);
    afterMb = target.residentMb();
  }
  const share = tries.served / tries.asked;
  const met = share >= wanted && peakMb <= restMb + BOUNDS.growMb && afterMb <= restMb + BOUNDS.keepMb;
  const counts = `${tries.served}/${tries.asked} = ${(100 * share).toFixed(2).padStart(6)} %`;
  say(
    `${name.padEnd(52)} ${counts.padStart(26)} ${tries.slowestMs.toFixed(0).padStart(6)} ms ${mb(restMb)} ${mb(peakMb)} ${mb(afterMb)} MB  ${met ? "held" : "MISSED"}`,
  );
  say(`    ${told}`);
  return met;
}

const chosen = (Object.keys(attacks) as AttackName[]).filter((name) => name.includes(options.values.only));
say(`${options.values.minutes} min each; memory at rest, at its peak, afterwards`);
let held = true;
for (const name of chosen) {
  await using target = attacks[name].on === "agent" ? await openAgent() : await openGateway();
  held = (await run(name, target)) && held;
}
process.exit(held ? 0 : 1);
