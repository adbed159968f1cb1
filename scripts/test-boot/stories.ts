import { setTimeout as delay } from "node:timers/promises";
import { tell } from "../test-machines/debian.ts";
import { AGENT, type Machine, property } from "../test-machines/machine.ts";
import type { Report } from "../test-machines/report.ts";
import { NODE } from "../test-machines/terminal.ts";
import { type Container, PEERS } from "./container.ts";

interface Served {
  readonly state: string;
  readonly generation: number;
  readonly persisted: boolean;
  readonly authinfo: string;
}

const now = () => Number(process.hrtime.bigint() / 1_000n);

async function served(machine: Machine, isIt: (it: Served) => boolean, withinMs?: number): Promise<Served> {
  let found: Served | undefined;
  await machine.until(
    "the authinfo that is waited for",
    async () => {
      const { status, body } = await machine.get("/v1/authinfo");
      found = body as unknown as Served;
      return status === 200 && isIt(found);
    },
    withinMs,
  );
  if (found === undefined) throw new Error("unreachable");
  return found;
}

/** The first boot: the simulators come up, an authinfo is obtained and kept, everything is as it should be. */
export async function firstBoot(machine: Container, report: Report): Promise<Served> {
  await machine.until("the units are there", async () => (await property(machine, AGENT, "ActiveState")) === "active");
  report.equal(
    await property(machine, AGENT, "NRestarts"),
    "0",
    "the agent is active (READY) with no network, at the first try",
  );
  await machine.run("systemctl", "start", ...PEERS);
  const got = await served(machine, ({ state, persisted }) => state === "fresh" && persisted);
  report.check(true, "bridge and WeChat Pay appear: an authinfo is obtained and kept");
  const serving = await machine.run("journalctl", "-u", AGENT, "-o", "cat", "--grep", "SERVING");
  const paths = ["api", "admin"].map((name) => `/run/facepay-agent/${name}.sock`);
  report.equal(
    JSON.parse(serving).sockets,
    paths,
    "the agent knows where systemd's sockets are, so that it can ask itself",
  );
  report.check(
    /有效.*fresh, generation 1, \d+ min left/.test(await property(machine, AGENT, "StatusText")),
    `systemctl status says: ${await property(machine, AGENT, "StatusText")}`,
  );
  const failed = await machine.run("systemctl", "list-units", "--failed", "--plain", "--no-legend");
  report.check(!failed.includes("facepay"), `no unit of ours has failed`);
  return got;
}

export async function sockets(machine: Container, report: Report): Promise<void> {
  const look = (file: string) => machine.run("stat", "-c", "%a %U %G", file);
  report.equal(
    await look("/run/facepay-agent/api.sock"),
    "660 root facepay-cashier",
    "api.sock: 0660 root facepay-cashier",
  );
  report.equal(
    await look("/run/facepay-agent/admin.sock"),
    "660 root facepay-tech",
    "admin.sock: 0660 root facepay-tech",
  );
  report.equal(await look("/etc/facepay-agent"), "750 root facepay-agent", "the configuration's directory: 0750");
  report.equal(await look("/var/lib/facepay-agent"), "700 facepay-agent facepay-agent", "the state's directory: 0700");
  await machine.run("useradd", "--system", "stranger");
  await machine.run("useradd", "--system", "--groups", "facepay-cashier", "till");
  await machine.run("useradd", "--system", "--groups", "facepay-tech", "mender");
  const asks = async (user: string, socket: string) => {
    const code = `require("http").get({socketPath:"/run/facepay-agent/${socket}.sock",path:"/livez"},r=>{console.log(r.statusCode);r.resume()}).on("error",e=>console.log(e.code))`;
    return await machine.run("runuser", "-u", user, "--", "/usr/lib/facepay-agent/bin/node", "-e", code);
  };
  report.equal(
    [await asks("stranger", "api"), await asks("stranger", "admin")],
    ["EACCES", "EACCES"],
    "a user outside both groups is refused at both sockets",
  );
  report.equal(
    [await asks("till", "api"), await asks("till", "admin")],
    ["200", "EACCES"],
    "a cashier gets in at api.sock alone",
  );
  report.equal(
    [await asks("mender", "admin"), await asks("mender", "api")],
    ["200", "EACCES"],
    "a technician gets in at admin.sock alone",
  );
}

/** What systemd and udev themselves think of the files. */
export async function units(machine: Container, report: Report): Promise<void> {
  const names = ["service", "socket"].map((kind) => `facepay-agent.${kind}`);
  const all = [...names, "facepay-agent-admin.socket", "facepay-bridge.service"];
  // There are no manual pages in a minimal Debian.
  const verified = await machine.run("sh", "-c", `systemd-analyze verify --man=no ${all.join(" ")} 2>&1; true`);
  report.equal(verified, "", "systemd-analyze verify has no complaint");
  const [, score] =
    /exposure level for [^:]+: ([\d.]+)/.exec(await machine.run("systemd-analyze", "security", "--no-pager", AGENT)) ??
    [];
  report.check(Number(score) <= 1.5, `systemd-analyze security: ${score} (limit 1.5)`);
  const rules = await machine.run(
    "sh",
    "-c",
    "udevadm test --action=add /sys/class/net/lo 2>&1 | grep facepay | grep -v 'Reading rules file'; true",
  );
  report.equal(rules, "", "udev reads the rule without a complaint");
  await machine.run("runuser", "-u", "facepay-agent", "--", "facepay-agent", "config", "check");
  report.check(true, "facepay-agent config check, as the agent's user: valid");
  report.equal(
    await keysEncrypted(machine),
    false,
    "facepay-agent diagnose: the keys are plain files, which is a warning",
  );
}

/** What diagnose knows of the keys' protection; undefined when it does not warn, as it must without a TPM. */
export async function keysEncrypted(machine: Container): Promise<boolean | undefined> {
  const said = await machine.run("sh", "-c", "facepay-agent diagnose --json --only cred.tpm; true");
  const [check] = JSON.parse(said).checks;
  return check.status === "warn" ? check.value.encrypted : undefined;
}

/** A reload through systemd. Version 252 returns as soon as the agent has been asked to. */
export async function reload(machine: Container, report: Report): Promise<void> {
  const hash = async () => {
    const { body } = await machine.get("/v1/status", "/run/facepay-agent/admin.sock");
    return (body.config as { hash: string }).hash;
  };
  const before = await hash();
  const file = "/etc/facepay-agent/config.d/level.toml";
  await machine.run(
    "sh",
    "-c",
    `printf '[log]\nlevel = "debug"\n' > ${file}; chgrp facepay-agent ${file}; chmod 0640 ${file}`,
  );
  await machine.run("systemctl", "reload", AGENT);
  await machine.until("another configuration in force", async () => (await hash()) !== before);
  report.check(true, "systemctl reload: the changed configuration is in force");
  await machine.run("rm", file);
  await machine.run("systemctl", "reload", AGENT);
  await machine.until("the former configuration in force", async () => (await hash()) === before);
  report.check(true, "and again when the change is taken back");
  await machine.until("active", async () => (await property(machine, AGENT, "ActiveState")) === "active");
  report.equal(await property(machine, AGENT, "ActiveState"), "active", "the agent is active after both");
}

const seconds = (ms: number) => (ms / 1_000).toFixed(2);

/** A machine may be busy or emulated: as long as so many starts of a bare Node take on it, when that is longer than `ms`. */
async function limitOf(machine: Machine, ms: number, bareStarts: number): Promise<number> {
  const at = performance.now();
  for (let n = 0; n < 3; n++) await machine.run(NODE, "-e", "0");
  return Math.max(ms, (bareStarts * (performance.now() - at)) / 3);
}

/** SIGKILL: a reader that asks while nobody is there waits at the socket and is answered by the next agent. */
export async function kill(machine: Machine, report: Report, before: Pick<Served, "authinfo">): Promise<void> {
  const pid = await property(machine, AGENT, "MainPID");
  const at = performance.now();
  await machine.run("sh", "-c", `kill -9 ${pid}`);
  await machine.until("the old agent is gone", async () => (await property(machine, AGENT, "MainPID")) !== pid);
  const { status, body } = await machine.get("/v1/authinfo");
  const ms = performance.now() - at;
  report.equal(
    [status, body.authinfo],
    [200, before.authinfo],
    "kill -9: a reader who asks meanwhile gets the kept authinfo",
  );
  const limit = await limitOf(machine, 3_000, 20);
  report.check(ms < limit, `kill -9: serving again after ${seconds(ms)} s (limit ${seconds(limit)} s)`);
  await machine.until("active", async () => (await property(machine, AGENT, "ActiveState")) === "active");
  const restarts = await property(machine, AGENT, "NRestarts");
  if (restarts !== "1") tell(await machine.run("journalctl", "-n", "60", "--no-pager", "-u", AGENT));
  report.equal(restarts, "1", "kill -9: one restart");
}

/** A loop that hangs, as far as anyone outside can tell: the process is stopped. */
export async function hang(machine: Container, report: Report): Promise<void> {
  const before = await property(machine, AGENT, "NRestarts");
  const pid = await property(machine, AGENT, "MainPID");
  const at = performance.now();
  await machine.run("sh", "-c", `kill -STOP ${pid}`);
  await machine.until("a restart", async () => (await property(machine, AGENT, "NRestarts")) !== before, 90_000);
  const s = (performance.now() - at) / 1_000;
  report.check(true, `a hung agent is restarted by the watchdog (of 10 s here) after ${s.toFixed(1)} s`);
  report.equal((await machine.get("/v1/authinfo")).status, 200, "and serves again");
}

/** Everything outside fails for longer than the watchdog's time: no reason for a restart. */
export async function outage(machine: Container, report: Report): Promise<void> {
  const before = await property(machine, AGENT, "NRestarts");
  await machine.run("systemctl", "stop", ...PEERS);
  await delay(22_000);
  report.equal(
    await property(machine, AGENT, "NRestarts"),
    before,
    "22 s without bridge and WeChat Pay: the watchdog (10 s) is fed",
  );
  report.equal((await machine.get("/v1/authinfo")).status, 200, "and the kept authinfo is served");
  await machine.run("systemctl", "start", ...PEERS);
  await machine.until("the bridge is ready again", async () => {
    const { body } = await machine.get("/v1/status", "/run/facepay-agent/admin.sock");
    return (body.bridge as { state?: unknown }).state === "ready";
  });
}

/** From the start of the unit to the first answer, by one clock: a container shares this machine's. */
export async function servedAfterBoot(machine: Container, report: Report, before: Served): Promise<void> {
  let answer: Awaited<ReturnType<Container["get"]>> | undefined;
  await machine.until("the first answer", async () => {
    answer = await machine.get("/v1/authinfo");
    return true;
  });
  const answered = now();
  await machine.until("active", async () => (await property(machine, AGENT, "ActiveState")) === "active");
  const started = Number(await property(machine, AGENT, "ExecMainStartTimestampMonotonic"));
  const ms = (answered - started) / 1_000;
  report.equal(
    [answer?.status, answer?.body.authinfo],
    [200, before.authinfo],
    "after a power cut, no network: the first answer is the kept authinfo",
  );
  const limit = await limitOf(machine, 1_000, 8);
  report.check(ms < limit, `served ${ms.toFixed(0)} ms after the start of the unit (limit ${limit.toFixed(0)} ms)`);
}

/** Off all night: expired at once, and a new one within 5 s of the link. */
export async function overNight(machine: Container, report: Report): Promise<void> {
  let code: unknown;
  await machine.until("the first answer", async () => {
    code = (await machine.get("/v1/authinfo")).body.code;
    return true;
  });
  report.equal(code, "AUTHINFO_EXPIRED", "off for longer than its lifetime: the first answer says expired");
  await machine.settled();
  await machine.run("systemctl", "start", "simulated-bridge");
  // As in the morning: some time without a network, so the next attempt would be far off.
  await delay(20_000);
  await machine.run("systemctl", "start", "simulated-pay");
  await machine.until("WeChat Pay listens", async () => {
    const sockets = await machine.run("cat", "/proc/net/tcp");
    return sockets.includes(":20FB 00000000:0000 0A");
  });
  await machine.network("ip", "link", "add", "shop0", "type", "veth", "peer", "name", "shop1");
  await machine.network("ip", "addr", "add", "192.0.2.1/24", "dev", "shop0");
  await machine.network("ip", "link", "set", "shop1", "up");
  await machine.network("ip", "link", "set", "shop0", "up");
  const at = performance.now();
  await served(machine, ({ state }) => state === "fresh");
  const s = (performance.now() - at) / 1_000;
  report.check(s < 5, `the link comes up: renewed after ${s.toFixed(2)} s (limit 5 s)`);
}
