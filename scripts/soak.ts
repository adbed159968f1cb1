/**
 * `npm run soak -- --minutes 60 --seed 1`: the whole agent against stand-ins, lifetimes of a minute, and faults of all kinds drawn
 * from a seed. What it promises is checked from outside only: by what clients read and what the stand-ins saw. A table of
 * figures at the end; exit code 1 when anything was broken. ^C ends it early and in order.
 */
import { execFileSync, spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { ownLauncher } from "./bench/terminal.ts";
import { runSoak } from "./soak/run.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    seed: { type: "string", default: String(Math.floor(Date.now() / 1_000) % 100_000) },
    launcher: { type: "string", default: ownLauncher },
    /** Said by ourselves: the network is ours alone. */
    inside: { type: "boolean", default: false },
  },
});

/** How to get a network of our own, in which a card may come and go; undefined where this system does not let us. */
function ownNetwork(): readonly string[] | undefined {
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

const minutes = Number(values.minutes);
const seed = Number(values.seed);
if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
  process.stderr.write("usage: npm run soak -- [--minutes N] [--seed N]: N above 0, a whole number for the seed\n");
  process.exit(64);
}
const way = values.inside ? undefined : ownNetwork();
if (way === undefined) {
  if (values.inside) execFileSync("ip", ["link", "set", "lo", "up"]);
  process.exitCode = await runSoak({ minutes, seed, launcher: values.launcher, ownNetwork: values.inside });
} else {
  const [command = "", ...flags] = way;
  const own = ["--minutes", values.minutes, "--seed", values.seed, "--launcher", values.launcher, "--inside"];
  const child = spawn(command, [...flags, process.execPath, import.meta.filename, ...own], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  child.on("exit", (code) => {
    process.exitCode = code ?? 1;
  });
}
