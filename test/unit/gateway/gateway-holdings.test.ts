import { generateKeyPairSync, KeyObject } from "node:crypto";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLog } from "../../../agent/common/log/log.ts";
import type { PinoLog } from "../../../agent/common/log/pino-log.ts";
import { loadGateway } from "../../../agent/gateway/load.ts";
import { RuntimeConfig } from "../../../agent/gateway/runtime-config.ts";
import { authorityId } from "../../../agent/gateway/tls/authorities.ts";
import { type GatewayWarning, Warnings } from "../../../agent/gateway/warnings.ts";
import type { Forwarder } from "../../../agent/wechatpay/forward.ts";
import { FakeClock } from "../../support/fakes/fake-clock.ts";
import { NOW, type Paper, TestAuthority } from "../../support/fixtures/authorities.ts";
import { tomlOf } from "../../support/fixtures/config-fixture.ts";

const DAY_MS = 86_400_000;
const pem = (key: KeyObject, type: "spki" | "pkcs8") => key.export({ type, format: "pem" }).toString();
const merchant = generateKeyPairSync("rsa", { modulusLength: 2048 });
const platform = generateKeyPairSync("rsa", { modulusLength: 2048 });

const old = await TestAuthority.create("Shop CA");
const fresh = await TestAuthority.create("Shop CA");
const [oldPaper, freshPaper] = [await old.certified(), await fresh.certified()];
const [ofOld, ofFresh] = [await old.issue(), await fresh.issue()];
const far = { nextUpdate: NOW + 9 * DAY_MS };

let directory: string;
let clock: FakeClock;
let runtimeConfig: RuntimeConfig;
let warnings: Warnings;
let taken: string[];
/** Two readers of files at each second, one each five, and one that judges dates each minute. */
const SLEEPERS = 4;

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await writeFile(path.join(directory, `${name}.new`), text, { mode: 0o600 });
    await rename(path.join(directory, `${name}.new`), path.join(directory, name));
  }
}

/** The files are read in real time: a look is over when all sleep again. */
async function asleep(): Promise<void> {
  while (clock.sleeping < SLEEPERS) await delay(1);
}

async function seconds(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await clock.advance(1_000);
    await asleep();
  }
}

const standing = (): GatewayWarning[] => warnings.list().map(({ code }) => code);
const verdict = (leaf: Paper, authority: Paper) =>
  runtimeConfig.now.revocations.judge(leaf.serial, authorityId(authority.certificate), clock.wall()) ?? "ok";

const serverPair = async () => {
  const { pem: cert, keys } = await old.issue("gateway", { notAfter: NOW + 300 * DAY_MS });
  return { "server.pem": cert, "server.key": pem(KeyObject.from(keys.privateKey), "pkcs8") };
};

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), "facepay-holdings-"));
  clock = new FakeClock({ wall: NOW });
  const file = path.join(directory, "gateway.toml");
  await write({
    ...(await serverPair()),
    "merchant.pem": pem(merchant.privateKey, "pkcs8"),
    "pub_key.pem": pem(platform.publicKey, "spki"),
    "ca.pem": oldPaper.pem,
    "ca.crl": await old.list([], far),
    "devices.jsonl": `${JSON.stringify({ device_id: "D1", sub_mchid: "1900000109", organization_id: "O004ABC8FZ2023031514461460894a", certificate_cn: "D1" })}\n`,
    "gateway.toml": tomlOf(
      {
        identity: { sp_mchid: '"1900000100"', sp_appid: '"wxd678efh567hg6787"' },
        listen: { cert_file: '"server.pem"', key_file: '"server.key"' },
        devices: { register_file: '"devices.jsonl"', ca_file: '"ca.pem"', crl_file: '"ca.crl"' },
        wechatpay: {
          public_key_id: '"PUB_KEY_ID_1"',
          public_key_file: '"pub_key.pem"',
          merchant_serial_no: `"${"5".repeat(40)}"`,
          merchant_private_key_file: '"merchant.pem"',
        },
      },
      {},
    ),
  });
  const loaded = await loadGateway(file, { env: {}, wallMs: clock.wall() });
  if (loaded.kind !== "ok") throw new Error(JSON.stringify(loaded));
  warnings = new Warnings(silentLog);
  taken = [];
  const forwarder: Forwarder = {
    forward: () => Promise.reject(new Error("nobody asks")),
    status: () => ({ baseUrls: [] }),
    prepare: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  const log: PinoLog = { ...silentLog, setLevel: () => undefined, flush: () => Promise.resolve() };
  runtimeConfig = new RuntimeConfig(loaded.loaded, {
    file,
    env: {},
    clock,
    log,
    warnings,
    createForwarder: () => forwarder,
    onSecrets: () => taken.push("secrets"),
    onTrust: () => taken.push("trust"),
    onRegister: () => taken.push("register"),
  });
  runtimeConfig.watch();
  await asleep();
});

afterEach(async () => {
  await runtimeConfig.stop();
  await rm(directory, { recursive: true });
});

describe("files of the gateway that belong together", () => {
  it("are taken together: authorities and their lists, written one after the other", async () => {
    await write({ "ca.pem": oldPaper.pem + freshPaper.pem });
    await seconds(1);
    await write({ "ca.crl": (await old.list([ofOld], far)) + (await fresh.list([], far)) });
    await seconds(1);
    expect([taken, standing(), verdict(ofOld, oldPaper)]).toEqual([[], [], "ok"]);
    await seconds(1);
    expect([taken, standing()]).toEqual([["trust"], []]);
    expect([verdict(ofOld, oldPaper), verdict(ofFresh, freshPaper)]).toEqual(["CERTIFICATE_REVOKED", "ok"]);
    expect(runtimeConfig.terminalCa).toBe(oldPaper.pem + freshPaper.pem);
  });

  it.each(["ca.pem", "ca.crl"])("wait for each other, with the former ones in force: %s first", async (first) => {
    const both: Record<string, string> = { "ca.pem": freshPaper.pem, "ca.crl": await fresh.list([], far) };
    await write({ [first]: both[first] ?? "" });
    await seconds(30);
    expect([taken, standing()]).toEqual([[], ["TRUST_REFUSED"]]);
    expect([verdict(ofOld, oldPaper), runtimeConfig.terminalCa]).toEqual(["ok", oldPaper.pem]);
    await write(both);
    await seconds(2);
    expect([taken, standing()]).toEqual([["trust"], []]);
    expect([verdict(ofFresh, freshPaper), verdict(ofOld, oldPaper)]).toEqual(["ok", "CERTIFICATE_FOREIGN"]);
  });

  it("are taken together: a certificate and its key", async () => {
    const before = runtimeConfig.secrets.tls;
    const { "server.pem": cert, "server.key": key } = await serverPair();
    await write({ "server.pem": cert });
    await seconds(5);
    await write({ "server.key": key });
    await seconds(5);
    expect([taken, standing(), runtimeConfig.secrets.tls]).toEqual([[], [], before]);
    await seconds(5);
    expect([taken, standing(), runtimeConfig.secrets.tls]).toEqual([["secrets"], [], { cert, key }]);
  });

  it("are no hindrance to others: what is wrong with one set leaves the rest its way", async () => {
    await write({ "server.pem": "broken", "devices.jsonl": "{" });
    await seconds(10);
    await write({ "ca.crl": await old.list([ofOld], far) });
    await seconds(2);
    expect(standing().toSorted()).toEqual(["REGISTER_REFUSED", "SECRETS_REFUSED"]);
    expect([taken, verdict(ofOld, oldPaper)]).toEqual([["trust"], "CERTIFICATE_REVOKED"]);
  });
});

describe("a revocation list", () => {
  it.each([
    ["is cut off", (pemText: string) => pemText.slice(0, -60)],
    ["is empty", () => ""],
  ])(
    "that %s is not taken; the former one is in force until it ends, and then no certificate is",
    async (_w, change) => {
      await write({ "ca.crl": change(await old.list([], far)) });
      await seconds(2);
      expect([standing(), verdict(ofOld, oldPaper)]).toEqual([["TRUST_REFUSED"], "ok"]);
      clock.stepWall(9 * DAY_MS);
      await seconds(60);
      expect([standing(), verdict(ofOld, oldPaper)]).toEqual([["TRUST_REFUSED", "CRL_OUTDATED"], "REVOCATION_UNKNOWN"]);
    },
  );

  it("is warned about before it ends, then told as out of date, until there is a newer one", async () => {
    await write({ "ca.crl": await old.list([], { thisUpdate: NOW - 3_600_000, nextUpdate: NOW + 3 * 3_600_000 }) });
    await seconds(2);
    expect(standing()).toEqual([]);
    // A quarter of its four hours is left.
    clock.stepWall(2 * 3_600_000);
    await seconds(60);
    expect(standing()).toEqual(["CRL_EXPIRING"]);
    clock.stepWall(3_600_000);
    await seconds(60);
    expect([standing(), verdict(ofOld, oldPaper)]).toEqual([["CRL_OUTDATED"], "REVOCATION_UNKNOWN"]);
    await write({ "ca.crl": await old.list([], far) });
    await seconds(2);
    expect([standing(), verdict(ofOld, oldPaper)]).toEqual([[], "ok"]);
  });
});
