import { type Container, PEERS } from "./container.ts";
import type { Report } from "./report.ts";
import { keysEncrypted } from "./stories.ts";

const AGENT = "facepay-agent.service";

export interface Versions {
  /** File names in the machine's /root. */
  readonly older: string;
  readonly newer: string;
}

/** Update, downgrade, removal and the way back, in the running machine. What is kept must be served through all of it. */
export async function updates(machine: Container, report: Report, { older, newer }: Versions): Promise<void> {
  const held = async () => (await machine.get("/v1/authinfo")).body.authinfo;
  const before = await held();
  const config = await machine.run("md5sum", "/etc/facepay-agent/config.toml");
  for (const [deb, what] of [
    [newer, "update"],
    [older, "downgrade by one version"],
  ] as const) {
    const reader = keepAsking(machine);
    await machine.run("dpkg", "-i", `/root/${deb}`);
    await machine.until("active", async () => (await machine.property(AGENT, "ActiveState")) === "active");
    const { answers, refused } = await reader.stop();
    report.check(refused === 0 && answers > 0, `${what}: ${answers} readers answered meanwhile, ${refused} refused`);
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
  report.equal(await machine.property(AGENT, "ActiveState"), "inactive", "remove: nothing runs");

  await machine.run("dpkg", "-i", `/root/${newer}`);
  report.equal(await held(), before, "installed again: the kept authinfo is served");
}

export async function purge(machine: Container): Promise<void> {
  await machine.run("dpkg", "--purge", "facepay-agent");
}

/** A reader every 50 ms, each on a connection of its own. */
function keepAsking(machine: Container) {
  let answers = 0;
  let refused = 0;
  let asking = true;
  const one = async () => {
    try {
      const { status } = await machine.get("/v1/authinfo");
      if (status === 200) answers++;
      else refused++;
    } catch {
      refused++;
    }
  };
  const all: Promise<void>[] = [];
  const timer = setInterval(() => asking && all.push(one()), 50);
  return {
    async stop() {
      asking = false;
      clearInterval(timer);
      await Promise.all(all);
      return { answers, refused };
    },
  };
}

/** Secrets by systemd's credentials, encrypted with the machine's own key. */
export async function credentials(machine: Container, report: Report): Promise<void> {
  const script = `set -e
    mkdir -p /etc/credstore.encrypted /etc/systemd/system/${AGENT}.d
    head -c 32 /dev/urandom > /root/store-key
    systemd-creds encrypt --with-key=host --name=store-key /root/store-key /etc/credstore.encrypted/facepay-agent.store-key
    systemd-creds encrypt --with-key=host --name=merchant-key.pem /etc/facepay-agent/merchant-key.pem /etc/credstore.encrypted/facepay-agent.merchant-key
    shred -u /root/store-key /etc/facepay-agent/merchant-key.pem
    cat > /etc/systemd/system/${AGENT}.d/credentials.conf <<'.'
[Service]
LoadCredentialEncrypted=store-key:/etc/credstore.encrypted/facepay-agent.store-key
LoadCredentialEncrypted=merchant-key.pem:/etc/credstore.encrypted/facepay-agent.merchant-key
.
    sed -i 's|^merchant_private_key_file = .*|merchant_private_key_file = "/run/credentials/${AGENT}/merchant-key.pem"|' /etc/facepay-agent/config.toml
    systemctl daemon-reload
    systemctl restart ${AGENT}`;
  await machine.run("sh", "-c", script);
  const fresh = async () => {
    const { status, body } = await machine.get("/v1/authinfo");
    return status === 200 && body.state === "fresh" && body.persisted === true && body;
  };
  let kept: unknown;
  await machine.until("an authinfo sealed with the credential", async () => {
    const found = await fresh();
    if (found) kept = found.authinfo;
    return found !== false;
  });
  await machine.run("systemctl", "stop", ...PEERS);
  await machine.run("systemctl", "restart", AGENT);
  report.equal(
    (await machine.get("/v1/authinfo")).body.authinfo,
    kept,
    "keys from encrypted credentials: obtained, sealed, and opened again after a restart",
  );
  report.equal(
    await keysEncrypted(machine),
    true,
    "facepay-agent diagnose: the keys are encrypted, by a key of this disk",
  );
  await machine.run("systemctl", "start", ...PEERS);
}
