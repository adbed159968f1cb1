import { writeFile } from "node:fs/promises";
import { afterAll, describe, expect, it } from "vitest";
import { openRig, removeFactory } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

const DAY_MS = 86_400_000;

describe("a client certificate", () => {
  it("is taken anew when its files change, its end is watched, and half a pair is refused", async () => {
    await using rig = await openRig({ mode: "gateway" });
    await rig.serve();
    const warned = async () => (await rig.status()).warnings.map(({ code }) => code);
    expect(await warned()).not.toContain("CLIENT_CERT_EXPIRING");

    const { ca, identity } = rig.playground;
    const ends = Math.floor((Date.now() + 9 * DAY_MS) / 1_000) * 1_000;
    const renewed = await ca.issueClient({ commonName: identity.deviceId, notAfter: ends });
    await writeFile(rig.within("terminal-cert.pem"), renewed.certPem);
    await rig.until("the refusal of half a pair", async () =>
      (await warned()).includes("SECRETS_REFUSED") ? true : undefined,
    );
    expect((await rig.refresh()).status).toBe(200);

    await writeFile(rig.within("terminal-key.pem"), renewed.privateKeyPem);
    await rig.until("the new pair in use", async () =>
      (await warned()).includes("CLIENT_CERT_EXPIRING") ? true : undefined,
    );
    const status = JSON.parse(JSON.stringify(await rig.status()));
    expect(status.wechatpay.client_cert_expires_at).toBe(new Date(ends).toISOString());
    expect(await warned()).not.toContain("SECRETS_REFUSED");
    await rig.until("a refresh with the new pair", async () =>
      (await rig.refresh()).status === 200 ? true : undefined,
    );
    expect((await rig.served()).generation).toBeGreaterThanOrEqual(3);
    expect(rig.leaks()).toEqual([]);
  });
});
