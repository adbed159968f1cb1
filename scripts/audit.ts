/**
 * `npm run audit`: asks the registry for advisories on everything that the lockfile installs, and ends with 1 for each that
 * docs/vex.json (OpenVEX 0.2) does not rule out. A registry that answers no such question ends it with 69: nothing is known then.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { type AuditReport, judge, type Vex } from "./audit/judge.ts";
import { readOptions } from "./read-options.ts";

/** sysexits EX_UNAVAILABLE. */
const UNAVAILABLE = 69;
const root = path.resolve(import.meta.dirname, "..");

const { values } = readOptions("audit", {
  vex: { type: "string", default: path.join(root, "docs/vex.json"), shown: "FILE" },
});
const vex = JSON.parse(readFileSync(values.vex, "utf8")) as Vex;
const { stdout, error } = spawnSync("npm", ["audit", "--json"], { cwd: root, encoding: "utf8", maxBuffer: 2 ** 26 });
const report = parse(stdout);
if (report?.vulnerabilities === undefined) {
  const why = error?.message ?? report?.message ?? "no answer";
  process.stderr.write(
    `the registry does not answer npm audit (${why}): run this where it does; nothing is known now\n`,
  );
  process.exit(UNAVAILABLE);
}
const { open, ruledOut, unused } = judge(report.vulnerabilities, vex);
for (const { id, severity, title, packages } of open) {
  process.stdout.write(`FOUND ${severity} ${id} in ${packages.join(", ")}: ${title}\n`);
}
for (const { id, because } of ruledOut) process.stdout.write(`does not apply: ${id}: ${because}\n`);
for (const id of unused)
  process.stdout.write(`docs/vex.json names ${id}, which nothing here has any more: take it out\n`);
process.stdout.write(
  `${open.length} open, ${ruledOut.length} ruled out, ${report.metadata?.dependencies?.total ?? "?"} packages\n`,
);
process.exitCode = open.length + unused.length === 0 ? 0 : 1;

function parse(text: string): (Partial<AuditReport> & { readonly message?: string }) | undefined {
  try {
    return JSON.parse(text) as Partial<AuditReport>;
  } catch {
    return undefined;
  }
}
