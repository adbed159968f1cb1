import { setTimeout as delay } from "node:timers/promises";
import { AGENT, type Machine, property } from "./machine.ts";
import type { Report } from "./report.ts";

export interface Versions {
  /** File names in the machine's /root. */
  readonly older: string;
  readonly newer: string;
}

/** Readers at the same time, and how long each pauses. */
export interface Readers {
  readonly count: number;
  readonly pauseMs: number;
}

/** Update, downgrade, removal and the way back, in the running machine. What is kept must be served through all of it. */
export async function updates(
  machine: Machine,
  report: Report,
  { older, newer }: Versions,
  { count, pauseMs }: Readers = { count: 1, pauseMs: 20 },
): Promise<void> {
  const held = async () => (await machine.get("/v1/authinfo")).body.authinfo;
  const before = await held();
  const config = await machine.run("md5sum", "/etc/facepay-agent/config.toml");
  for (const [deb, what] of [
    [newer, "update"],
    [older, "downgrade by one version"],
  ] as const) {
    const readers = Array.from({ length: count }, () => keepAsking(machine, pauseMs));
    await machine.run("dpkg", "-i", `/root/${deb}`);
    await machine.until("active", async () => (await property(machine, AGENT, "ActiveState")) === "active");
    for (const [n, { answers, refused, why }] of (
      await Promise.all(readers.map((reader) => reader.stop()))
    ).entries()) {
      const told = `${answers} reads answered meanwhile, ${refused} refused${why}`;
      report.check(refused === 0 && answers > 0, `${what}, reader ${n + 1} of ${count}: ${told}`);
    }
    report.equal(await held(), before, `${what}: the kept authinfo is served`);
    const [, running] = (await machine.run("dpkg-query", "-W", "facepay-agent")).split("\t");
    report.equal(running, deb.split("_")[1], `${what}: version ${running} is installed`);
  }

  await machine.run("dpkg", "-r", "facepay-agent");
  const left = async (file: string) =>
    machine.run("test", "-e", file).then(
      () => true,
      () => false,
    );
  report.equal(
    await machine.run("md5sum", "/etc/facepay-agent/config.toml"),
    config,
    "remove: the configuration stays",
  );
  report.check(await left("/var/lib/facepay-agent/state.sealed"), "remove: the state stays");
  report.check(!(await left("/run/facepay-agent/api.sock")), "remove: the sockets are gone");
  report.equal(await property(machine, AGENT, "ActiveState"), "inactive", "remove: nothing runs");

  await machine.run("dpkg", "-i", `/root/${newer}`);
  report.equal(await held(), before, "installed again: the kept authinfo is served");
}

export async function purge(machine: Machine): Promise<void> {
  await machine.run("dpkg", "--purge", "facepay-agent");
}

/** A cashier app that reads without end, each time on a connection of its own, a while after its last answer. */
function keepAsking(machine: Machine, pauseMs: number) {
  let answers = 0;
  let refused = 0;
  /** Of the first one that was refused. */
  let why = "";
  const stopped = new AbortController();
  const asked = (async () => {
    while (!stopped.signal.aborted) {
      const met = await machine
        .get("/v1/authinfo")
        .then(({ status, body }) => (status === 200 ? "" : ` (${status} ${body.code})`))
        .catch((error: unknown) => ` (${error})`);
      if (met === "") answers++;
      else {
        refused++;
        why ||= met;
      }
      await delay(pauseMs);
    }
  })();
  return {
    async stop() {
      stopped.abort();
      await asked;
      return { answers, refused, why };
    },
  };
}
