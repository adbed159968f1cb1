/**
 * `npm run simulate -- --seed 7 --days 30`: the whole agent in a simulated world in virtual time (test/simulation/). The same seed is the same history, which the
 * printed hash stands for. `--terminals 5` or `--years 100` simulates one terminal after the other, each with the next seed, until their days make so many years; `--first` ends with the first violation. Exit code 1
 * when a promise was not kept: then the seed, the step and a shortened history are printed.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { readOptions } from "../read-options.ts";

const DAYS_A_YEAR = 365;
const SAY_EVERY_MS = 60_000;

async function main(): Promise<number> {
  const options = readOptions("simulate", {
    seed: { type: "string", default: "1" },
    days: { type: "string", default: "7" },
    terminals: { type: "string", default: "1" },
    years: { type: "string", default: "0" },
    minutes: { type: "string", default: "1e6" },
    shrink: { type: "string", default: "yes", choices: ["yes", "no"] },
    first: { type: "boolean" },
  });
  const days = options.number("days");
  if (days < 1) options.refuse("--days 0: one at least, please");
  const years = options.number("years");
  const terminals = years === 0 ? options.number("terminals") : Math.ceil((years * DAYS_A_YEAR) / days);
  const [{ simulate }, { reportOf, shrink }] = await Promise.all([
    import("../../test/simulation/simulation.ts"),
    import("../../test/simulation/shrink.ts"),
  ]);
  const root = mkdtempSync(path.join(os.tmpdir(), "facepay-simulation-"));
  const startedAt = performance.now();
  const endsAt = startedAt + options.number("minutes") * 60_000;
  const all = createHash("sha256");
  let [done, failed, renewals, incidents, saidAt] = [0, 0, 0, 0, startedAt];
  const say = (hash: string) => {
    const seconds = (performance.now() - startedAt) / 1_000;
    const lived = (done * days) / DAYS_A_YEAR;
    process.stdout.write(
      `${done} terminals of ${days} days from seed ${options.values.seed} on, ${lived.toFixed(2)} device-years, ${incidents} incidents, ` +
        `${renewals} renewals, ${failed} violations; ${seconds.toFixed(0)} s (${((lived * 3_600) / seconds).toFixed(0)} device-years an hour, ` +
        `${(process.cpuUsage().user / 1e6).toFixed(0)} s of processor time)${hash}\n`,
    );
  };
  try {
    for (let seed = options.number("seed"); done < terminals && performance.now() < endsAt; seed++) {
      const wanted = { seed, days, directory: path.join(root, String(seed)) };
      const outcome = await simulate(wanted);
      all.update(outcome.digest);
      done++;
      renewals += outcome.renewals;
      incidents += outcome.incidents.length;
      if (outcome.violation !== undefined) {
        failed++;
        const shrunk = options.values.shrink === "yes" ? await shrink(wanted, outcome) : outcome;
        process.stdout.write(reportOf(seed, days, outcome, shrunk));
      }
      if (failed > 0 && options.values.first) break;
      if (performance.now() - saidAt < SAY_EVERY_MS) continue;
      saidAt = performance.now();
      say("");
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  say(`\ntrace hash ${all.digest("hex").slice(0, 16)}`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
