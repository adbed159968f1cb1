/**
 * `npm run test:boot [-- --debian 11|12|13|all] [--keep]`: the package on a real systemd (247, 252, 257), in a container made of
 * each Debian. Needs root, debootstrap and systemd-nspawn; three minutes each. Every fact is printed; the exit code is 1 when
 * one does not hold.
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { readOptions } from "../read-options.ts";
import {
  chroot,
  type DebianVersion,
  debian,
  debianVersions,
  require,
  run,
  tell,
  workDirectory,
} from "../test-machines/debian.ts";
import { type Fact, Report, summaryOf } from "../test-machines/report.ts";
import { buildPackage, install, provision } from "../test-machines/terminal.ts";
import { purge, updates } from "../test-machines/updates.ts";
import { Container, PEERS } from "./container.ts";
import { credentials } from "./credentials.ts";
import { diagnosed } from "./diagnosed.ts";
import { inventory } from "./residue.ts";
import { firstBoot, hang, kill, outage, overNight, reload, servedAfterBoot, sockets, units } from "./stories.ts";

const { values } = readOptions("test:boot", {
  keep: { type: "boolean", default: false },
  debian: { type: "string", default: "all", choices: [...debianVersions, "all"] },
});
const versions = values.debian === "all" ? debianVersions : [values.debian];
require("npm run test:boot", {
  debootstrap: "debootstrap",
  "systemd-nspawn": "systemd-container",
  nsenter: "util-linux",
  ip: "iproute2",
  "dpkg-deb": "dpkg",
});

const LIFETIME_S = 45;
/** What this test itself puts on the disk. */
const OURS = [
  "/etc/systemd/system/facepay-agent.service.d",
  "/etc/systemd/system/facepay-agent.service.d/watchdog.conf",
  "/etc/systemd/system/facepay-agent.service.d/credentials.conf",
  "/etc/credstore.encrypted",
  "/etc/credstore.encrypted/facepay-agent.store-key",
  "/etc/credstore.encrypted/facepay-agent.merchant-key",
];

async function booted(root: string, tellStory: (machine: Container) => Promise<void>): Promise<void> {
  const machine = await Container.boot(root);
  try {
    await tellStory(machine);
  } finally {
    await machine.cut();
  }
}

/** The life of one terminal, from the image builder's chroot to the purge. */
async function live(version: DebianVersion, work: string, debs: readonly [string, string], report: Report) {
  const [older, newer] = debs;
  const root = path.join(work, `debian-${version}`);
  const put = async (name: string, text: string) => {
    await mkdir(path.join(root, path.dirname(name)), { recursive: true });
    await writeFile(path.join(root, name), text);
  };
  run("cp", ["-a", "--reflink=auto", await debian(version), root]);
  const pristine = inventory(root);

  await install(root, older);
  const enabled = chroot(
    root,
    "for u in facepay-agent.service facepay-agent.socket facepay-agent-admin.socket facepay-bridge.service; do systemctl is-enabled $u || true; done",
  );
  report.equal(
    enabled.trim().split("\n"),
    ["enabled", "enabled", "enabled", "disabled"],
    "installed in a chroot: agent and sockets start at boot, the bridge does not",
  );
  await provision(root);
  // The real one waits 60 s; the rule is the same.
  await put("etc/systemd/system/facepay-agent.service.d/watchdog.conf", "[Service]\nWatchdogSec=10\n");
  run("cp", [newer, path.join(root, "root")]);

  let kept: Awaited<ReturnType<typeof firstBoot>> | undefined;
  await booted(root, async (machine) => {
    kept = await firstBoot(machine, report);
    await sockets(machine, report);
    await units(machine, report);
    await reload(machine, report);
    await kill(machine, report, kept);
    await hang(machine, report);
    await outage(machine, report);
    await diagnosed(machine, report);
  });
  await booted(root, async (machine) => {
    if (kept) await servedAfterBoot(machine, report, kept);
  });

  await put("etc/facepay-agent/config.d/short.toml", `[refresh]\nlifetime_s = ${LIFETIME_S}\nstale_s = 0\n`);
  chroot(root, "chown root:facepay-agent /etc/facepay-agent/config.d/short.toml");
  await booted(root, async (machine) => {
    await machine.settled();
    await machine.run("systemctl", "start", ...PEERS);
    await machine.run("facepay-agent", "refresh", "--lang", "en");
  });
  tell(`the machine is off for ${LIFETIME_S} s ...`);
  await delay(LIFETIME_S * 1_000);
  await booted(root, (machine) => overNight(machine, report));

  await rm(path.join(root, "etc/facepay-agent/config.d/short.toml"));
  await booted(root, async (machine) => {
    await machine.settled();
    await machine.run("systemctl", "start", ...PEERS);
    await machine.run("facepay-agent", "refresh", "--lang", "en");
    // Encrypted credentials came with systemd 250.
    if (version !== "11") await credentials(machine, report);
    await updates(machine, report, { older: path.basename(older), newer: path.basename(newer) });
    await purge(machine);
  });
  const left = [...inventory(root)].filter((file) => !pristine.has(file) && !OURS.includes(file));
  report.equal(left, [], "purge: nothing is left on the disk but what this test has put there");
  const names = chroot(
    root,
    "getent passwd facepay-agent facepay-bridge || true; getent group facepay-cashier facepay-tech || true",
  );
  report.equal(names, "", "purge: users and groups are gone");
}

const work = workDirectory("boot", values.keep);
tell("two versions of the package ...");
const debs = [
  buildPackage(work, "0.1.0", { compression: "none" }),
  buildPackage(work, "0.2.0~test", { compression: "none" }),
] as const;
const all: Fact[] = [];
for (const version of versions) {
  tell(`Debian ${version}`);
  const report = new Report();
  await live(version, work, debs, report);
  all.push(...report.facts);
  tell(`Debian ${version}: ${summaryOf(report.facts)}`);
}
process.stdout.write(`${summaryOf(all)}\n`);
process.exitCode = all.every(({ holds }) => holds) ? 0 : 1;
