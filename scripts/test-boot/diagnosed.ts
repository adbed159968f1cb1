import type { Report as Diagnosis } from "../../agent/diagnostics/report/report.ts";
import { AGENT, property } from "../test-machines/machine.ts";
import type { Report } from "../test-machines/report.ts";
import type { Container } from "./container.ts";

const CONFIG = "/etc/facepay-agent/config.toml";

/** `facepay-agent diagnose --json` inside, as this user. Its exit code stands in the report, too. */
async function diagnose(machine: Container, user = "root"): Promise<Diagnosis> {
  const command = "facepay-agent diagnose --json || true";
  return JSON.parse(await machine.run("runuser", "-u", user, "--", "sh", "-c", command)) as Diagnosis;
}

const failures = ({ checks }: Diagnosis) =>
  checks.filter(({ status }) => status === "fail" || status === "crash").map(({ id, detail }) => `${id}: ${detail.en}`);
const statusOf = ({ checks }: Diagnosis, id: string) => checks.find((check) => check.id === id)?.status;

/** What a technician is told on an installed terminal, of faults that only a service manager can have. */
export async function diagnosed(machine: Container, report: Report): Promise<void> {
  const well = await diagnose(machine);
  report.equal(failures(well), [], "diagnose on a terminal where all is well: no failure");
  report.equal(well.service_user, "facepay-agent", "diagnose judges files with the rights of the unit's user");
  for (const id of ["svc.enabled", "pkg.integrity", "api.socket", "key.file", "store.read", "store.write"]) {
    report.equal(statusOf(well, id), "pass", `diagnose: ${id} passes`);
  }
  const seal = well.checks.find(({ id }) => id === "cred.tpm")?.value;
  report.equal(seal, { encrypted: false, tpm: false }, "diagnose: keys in plain files are not called encrypted");
  const first = async (what: string, id: string, make: readonly string[], undo: readonly string[]) => {
    await machine.run("sh", "-c", make.join(" && "));
    const told = await diagnose(machine);
    await machine.run("sh", "-c", undo.join(" && "));
    report.equal([told.first, told.summary.exit], [id, 1], `diagnose of ${what}: the first failure is ${id}`);
  };
  await first(
    "a stopped service",
    "svc.running",
    [`systemctl stop ${AGENT}`],
    [`test "$(systemctl is-active ${AGENT})" = inactive`, `systemctl start ${AGENT}`],
  );
  await first("a disabled service", "svc.enabled", [`systemctl disable ${AGENT}`], [`systemctl enable ${AGENT}`]);
  await first(
    "a socket that was stopped",
    "api.socket",
    ["systemctl stop facepay-agent.socket"],
    [`systemctl stop ${AGENT}`, "systemctl start facepay-agent.socket", `systemctl start ${AGENT}`],
  );
  await first(
    "a socket of another group",
    "api.socket",
    ["chgrp root /run/facepay-agent/api.sock"],
    ["chgrp facepay-cashier /run/facepay-agent/api.sock"],
  );
  const key = "/etc/facepay-agent/merchant-key.pem";
  await first("a key of root's", "key.file", [`chown root ${key}`], [`chown facepay-agent ${key}`]);
  await first(
    "a configuration of root's",
    "cfg.valid",
    [`chown root:root ${CONFIG}`],
    [`chown root:facepay-agent ${CONFIG}`],
  );
  const kept = "/var/lib/facepay-agent/config.remembered.json";
  const broken = [`cp -p ${CONFIG} /root/good.toml`, `echo 'nonsense = 1' >> ${CONFIG}`];
  await first(
    "a configuration that keeps the service down",
    "cfg.valid",
    [...broken, `rm -f ${kept}`, `systemctl restart ${AGENT} || true`, "sleep 1"],
    [`cp -p /root/good.toml ${CONFIG}`, `systemctl reset-failed ${AGENT}`, `systemctl restart ${AGENT}`],
  );
  await first(
    "a changed program file",
    "pkg.integrity",
    ["echo >> /usr/lib/facepay-agent/facepay-agent.cjs"],
    ["truncate -s -1 /usr/lib/facepay-agent/facepay-agent.cjs"],
  );
  await machine.until(
    "the agent works again",
    async () => (await property(machine, AGENT, "ActiveState")) === "active",
  );
  await machine.run("useradd", "--system", "--groups", "facepay-tech", "visitor");
  const visitor = await diagnose(machine, "visitor");
  report.equal(failures(visitor), [], "a technician without root is told of no failure that is none");
  report.equal(visitor.agent, "running", "and may ask the agent");
}
