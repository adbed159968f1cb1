import { execFileSync } from "node:child_process";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { appendFile, chmod, chown, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { noOtherUsers, programForAll } from "../../support/children/as-user.ts";
import { openRig, type Rig, removeFactory, type StartOptions } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

const KEY = "merchant-key.pem";
const pem = (key: KeyObject, more = {}) => key.export({ type: "pkcs8", format: "pem", ...more }).toString();

/** What is on the disk, but for the configuration that is remembered of it. */
async function stateOf(rig: Rig): Promise<string[]> {
  const names = (await readdir(rig.stateDirectory)).filter((name) => name.startsWith("state.")).sort();
  const read = async (name: string) => (await readFile(path.join(rig.stateDirectory, name))).toString("base64");
  return await Promise.all(names.map(async (name) => `${name} ${await read(name)}`));
}

/** `run` ends with 78, says these words and no secret, and leaves the state as it is. */
async function expectRefused(rig: Rig, words: string): Promise<void> {
  const before = await stateOf(rig);
  const agent = rig.start({ args: ["run", "--config", rig.configFile, "--lang", "en"] });
  // What waits for the other end of a pipe must not keep this one waiting.
  const { code } = await Promise.race([agent.exited, delay(10_000, { code: "it waits" })]);
  expect(code).toBe(78);
  expect(agent.stderr).toContain(words);
  expect(agent.stdout).toBe("");
  expect(await stateOf(rig)).toEqual(before);
  expect(before.length).toBeGreaterThan(0);
}

/** What is kept is served, no request goes out, and the refusal stands with these words. */
async function expectHeld(rig: Rig, words: string, options: StartOptions = {}): Promise<void> {
  const [before, asked] = [await stateOf(rig), rig.pay.requests.length];
  rig.start(options);
  expect((await rig.firstAnswer()).body).toMatchObject({ generation: 1 });
  await rig.statusWhere(words, ({ warnings }) =>
    warnings.some(({ code, detail }) => code === "SECRETS_UNUSABLE" && detail?.includes(words)),
  );
  expect(rig.pay.requests.length).toBe(asked);
  expect((await rig.stop()).code).toBe(0);
  expect(await stateOf(rig)).toEqual(before);
  expect(before.length).toBeGreaterThan(0);
}

/** One terminal that holds an authinfo, is stopped, has its key spoilt in each way in turn, and fixed at the end. */
async function spoil(ways: readonly [spoil: (file: string, rig: Rig) => Promise<unknown>, words: string][]) {
  await using rig = await openRig();
  const { authinfo } = await rig.serve();
  expect((await rig.stop()).code).toBe(0);
  const file = rig.within(KEY);
  const good = await readFile(file);
  for (const [way, words] of ways) {
    await way(file, rig);
    await expectHeld(rig, words);
    await rm(file, { recursive: true, force: true });
    await writeFile(file, good, { mode: 0o600 });
  }
  await rig.payDown();
  rig.start();
  expect((await rig.firstAnswer()).body).toMatchObject({ authinfo, generation: 1 });
}

describe.concurrent("a secret file", () => {
  it("that others may read, that is a link, a directory or a pipe, missing or empty, is refused", async () => {
    await spoil([
      [(file) => chmod(file, 0o644), `whose mode 0644 lets others in`],
      [(file) => chmod(file, 0o640), `whose mode 0640 lets others in`],
      [
        async (file, rig) => {
          await rename(file, rig.within("real.pem"));
          await symlink("real.pem", file);
        },
        "a symbolic link",
      ],
      [
        async (file) => {
          await rm(file);
          await mkdir(file, { mode: 0o700 });
        },
        "not a regular file",
      ],
      [
        async (file) => {
          await rm(file);
          execFileSync("mkfifo", ["-m", "0400", file]);
        },
        "not a regular file",
      ],
      [(file) => rm(file), "does not exist"],
      [(file) => writeFile(file, ""), "is empty"],
    ]);
  });

  it("in a directory that is open to everyone is refused", async () => {
    await using rig = await openRig();
    await rig.serve();
    await rig.stop();
    await chmod(rig.directory, 0o777);
    await expectRefused(rig, `chmod go-w ${rig.directory}`);
  });

  it("of another user is refused, to an agent that is not root", async ({ skip }) => {
    skip(noOtherUsers !== undefined, noOtherUsers);
    await using program = await programForAll();
    await using rig = await openRig();
    const user = 65_534;
    execFileSync("chown", ["-R", `${user}:${user}`, rig.directory]);
    await rig.serve({ user, ...program });
    await rig.stop();
    await chown(rig.within("merchant-key.pem"), 12_345, user);
    await chmod(rig.within("merchant-key.pem"), 0o400);
    await expectHeld(rig, "chown facepay-agent", { user, ...program });
  });
});

describe.concurrent("a key file", () => {
  it("that holds anything but an RSA key of 2048 bits and more, open to read, is refused", async () => {
    const strong = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const { privateKey: elliptic } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const { privateKey: short } = generateKeyPairSync("rsa", { modulusLength: 1024 });
    const publicPem = strong.publicKey.export({ type: "spki", format: "pem" }).toString();
    const content =
      (text: string): ((file: string) => Promise<void>) =>
      (file) =>
        writeFile(file, text);
    await spoil([
      [content(pem(elliptic)), "which is an EC key, not an RSA key"],
      [content(pem(short)), "which is an RSA key of 1024 bits, too short"],
      [content(pem(strong.privateKey, { cipher: "aes-256-cbc", passphrase: "x" })), "encrypted with a password"],
      [content(publicPem), "which is a public key, not a private key"],
      [content("MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"), "which is no PEM text"],
      [content(pem(strong.privateKey).replace(/\n.{20}/, "\nAAAA")), "damaged"],
      [async (file, rig) => writeFile(file, await readFile(rig.within("terminal-cert.pem"))), "is a certificate"],
      [
        async (_file, rig) => {
          await rename(rig.within("wechatpay-public-key.pem"), rig.within("aside.pem"));
          await writeFile(rig.within("wechatpay-public-key.pem"), pem(strong.privateKey));
        },
        "which is a private key, not WeChat Pay's public key",
      ],
      [
        async (_file, rig) => {
          await rename(rig.within("aside.pem"), rig.within("wechatpay-public-key.pem"));
          await appendFile(rig.configFile, "#");
          await writeFile(rig.within(KEY), "\0".repeat(20_000));
        },
        "larger than",
      ],
    ]);
  });

  it("with Windows line ends and a byte order mark is as good as any", async () => {
    await using rig = await openRig();
    for (const name of [KEY, "wechatpay-public-key.pem"]) {
      const text = await readFile(rig.within(name), "utf8");
      await writeFile(rig.within(name), `\ufeff${text.replaceAll("\n", "\r\n")}`);
    }
    await rig.serve();
    expect(rig.pay.requests[0]).toMatchObject({ verified: true });
  });
});

describe.concurrent("the remembered configuration", () => {
  it("that is damaged, or open to others, does not stand in for a bad one: 78, and the state is left alone", async () => {
    await using rig = await openRig();
    const { authinfo } = await rig.serve();
    expect((await rig.stop()).code).toBe(0);
    await rig.configure({ refresh: { refresh_at: 7 } });
    const remembered = path.join(rig.stateDirectory, "config.remembered.json");
    const good = await readFile(remembered);
    await writeFile(remembered, good.subarray(0, good.length >> 1));
    await expectRefused(rig, "refresh.refresh_at");
    await writeFile(remembered, JSON.stringify({ format: 1, hash: "x", settings: { log: { level: "loud" } } }));
    await expectRefused(rig, "refresh.refresh_at");
    await writeFile(remembered, good);
    await chmod(remembered, 0o666);
    await expectRefused(rig, "refresh.refresh_at");
    await chmod(remembered, 0o600);
    rig.start();
    expect((await rig.firstAnswer()).body.authinfo).toBe(authinfo);
    await rig.statusWhere("the warning", ({ warnings }) => warnings.some(({ code }) => code === "CONFIG_REMEMBERED"));
  });

  it("is written again when it is damaged and the present one is good", async () => {
    await using rig = await openRig();
    await rig.serve();
    const remembered = path.join(rig.stateDirectory, "config.remembered.json");
    const good = await rig.until("it is remembered", () => readFile(remembered, "utf8"));
    await rig.stop();
    await writeFile(remembered, "{");
    rig.start();
    await rig.until("it is whole", async () => (await readFile(remembered, "utf8")) === good);
  });
});

describe.concurrent("a reload while an attempt hangs", () => {
  it.each([
    ["good", { log: { level: "debug" } }],
    ["bad", { refresh: { refresh_at: 7 } }],
  ] as const)("is taken up or refused at once (a %s one), and no reader is turned away", async (kind, change) => {
    await using rig = await openRig();
    const { authinfo } = await rig.serve();
    const { config } = await rig.status();
    const before = rig.pay.requests.length;
    rig.pay.faults.always = { delivery: "hang" };
    void rig.refresh().catch(() => undefined);
    await rig.until("the request that hangs", async () => rig.pay.requests.length > before);
    let reading = true;
    const readers = (async () => {
      const bad: unknown[] = [];
      while (reading) {
        const { status, body } = await rig.get();
        if (status !== 200 || body.authinfo !== authinfo || body.generation !== 1) bad.push({ status, body });
      }
      return bad;
    })();
    const askedAt = performance.now();
    await rig.configure(change);
    rig.agent.kill("SIGHUP");
    if (kind === "good") await rig.statusWhere("the new one", (status) => status.config?.hash !== config?.hash);
    else {
      await rig.statusWhere("the refusal", ({ warnings }) =>
        warnings.some(({ code }) => code === "CONFIG_RELOAD_REFUSED"),
      );
      expect((await rig.status()).config?.hash).toBe(config?.hash);
    }
    // The attempt has ten seconds, the reload waits for none of them.
    expect(performance.now() - askedAt).toBeLessThan(5_000);
    reading = false;
    expect(await readers).toEqual([]);
    rig.pay.faults.clear();
  });
});
