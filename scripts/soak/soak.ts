/**
 * `npm run soak -- --minutes 60 --seed 1`: the whole agent against simulators, lifetimes of a minute, and faults of all kinds drawn
 * from a seed. What it promises is checked from outside only: by what clients read and what the simulators saw. A table of
 * figures at the end; exit code 1 when anything was broken. ^C ends it early and in order. `--launcher FILE` takes another
 * agent, e.g. the one that `npm run build` has put into dist/.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { ownLauncher } from "../bench/terminal.ts";
import { readOptions } from "../read-options.ts";
import { runSoak, type SoakOptions } from "./run.ts";

/** Node's timers reach a little further: 24 days. */
const MOST_MINUTES = 14 * 24 * 60;

function asked(): Omit<SoakOptions, "ownNetwork"> & { readonly inside: boolean } {
  const { values, number, refuse } = readOptions("soak", {
    minutes: { type: "string", shown: "60" },
    seed: { type: "string", default: String(Math.floor(Date.now() / 1_000) % 100_000), shown: "N" },
    launcher: { type: "string", shown: "FILE" },
    /** The network is ours alone. */
    inside: { type: "boolean", default: false, hidden: true },
  });
  const minutes = Number(values.minutes ?? "60");
  const launcher = path.resolve(values.launcher ?? ownLauncher);
  if (!(minutes > 0 && minutes <= MOST_MINUTES)) {
    refuse(`--minutes ${values.minutes}: a number above 0, at most ${MOST_MINUTES}, please`);
  }
  if (!existsSync(launcher)) refuse(`--launcher: there is no ${launcher}`);
  return { minutes, seed: number("seed"), launcher, inside: values.inside };
}

/** How to get a network of our own, in which a card may come and go; undefined where this system does not let us. */
function ownNetwork(): readonly [command: string, flags: string] | undefined {
  for (const flags of ["-n", "-rn"]) {
    try {
      execFileSync("unshare", [flags, "ip", "link", "set", "lo", "up"], { stdio: "ignore" });
      return ["unshare", flags];
    } catch {
      // Not allowed, or no such program: the next way, or none.
    }
  }
  return undefined;
}

const { inside, ...options } = asked();
const way = inside ? undefined : ownNetwork();
if (way === undefined) {
  if (inside) execFileSync("ip", ["link", "set", "lo", "up"]);
  process.exitCode = await runSoak({ ...options, ownNetwork: inside });
} else {
  const [command, flags] = way;
  const { minutes, seed, launcher } = options;
  const own = ["--minutes", String(minutes), "--seed", String(seed), "--launcher", launcher, "--inside"];
  const child = spawn(command, [flags, process.execPath, import.meta.filename, ...own], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  child.on("exit", (code) => {
    process.exitCode = code ?? 1;
  });
}
