/**
 * `npm run test:powercut [-- --cuts 20] [--cache writeback|none] [--without-fsync]`: a virtual machine with the package on its own disk, whose
 * power is cut (SIGKILL to QEMU: what the guest had not flushed is lost) in the middle of refreshes, again and again. After
 * each boot, with nobody outside to ask, the first answer must hold what was last announced as safe. Needs root, debootstrap
 * and QEMU; no KVM. About a minute a cut. `--without-fsync` is the control: with fsync made to do nothing, promises must break.
 */
import { randomInt } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { readOptions } from "../read-options.ts";
import {
  chroot,
  debianWithKernel,
  kernelOf,
  ownArchitecture,
  require,
  run,
  tell,
  workDirectory,
} from "../test-machines/debian.ts";
import { buildPackage, install, provision, watchOnly } from "../test-machines/terminal.ts";
import { consoleOf, qemuOf, Vm } from "../test-machines/vm.ts";
import { Ledger } from "./ledger.ts";

const options = readOptions("test:powercut", {
  cuts: { type: "string", default: "20" },
  cache: { type: "string", default: "writeback" },
  "without-fsync": { type: "boolean", default: false },
});
const cuts = options.number("cuts");
require("npm run test:powercut", {
  debootstrap: "debootstrap",
  "mkfs.ext4": "e2fsprogs",
  "dpkg-deb": "dpkg",
  [qemuOf(ownArchitecture)]: "qemu-system",
});

/** Refreshes follow each other at once, but what is kept stays good over a reboot. */
const HURRIED = { refresh: { lifetime_s: 3_600, refresh_at: 0.0002, refresh_at_unsteady: 0.0002 } };

async function makeDisk(work: string, base: string): Promise<string> {
  const machine = path.join(work, "root");
  run("cp", ["-a", "--reflink=auto", base, machine]);
  await install(machine, buildPackage(work, "0.1.0", { compression: "none" }));
  await provision(machine, HURRIED);
  await watchOnly(machine, `/dev/${consoleOf(ownArchitecture)}`);
  if (options.values["without-fsync"]) await disableFsync(machine);
  const disk = path.join(work, "disk.img");
  run("mkfs.ext4", ["-q", "-d", machine, disk, "2G"]);
  await rm(machine, { recursive: true });
  return disk;
}

/** For the agent alone: its libc calls of that kind return at once. */
async function disableFsync(machine: string): Promise<void> {
  chroot(machine, "DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends libeatmydata1");
  const [library] = chroot(machine, "find /usr/lib -name 'libeatmydata.so'").trim().split("\n");
  const directory = path.join(machine, "etc/systemd/system/facepay-agent.service.d");
  await mkdir(directory, { recursive: true });
  await writeFile(path.join(directory, "control.conf"), `[Service]\nEnvironment=LD_PRELOAD=${library}\n`);
}

const work = workDirectory("powercut");
let failed = 0;
const base = await debianWithKernel("12", ownArchitecture, "cloud");
tell("a disk with the package ...");
const disk = await makeDisk(work, base);
const ledger = new Ledger();
for (let boot = 0; boot <= cuts; boot++) {
  const vm = Vm.start({
    ...kernelOf(base),
    architecture: ownArchitecture,
    disk,
    cache: options.values.cache,
    append: "systemd.unit=watch.target",
    onLine: (line) => ledger.note(line),
  });
  try {
    const verdict = await ledger.firstAnswer(vm);
    if (verdict.fault !== undefined) failed++;
    if (boot > 0) tell(`cut ${boot} of ${cuts}: ${verdict.fault ?? verdict.words}`);
    else tell(`first boot: ${verdict.words}`);
    if (boot === cuts) break;
    await ledger.acknowledgements(vm, 3);
    await delay(randomInt(4_000));
  } finally {
    await vm.cut();
  }
}
const kind = options.values["without-fsync"] ? "control without fsync, which has to fail: " : "";
tell(
  `${kind}${cuts - failed} of ${cuts} cuts survived, ${ledger.promises} promises made, cache=${options.values.cache}`,
);
process.exitCode = failed === 0 ? 0 : 1;
