import { randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Report as Diagnosis } from "../../agent/diagnostics/report/report.ts";
import { AGENT, property } from "../test-machines/machine.ts";
import type { Report } from "../test-machines/report.ts";
import { faultOf } from "../test-powercut/ledger.ts";
import type { Board } from "./board.ts";
import { ADAPTER, OPEN_FILES } from "./disk.ts";

type Check = Diagnosis["checks"][number];

const BRIDGE = "facepay-bridge.service";

export interface Kept {
  readonly generation: number;
  readonly authinfo: string;
}

/** What is served, once it is on the disk and as it is waited for. */
async function held(board: Board, isIt: (it: Kept) => boolean = () => true): Promise<Kept> {
  let found: Kept = { generation: 0, authinfo: "" };
  await board.until("the authinfo that is waited for", async () => {
    const { status, body } = await board.get("/v1/authinfo");
    if (status !== 200 || body.persisted !== true) return false;
    found = { generation: Number(body.generation), authinfo: String(body.authinfo) };
    return isIt(found);
  });
  return found;
}

const shell = (board: Board, script: string) => board.run("sh", "-ec", script);

/** A configuration of its own beside the given one; undefined takes it away again. */
async function configure(board: Board, name: string, text: string | undefined): Promise<void> {
  const file = `/etc/facepay-agent/config.d/${name}.toml`;
  const put = `printf '${text?.replaceAll("\n", "\\n")}' > ${file}; chgrp facepay-agent ${file}; chmod 0640 ${file}`;
  // What this test writes is not what a power cut is to show.
  await shell(board, `${text === undefined ? `rm ${file}` : put}; sync; systemctl restart ${AGENT}`);
}

/** What is kept is renewed at the instant that was drawn for it; other settings hold from the next one on. */
async function refresh(board: Board): Promise<void> {
  const ask = () => board.run("facepay-agent", "refresh", "--lang", "en");
  await board.until("a renewal that was asked for", () => ask().then(() => true));
}

/** Which process runs, and how often it was started again: the same as long as nobody had to restart the service. */
async function life(board: Board): Promise<string> {
  return await board.run("systemctl", "show", "-p", "MainPID,NRestarts", AGENT);
}

/** Nobody has typed a command: the adapter was there, the power came on. */
export async function firstBoot(board: Board, report: Report, systemd: string): Promise<Kept> {
  const version = await board.run("systemctl", "--version");
  report.equal(/^systemd (\d+)/.exec(version)?.[1], systemd, `systemd ${systemd}, ${await board.run("uname", "-srm")}`);
  const dpkg = await board.run("dpkg-query", "--show", `--showformat=\${Version}`, "dpkg");
  report.equal(await property(board, AGENT, "LoadState"), "loaded", `dpkg ${dpkg} has unpacked the package (xz)`);
  const got = await held(board);
  const times = `cut -d' ' -f1 /proc/uptime; systemctl show --value -p ExecMainStartTimestampMonotonic ${AGENT}`;
  const [uptime = 0, started = 0] = (await shell(board, times)).split("\n").map(Number);
  const after = `${uptime.toFixed(0)} s after power on, ${(uptime - started / 1e6).toFixed(0)} s after the unit's start`;
  report.check(true, `first boot, adapter plugged in: an authinfo is obtained over it and kept (${after})`);
  report.equal(await property(board, AGENT, "NRestarts"), "0", "first boot: no restart was needed");
  const failed = await board.run("systemctl", "list-units", "--failed", "--plain", "--no-legend");
  report.check(!failed.includes("facepay"), "first boot: no unit of ours has failed");
  const said = await shell(board, "journalctl -q -b -p warning -o cat _PID=1 | grep -i facepay || true");
  report.equal(said, "", "first boot: systemd has no complaint about the units");
  return got;
}

/** The line that no boot can miss: a UART of the board. */
export async function overUart(board: Board, report: Report): Promise<void> {
  const find = "for t in /sys/class/tty/ttyS*; do case $(readlink -f $t/device) in */pci*) basename $t;; esac; done";
  const uart = `/dev/${await shell(board, find)}`;
  const { generation } = await held(board);
  await configure(board, "uart", `[driver]\npath = "${uart}"\n`);
  await refresh(board);
  const got = await held(board, (it) => it.generation > generation);
  report.check(
    got.generation > generation && board.uart.bridge.count("hello") > 0,
    `UART ${uart}: an authinfo is obtained over it`,
  );
  await configure(board, "uart", undefined);
}

/** A device that root and the service's user may open, and only the unit may not. */
export async function refusedByUnit(board: Board, report: Report): Promise<void> {
  const dropIn = `/etc/systemd/system/${AGENT}.d/a-no-devices.conf`;
  const restart = `systemctl daemon-reload; systemctl restart ${AGENT}`;
  await shell(
    board,
    `mkdir -p ${dropIn.replace(/\/[^/]*$/, "")}; printf '[Service]\\nDeviceAllow=\\n' > ${dropIn}; ${restart}`,
  );
  let found: Check | undefined;
  const isBlamed = async () => {
    const told = JSON.parse(await shell(board, "facepay-agent diagnose --json || true")) as Diagnosis;
    found = told.checks.find(({ id }) => id === told.first);
    return found?.id === "ser.perm" && found.remedy?.en.includes("DeviceAllow") === true;
  };
  // The agent has to have tried once; an emulated board may be too slow for the patience of a check.
  await board.until("the rights of the line as the first failure", isBlamed).catch(() => {});
  report.equal(found?.id, "ser.perm", "a device that the unit alone may not open: diagnose puts its rights first");
  for (const language of ["en", "zh"] as const) {
    const said = `${found?.detail[language]} ${found?.remedy?.[language]}`;
    const isNamed = /\/dev\/(facepay-bridge|ttyUSB0)/.test(said) && said.includes("DeviceAllow=char-188");
    report.check(isNamed, `and names the device and what to allow (${language})${isNamed ? "" : `: ${said}`}`);
  }
  const [command = "false"] = /mkdir .*systemctl restart facepay-agent/.exec(found?.remedy?.en ?? "") ?? [];
  const greetings = board.adapter.bridge.count("hello");
  const works = async () => {
    await shell(board, command);
    await board.until("a talk over the line", async () => board.adapter.bridge.count("hello") > greetings);
  };
  const mended = await works().then(
    () => true,
    () => false,
  );
  report.check(mended, `and what it says to do mends it${mended ? "" : `: ${command}`}`);
  await shell(board, `systemctl revert ${AGENT}; systemctl restart ${AGENT}`);
}

const HURRIED = "[refresh]\nlifetime_s = 3600\nrefresh_at = 0.0002\nrefresh_at_unsteady = 0.0002\n";

/** Renewals follow each other at once; returns the last one that was announced as kept. The power can go at any time. */
export async function hurry(board: Board): Promise<Kept> {
  const { generation } = await held(board);
  await configure(board, "hurried", HURRIED);
  await refresh(board);
  let last = await held(board, (it) => it.generation > generation + 3);
  const until = performance.now() + 5_000 + randomInt(3_000);
  while (performance.now() < until) {
    last = await held(board);
    await delay(20);
  }
  return last;
}

/** No adapter is plugged in, so that only the disk can answer. */
export async function afterPowerCut(board: Board, report: Report, promised: Kept): Promise<void> {
  let found: { status: string; generation: number; digest: string } | undefined;
  await board.until("the first answer", async () => {
    const { status, body } = await board.get("/v1/authinfo");
    found = { status: String(status), generation: Number(body.generation), digest: String(body.authinfo) };
    return true;
  });
  const words = `promised generation ${promised.generation}, found ${found?.status}, generation ${found?.generation}`;
  const entry = { generation: promised.generation, digest: promised.authinfo };
  const { fault } = found ? faultOf(entry, found, words) : { fault: "no answer" };
  report.check(
    fault === undefined,
    `power cut in mid-write: the first answer holds what was promised (${fault ?? words})`,
  );
}

/** The adapter's driver is loaded by udev when the adapter is seen, long after the start of both units. */
export async function hotPlug(board: Board, report: Report): Promise<void> {
  const modules = await board.run("cat", "/proc/modules");
  report.check(!/^(usbserial|ftdi_sio) /m.test(modules), "boot without the adapter: its driver is not loaded");
  const before = await life(board);
  await board.adapter.in();
  let { generation } = await held(board, () => board.adapter.bridge.count("hello") > 0);
  generation = (await held(board, (it) => it.generation > generation)).generation;
  report.check(true, "plugged in later, the driver loaded late: an authinfo is obtained over it");
  for (const time of ["once", "twice"]) {
    await board.adapter.out();
    await board.until("the adapter is gone", () => shell(board, `! test -e ${ADAPTER}`).then(() => true));
    await board.adapter.in();
    const stale = (await held(board)).generation;
    await held(board, (it) => it.generation > stale);
    report.check(true, `unplugged and plugged in again (${time}): an authinfo is obtained over it`);
  }
  report.equal(await life(board), before, "all that without a restart of the service");
}

/** The unit of the reference bridge was started when neither camera nor USB device was known to the kernel. */
export async function lateCamera(board: Board, report: Report): Promise<void> {
  const opened = async (file: string) => (await board.get(file, OPEN_FILES)).body.opened;
  const before = await property(board, BRIDGE, "MainPID");
  const devices = await board.run("cat", "/proc/devices");
  report.check(!devices.includes("video4linux"), "the bridge unit runs and the kernel knows no camera driver yet");
  await board.run("modprobe", "vivid");
  await board.run("udevadm", "settle");
  report.equal(await opened("/dev/video0"), "ok", "a camera (vivid) comes late: the bridge unit may use it");
  const usb =
    "d=$(readlink -f /sys/class/tty/ttyUSB0/device/../..); printf /dev/bus/usb/%03d/%03d $(cat $d/busnum $d/devnum)";
  report.equal(await opened(await shell(board, usb)), "ok", "a USB device comes late: the bridge unit may use it");
  const line = await opened(ADAPTER);
  report.check(line === "ok" || line === "EBUSY", `a serial adapter comes late: the bridge unit may use it (${line})`);
  report.equal(await property(board, BRIDGE, "MainPID"), before, "all that without a restart of the bridge unit");
}

/** Renewals at their usual times again. */
export async function calm(board: Board): Promise<void> {
  await configure(board, "hurried", undefined);
  await refresh(board);
  await held(board);
}

export async function bridgeIsBack(board: Board, report: Report): Promise<void> {
  const active = async () => (await property(board, BRIDGE, "ActiveState")) === "active";
  report.check(await active(), "installed again: the bridge that was enabled runs again");
}

export async function purged(board: Board, report: Report): Promise<void> {
  const left =
    "ls -d /etc/facepay-agent /var/lib/facepay-agent /usr/lib/facepay-agent /run/facepay-agent 2>/dev/null || true";
  report.equal(await shell(board, left), "", "purge: directories are gone");
  const names = "getent passwd facepay-agent facepay-bridge || true; getent group facepay-cashier facepay-tech || true";
  report.equal(await shell(board, names), "", "purge: users and groups are gone");
}
