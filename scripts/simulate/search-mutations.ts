/**
 * `npm run simulate:mutations`: makes one mistake after the other in a copy of the sources (mutations.ts) and simulates until a promise is broken.
 * Prints the table of docs/testing.md. Exit code 1 when a mistake was not found within `--years` device-years (or `--minutes`).
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { readOptions } from "../read-options.ts";
import { type Mutation, mutations } from "./mutations.ts";

const root = path.resolve(import.meta.dirname, "../..");
const COPIED = ["agent", "drivers", "scripts", "test/simulation", "test/support", "package.json"];
const DAYS = 7;

interface Searched {
  /** The first broken promise. */
  readonly invariant: string | undefined;
  readonly days: number;
}

/** Simulates the mutated program until a promise is broken or a limit is reached. */
function search(copy: string, { file, from, to }: Mutation, limits: readonly string[]): Searched {
  const place = path.join(copy, file);
  const source = readFileSync(place, "utf8");
  if (source.split(from).length !== 2) throw new Error(`${file} does not hold once: ${from}`);
  writeFileSync(
    place,
    source.replace(from, () => to),
  );
  const script = path.join(copy, "scripts/simulate/simulate.ts");
  const options = ["--days", String(DAYS), "--first", "--shrink", "no", ...limits];
  const { stdout } = spawnSync(process.execPath, [script, ...options], {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  writeFileSync(place, source);
  const invariant = /^seed \d+: ([a-z-]+):/m.exec(stdout)?.[1];
  const terminals = Number(/^(\d+) terminals of \d+ days.*\ntrace hash/m.exec(stdout)?.[1]);
  return { invariant, days: terminals * DAYS };
}

function main(): number {
  const options = readOptions("simulate:mutations", {
    years: { type: "string", default: "100" },
    minutes: { type: "string", default: "60" },
    only: { type: "string", default: "" },
  });
  const limits = ["--years", options.values.years, "--minutes", options.values.minutes];
  const copy = mkdtempSync(path.join(os.tmpdir(), "facepay-mutations-"));
  let missed = 0;
  try {
    for (const part of COPIED) cpSync(path.join(root, part), path.join(copy, part), { recursive: true });
    symlinkSync(path.join(root, "node_modules"), path.join(copy, "node_modules"));
    process.stdout.write("| Mistake | File | Broken promise | Device-days |\n| --- | --- | --- | --- |\n");
    for (const mutation of mutations.filter(({ what }) => what.includes(options.values.only))) {
      const { invariant = "none found", days } = search(copy, mutation, limits);
      if (invariant === "none found") missed++;
      process.stdout.write(`| ${mutation.what} | \`${mutation.file}\` | ${invariant} | ${days} |\n`);
    }
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
  return missed === 0 ? 0 : 1;
}

process.exitCode = main();
