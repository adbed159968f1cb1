import { AGENT } from "../test-machines/machine.ts";
import type { Report } from "../test-machines/report.ts";
import { type Container, PEERS } from "./container.ts";
import { keysEncrypted } from "./stories.ts";

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
