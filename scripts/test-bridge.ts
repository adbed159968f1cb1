/**
 * `npm run test:bridge [-- --crashes 1000]`: what is too long for every commit. The SDK behind agent and reference bridge crashes
 * again and again; nothing may be left of it in either. Needs a C compiler. Exits 1 when a fault was found, 69 without a compiler.
 */
import { findCompiler } from "../drivers/simulator/compile-sdk.ts";
import { crashTheSdk, type RuntimeConfig } from "../test/support/faults/crash-bridge.ts";
import { removeFactory } from "../test/support/fixtures/running-agent.ts";
import { quantile } from "./bench/statistics.ts";
import { readOptions } from "./read-options.ts";

/** A heap breathes; a leak of one buffer a crash would show as more. */
const MOST_GROWTH_KIB = 8 * 1024;

if (findCompiler() === undefined) {
  process.stderr.write(
    "test:bridge compiles the simulated SDK and finds no C compiler: apt-get install gcc libc6-dev\n",
  );
  process.exit(69);
}
const options = readOptions("test:bridge", { crashes: { type: "string", default: "1000" } });
const startedAt = performance.now();
const { crashes, zombies, agent, bridge, recoveryMs, faults } = await crashTheSdk(options.number("crashes"), (done) =>
  process.stdout.write(`${done} crashes, ${((performance.now() - startedAt) / 1_000).toFixed(0)} s\n`),
);
await removeFactory();

const report = (name: string, held: readonly RuntimeConfig[]): boolean => {
  const [first, early, last] = held;
  if (!first || !early || !last) return false;
  const growth = last.residentKiB - early.residentKiB;
  const line = held.map(({ descriptors, residentKiB }) => `${descriptors} descriptors, ${residentKiB} KiB`).join("; ");
  process.stdout.write(`${name}, at the beginning, after a tenth, at the end: ${line}\n`);
  return last.descriptors <= first.descriptors && growth <= MOST_GROWTH_KIB;
};
const flat = [report("agent", agent), report("bridge", bridge)].every((good) => good);
const at = (part: number) => quantile(recoveryMs, part).toFixed(0);
process.stdout.write(`${crashes} crashes, ${zombies} zombies, ${faults.length} wrong answers\n`);
process.stdout.write(`from a crash to the next init's answer: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms\n`);
for (const fault of faults.slice(0, 20)) process.stdout.write(`FAULT: ${fault}\n`);
const good = flat && zombies === 0 && faults.length === 0;
process.stdout.write(good ? "no fault found\n" : "FAULTS\n");
process.exitCode = good ? 0 : 1;
