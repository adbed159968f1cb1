/**
 * `npm run test:boot [-- --debian 12|13] [--keep]`: the package on a real systemd, in a container made of that Debian (12
 * unless told). Needs root, debootstrap and systemd-nspawn; three minutes. Every fact is printed; the exit code is 1 when one
 * does not hold.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { readOptions } from "./read-options.ts";
import { Container, PEERS } from "./test-boot/container.ts";
import { diagnosed } from "./test-boot/diagnosed.ts";
import { Report } from "./test-boot/report.ts";
import { inventory } from "./test-boot/residue.ts";
import {
  firstBoot,
  hang,
  kill,
  outage,
  overNight,
  reload,
  servedAfterBoot,
  sockets,
  units,
} from "./test-boot/stories.ts";
import { credentials, purge, updates } from "./test-boot/updates.ts";
import { chroot, debian, debianVersions, require, run, tell } from "./test-machines/debian.ts";
import { buildPackage, install, provision } from "./test-machines/terminal.ts";

const { values } = readOptions("test:boot", {
  keep: { type: "boolean", default: false },
  debian: { type: "string", default: "12" },
});
const version = debianVersions.find((name) => name === values.debian);
if (version === undefined) throw new Error(`--debian is one of ${debianVersions.join(", ")}`);
require("npm run test:boot", {
  debootstrap: "debootstrap",
  "systemd-nspawn": "systemd-container",
  nsenter: "util-linux",
  ip: "iproute2",
  "dpkg-deb": "dpkg",
});

const LIFETIME_S = 45;
const work = await mkdtemp(path.join(os.tmpdir(), "facepay-boot-"));
const machineRoot = path.join(work, "root");
const report = new Report();

async function dropIn(name: string, text: string): Promise<void> {
  const directory = path.join(machineRoot, path.dirname(name));
  await mkdir(directory, { recursive: true });
  await writeFile(path.join(machineRoot, name), text);
}

async function booted(tellStory: (machine: Container) => Promise<void>): Promise<void> {
  const machine = await Container.boot(machineRoot);
  try {
    await tellStory(machine);
  } finally {
    await machine.cut();
  }
}

try {
  const base = await debian(version);
  tell("two versions of the package ...");
  const [older, newer] = ["0.1.0", "0.2.0~test"].map((version) => buildPackage(work, version)) as [string, string];
  run("cp", ["-a", "--reflink=auto", base, machineRoot]);
  const pristine = inventory(machineRoot);

  await install(machineRoot, older);
  const enabled = chroot(
    machineRoot,
    "for u in facepay-agent.service facepay-agent.socket facepay-agent-admin.socket facepay-bridge.service; do systemctl is-enabled $u || true; done",
  );
  report.equal(
    enabled.trim().split("\n"),
    ["enabled", "enabled", "enabled", "disabled"],
    "installed in a chroot: agent and sockets start at boot, the bridge does not",
  );
  await provision(machineRoot);
  // The real one waits 60 s; the rule is the same.
  await dropIn("etc/systemd/system/facepay-agent.service.d/watchdog.conf", "[Service]\nWatchdogSec=10\n");
  run("cp", [newer, path.join(machineRoot, "root")]);

  let kept: Awaited<ReturnType<typeof firstBoot>> | undefined;
  await booted(async (machine) => {
    kept = await firstBoot(machine, report);
    await sockets(machine, report);
    await units(machine, report);
    await reload(machine, report);
    await kill(machine, report, kept);
    await hang(machine, report);
    await outage(machine, report);
    await diagnosed(machine, report);
  });
  await booted(async (machine) => {
    if (kept) await servedAfterBoot(machine, report, kept);
  });

  await dropIn("etc/facepay-agent/config.d/short.toml", `[refresh]\nlifetime_s = ${LIFETIME_S}\nstale_s = 0\n`);
  chroot(machineRoot, "chown root:facepay-agent /etc/facepay-agent/config.d/short.toml");
  await booted(async (machine) => {
    await machine.settled();
    await machine.run("systemctl", "start", ...PEERS);
    await machine.run("facepay-agent", "refresh", "--lang", "en");
  });
  tell(`the machine is off for ${LIFETIME_S} s ...`);
  await delay(LIFETIME_S * 1_000);
  await booted((machine) => overNight(machine, report));

  await rm(path.join(machineRoot, "etc/facepay-agent/config.d/short.toml"));
  await booted(async (machine) => {
    await machine.settled();
    await machine.run("systemctl", "start", ...PEERS);
    await credentials(machine, report);
    await updates(machine, report, { older: path.basename(older), newer: path.basename(newer) });
    await purge(machine);
  });
  const ours = [
    "/etc/systemd/system/facepay-agent.service.d",
    "/etc/systemd/system/facepay-agent.service.d/watchdog.conf",
    "/etc/systemd/system/facepay-agent.service.d/credentials.conf",
    "/etc/credstore.encrypted",
    "/etc/credstore.encrypted/facepay-agent.store-key",
    "/etc/credstore.encrypted/facepay-agent.merchant-key",
  ];
  const left = [...inventory(machineRoot)].filter((file) => !pristine.has(file) && !ours.includes(file));
  report.equal(left, [], "purge: nothing is left on the disk but what this test has put there");
  const names = chroot(
    machineRoot,
    "getent passwd facepay-agent facepay-bridge || true; getent group facepay-cashier facepay-tech || true",
  );
  report.equal(names, "", "purge: users and groups are gone");
} finally {
  if (values.keep) tell(`kept: ${work}`);
  else await rm(work, { recursive: true, force: true });
}
tell(report.summary);
process.exitCode = report.faults.length === 0 ? 0 : 1;
