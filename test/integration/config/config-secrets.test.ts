import { generateKeyPairSync, KeyObject } from "node:crypto";
import { chmod, chown, mkdir, rm, symlink } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type NamedFiles, type SecretKey, secretKeys } from "../../../agent/config/secrets/named-files.ts";
import { loadAll, loadSecrets } from "../../../agent/config/secrets/secrets.ts";
import { textOf } from "../../../agent/messages/text-of.ts";
import { createAuthority } from "../../../agent/simulator/certificates.ts";
import { ConfigDirectory, directSections, gatewaySections, tomlOf } from "../../support/fixtures/config-fixture.ts";

const NOW = Date.UTC(2026, 5, 1);
const DAY_MS = 86_400_000;

type Files = Partial<Record<SecretKey, string>>;

const rsa = (modulusLength: number) => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength });
  return {
    publicPem: publicKey.export({ type: "spki", format: "pem" }).toString(),
    privatePem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    privatePkcs1: privateKey.export({ type: "pkcs1", format: "pem" }).toString(),
    encrypted: privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" }).toString(),
    encryptedPkcs1: privateKey
      .export({ type: "pkcs1", format: "pem", cipher: "aes-256-cbc", passphrase: "x" })
      .toString(),
  };
};
const strong = rsa(2048);
const weak = rsa(1024);
/** WeChat Pay's. */
const platform = rsa(2048);
const elliptic = generateKeyPairSync("ec", { namedCurve: "P-256" });
const ellipticPem = {
  publicPem: elliptic.publicKey.export({ type: "spki", format: "pem" }).toString(),
  privatePem: elliptic.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
};
const pss = generateKeyPairSync("rsa-pss", { modulusLength: 2048 });
const pssPem = {
  publicPem: pss.publicKey.export({ type: "spki", format: "pem" }).toString(),
  privatePem: pss.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
};

const x25519 = generateKeyPairSync("x25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
/** Of RSA 1024, by openssl req -x509: our own authority issues no such thing. */
const weakCertificate = `-----BEGIN CERTIFICATE-----
MIIB8DCCAVmgAwIBAgIUE0V2THPz50Cm08FBPEmSBa9TOnowDQYJKoZIhvcNAQEL
BQAwDDEKMAgGA1UEAwwBdDAgFw0yNjExMjYwMjA5MjBaGA8yMTI2MTEwMjAyMDky
MFowDDEKMAgGA1UEAwwBdDCBnzANBgkqhkiG9w0BAQEFAAOBjQAwgYkCgYEAycu4
g0KZHL6TrJHnnF8yNN/JOrfszwSuCUUOz/RuuCy1lvYfrKH1fjCA3SjYAkfDvelO
au0qrG8Wl9E7hhH7xZjWyr3k4QKk1WXExzpD3HdW2uVPuVfPAoN0+58XEe7oP/UI
LEhExBOUvy1WL3QynjdWAvdYJ3pWZV3kw+Pp6akCAwEAAaNNMEswHQYDVR0OBBYE
FFtSy5ImdAj3O2octPkyPm4RS5nAMB8GA1UdIwQYMBaAFFtSy5ImdAj3O2octPky
Pm4RS5nAMAkGA1UdEwQCMAAwDQYJKoZIhvcNAQELBQADgYEAm1IIMQsyDI3g53el
uiPMBjZMn9ywo2+5W9sefgm1rwHbZmyST5BAFF/0NgUpHFeR692gpXYDKWXF7WKI
I1M//7ojtvAYQOTywZZG708d40ayNSrpNGTfJSKsDo6+joB/OqWNN1/LYRmxWPv0
LDHho5yiF+8NJwbtwjmk8K/WrAU=
-----END CERTIFICATE-----
`;

const client = { cert: "", key: "", expired: "", expiring: "", future: "", ca: "", otherKey: "" };

beforeAll(async () => {
  const authority = await createAuthority({ now: NOW });
  const good = await authority.issueClient({ commonName: "terminal" });
  const days = (count: number) => NOW + count * DAY_MS;
  client.cert = good.certPem;
  client.key = good.privateKeyPem;
  client.ca = authority.certPem;
  client.otherKey = strong.privatePem;
  client.expired = (await authority.issueClient({ notBefore: days(-9), notAfter: days(-1) })).certPem;
  client.expiring = (await authority.issueClient({ notAfter: days(29.5) })).certPem;
  client.future = (await authority.issueClient({ notBefore: days(1), notAfter: days(400) })).certPem;
});

/** Writes the contents as files of mode 0400, the public key with them, and loads. */
async function load(contents: Files, options: { mode?: number; uid?: number; env?: Record<string, string> } = {}) {
  await using directory = await ConfigDirectory.create();
  const named = new Map<SecretKey, string>();
  const all: Files = { "wechatpay.public_key_file": platform.publicPem, ...contents };
  for (const key of secretKeys) {
    const content = all[key];
    if (content !== undefined) named.set(key, await directory.write(key, content, options.mode ?? 0o400));
  }
  return await loadNamed(named, options);
}

async function loadNamed(named: NamedFiles, { uid, env = {} }: { uid?: number; env?: Record<string, string> } = {}) {
  return await loadSecrets(named, { env, wallMs: NOW, ...(uid === undefined ? {} : { uid }) });
}

async function only(contents: Files, options?: Parameters<typeof load>[1]) {
  const { secrets, problems } = await load(contents, options);
  expect(secrets).toBeUndefined();
  expect(problems).toHaveLength(1);
  const [problem] = problems;
  if (problem === undefined) throw new Error("no problem");
  return problem;
}

describe("good files", () => {
  it("become keys and texts", async () => {
    const { secrets, problems, warnings } = await load({
      "wechatpay.merchant_private_key_file": strong.privatePkcs1,
      "wechatpay.client_cert_file": client.cert + client.ca,
      "wechatpay.client_key_file": client.key,
      "wechatpay.ca_file": client.ca,
      "wechatpay.bearer_token_file": "abc.def~-+/=\n",
      "wechatpay.proxy_auth_file": "user:pass:word\r\n",
      "driver.init.passwd_file": " kept as it is \n",
      "store.key_file": "0123456789abcdef",
    });
    expect(problems).toEqual([]);
    expect(warnings).toEqual([]);
    expect(secrets?.publicKey).toBeInstanceOf(KeyObject);
    expect(secrets?.merchantPrivateKey?.type).toBe("private");
    expect(secrets).toMatchObject({
      clientCert: client.cert + client.ca,
      clientKey: client.key,
      ca: client.ca,
      bearerToken: "abc.def~-+/=",
      proxyAuth: "user:pass:word",
      initPasswd: " kept as it is ",
    });
  });

  it("may have Windows line ends and a byte order mark", async () => {
    const windows = (text: string) => `\ufeff${text.replaceAll("\n", "\r\n")}`;
    const { problems } = await load({
      "wechatpay.public_key_file": windows(platform.publicPem),
      "wechatpay.merchant_private_key_file": windows(strong.privatePem),
      "wechatpay.client_cert_file": windows(client.cert),
      "wechatpay.client_key_file": windows(client.key),
      "wechatpay.bearer_token_file": windows("token\n"),
    });
    expect(problems).toEqual([]);
  });
});

describe("the guard of a secret file", () => {
  const secret = ["merchant_private_key_file", "client_key_file", "bearer_token_file", "proxy_auth_file"] as const;
  const keys: SecretKey[] = [
    ...secret.map((key) => `wechatpay.${key}` as const),
    "driver.init.passwd_file",
    "store.key_file",
  ];

  it.each(keys)("refuses %s when group or others may read it", async (key) => {
    await using directory = await ConfigDirectory.create();
    for (const mode of [0o440, 0o404, 0o620]) {
      const file = await directory.write("secret", "x", mode);
      const { problems } = await loadNamed(new Map([[key, file]]));
      expect(problems.map((problem) => problem.key)).toEqual([key]);
      expect(problems[0] && textOf(problems[0].what).en).toContain(file);
      expect(problems[0] && textOf(problems[0].instead).en).toBe(`Run:\n  chmod 0400 ${file}`);
    }
  });

  it("exempts files in the credentials directory of systemd, and nothing beside it", async () => {
    await using directory = await ConfigDirectory.create();
    const publicKey = await directory.write("pub", strong.publicPem);
    const inside = await directory.write("credentials/token", "token", 0o440);
    const beside = await directory.write("credentials-not/token", "token", 0o440);
    const env = { CREDENTIALS_DIRECTORY: directory.of("credentials") };
    const named = (file: string): NamedFiles =>
      new Map([
        ["wechatpay.public_key_file", publicKey],
        ["wechatpay.bearer_token_file", file],
      ]);
    expect((await loadNamed(named(inside), { env })).secrets?.bearerToken).toBe("token");
    expect((await loadNamed(named(inside))).problems).toHaveLength(1);
    expect((await loadNamed(named(beside), { env })).problems).toHaveLength(1);
    expect((await loadNamed(named(directory.of("credentials")), { env })).problems).toHaveLength(1);
  });

  it("refuses a file of another user", async ({ skip }) => {
    skip(process.getuid?.() !== 0, "only root may give a file to another user");
    await using directory = await ConfigDirectory.create();
    const file = await directory.write("token", "token", 0o400);
    const named: NamedFiles = new Map([["wechatpay.bearer_token_file", file]]);
    await chown(file, 12_345, 0);
    const { problems } = await loadNamed(named, { uid: 999 });
    expect(problems[0] && textOf(problems[0].instead).en).toContain("chown 999");
    expect((await loadNamed(named, { uid: 12_345 })).problems).toEqual([]);
    // To root's agent it is a stranger's as well.
    expect((await loadNamed(named, { uid: 0 })).problems).toHaveLength(1);
    await chown(file, 0, 0);
    expect((await loadNamed(named, { uid: 999 })).problems).toEqual([]);
  });

  it("follows no link, waits for no pipe, and takes no directory", async () => {
    await using directory = await ConfigDirectory.create();
    await directory.write("real", "token", 0o400);
    await symlink("real", directory.of("link"));
    await mkdir(directory.of("folder"));
    const { execFileSync } = await import("node:child_process");
    execFileSync("mkfifo", ["-m", "0400", directory.of("pipe")]);
    for (const [name, words] of [
      ["link", "symbolic link"],
      ["folder", "not a regular file"],
      ["pipe", "not a regular file"],
      ["nothing", "does not exist"],
    ] as const) {
      const { problems } = await loadNamed(new Map([["wechatpay.bearer_token_file", directory.of(name)]]));
      expect(problems.map(({ what }) => textOf(what).en)).toEqual([expect.stringContaining(words)]);
    }
  });

  it("refuses what is empty or too large", async () => {
    expect(textOf((await only({ "wechatpay.bearer_token_file": "" })).what).en).toContain("empty");
    expect(textOf((await only({ "wechatpay.bearer_token_file": " \r\n" })).what).en).toContain("empty");
    expect(textOf((await only({ "wechatpay.bearer_token_file": "x".repeat(16 * 1024 + 1) })).what).en).toContain(
      "larger",
    );
  });
});

describe("the directory of a guarded file", () => {
  it("is not one where anyone may exchange it, be it a secret or not", async () => {
    await using directory = await ConfigDirectory.create();
    const token = await directory.write("open/token", "token", 0o400);
    const publicKey = await directory.write("open/pub.pem", strong.publicPem, 0o444);
    const named: NamedFiles = new Map([
      ["wechatpay.public_key_file", publicKey],
      ["wechatpay.bearer_token_file", token],
    ]);
    await chmod(directory.of("open"), 0o777);
    const { problems } = await loadNamed(named);
    expect(problems.map(({ instead }) => textOf(instead).en)).toEqual(
      Array(2).fill(`Run:\n  chmod go-w ${directory.of("open")}`),
    );
    const env = { CREDENTIALS_DIRECTORY: directory.of("open") };
    expect((await loadNamed(named, { env })).problems).toEqual([]);
    // As /tmp is: only its owner can rename or remove a file.
    await chmod(directory.of("open"), 0o1777);
    expect((await loadNamed(named)).problems).toEqual([]);
  });
});

describe("the guard of a public file", () => {
  it("lets everyone read and nobody else write", async () => {
    expect((await load({}, { mode: 0o444 })).problems).toEqual([]);
    const problem = await only({}, { mode: 0o646 });
    expect(problem).toMatchObject({
      key: "wechatpay.public_key_file",
      instead: { id: "trust.close" },
    });
  });

  it("lets a certificate authority bundle be large, to a limit", async () => {
    const bundle = (octets: number) => client.ca + "#".repeat(octets);
    expect((await load({ "wechatpay.ca_file": bundle(100_000) })).problems).toEqual([]);
    expect(textOf((await only({ "wechatpay.ca_file": bundle(1024 * 1024) })).what).en).toContain("larger");
  });
});

describe("keys", () => {
  it.each([
    ["a short key", () => weak.privatePem, "an RSA key of 1024 bits, too short"],
    ["an elliptic key", () => ellipticPem.privatePem, "an EC key, not an RSA key"],
    ["a key for RSA-PSS alone", () => pssPem.privatePem, "an RSA-PSS key, not an RSA key"],
    ["a key with a password", () => strong.encrypted, "encrypted"],
    ["an old key with a password", () => strong.encryptedPkcs1, "encrypted"],
    ["a certificate", () => client.cert, "is a certificate"],
    ["a public key", () => strong.publicPem, "is a public key"],
    ["no PEM", () => "MIIE", "no PEM"],
    ["a damaged key", () => strong.privatePem.replace(/\n.{20}/, "\nAAAA"), "damaged"],
  ])("%s is no merchant key", async (_what, content, words) => {
    const problem = await only({ "wechatpay.merchant_private_key_file": content() });
    expect(problem.key).toBe("wechatpay.merchant_private_key_file");
    expect(textOf(problem.what).en).toContain(words);
  });

  it.each([
    ["wechatpay.merchant_private_key_file", () => strong.privatePem, () => strong.publicPem],
    ["wechatpay.merchant_private_key_file", () => strong.privatePkcs1, () => strong.publicPem],
    ["wechatpay.client_key_file", () => strong.privatePem, () => strong.publicPem],
  ] as const)("the public half of %s is not WeChat Pay's public key", async (own, mine, shown) => {
    const problem = await only({ [own]: mine(), "wechatpay.public_key_file": shown() });
    expect(problem.key).toBe("wechatpay.public_key_file");
    expect(textOf(problem.what).en).toContain(`the public half of ${own}`);
    expect(textOf(problem.instead).zh).toContain("pub_key.pem");
  });

  it("with a password come with the command that takes it off", async () => {
    const problem = await only({ "wechatpay.merchant_private_key_file": strong.encrypted });
    expect(textOf(problem.instead).en).toContain("openssl pkey -in");
    expect(textOf(problem.instead).zh).toContain("openssl pkey -in");
  });

  it("of a merchant are sent back to where they are made, which is not the platform", async () => {
    const remedy = async (pem: string) => (await only({ "wechatpay.merchant_private_key_file": pem })).instead;
    expect(textOf(await remedy(weak.privatePem)).zh).toMatch(/证书工具.*merchant_serial_no/);
    expect(textOf(await remedy(ellipticPem.privatePem)).zh).toBe("请指定微信支付证书工具生成的 apiclient_key.pem。");
    expect(textOf((await only({ "wechatpay.public_key_file": weak.publicPem })).instead).zh).toContain("商户平台");
  });

  const curve = (namedCurve: string) =>
    generateKeyPairSync("ec", { namedCurve }).privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  it.each([
    ["RSA of 1024 bits", () => weak.privatePem, "an RSA key of 1024 bits, too short"],
    ["P-224", () => curve("P-224"), "the curve secp224r1, weaker than P-256"],
    ["P-192", () => curve("prime192v1"), "weaker than P-256"],
    ["a strong curve that TLS does not have", () => curve("secp256k1"), "the curve secp256k1, which TLS cannot use"],
    ["a key that only agrees on others", () => x25519, "of the kind x25519, which TLS cannot use"],
    ["a password", () => strong.encrypted, "encrypted"],
  ])("of %s are none for TLS", async (_what, content, words) => {
    const problem = await only({ "wechatpay.client_key_file": content() });
    expect([problem.key, textOf(problem.what).en]).toEqual([
      "wechatpay.client_key_file",
      expect.stringContaining(words),
    ]);
  });

  it.each([
    ["RSA", () => strong.privatePem],
    ["P-256", () => ellipticPem.privatePem],
    ["P-384", () => curve("P-384")],
    ["P-521", () => curve("P-521")],
    ["brainpool", () => curve("brainpoolP256r1")],
    ["Ed25519", () => generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString()],
    ["RSA-PSS", () => pssPem.privatePem],
  ])("of %s are good for TLS", async (_what, content) => {
    expect((await load({ "wechatpay.client_key_file": content() })).problems).toEqual([]);
  });

  it("that are too weak are found in the certificate as well", async () => {
    const problem = await only({ "wechatpay.client_cert_file": weakCertificate });
    expect([problem.key, textOf(problem.what).en]).toEqual([
      "wechatpay.client_cert_file",
      expect.stringContaining(
        "a certificate with a key that cannot be used, which is an RSA key of 1024 bits, too short",
      ),
    ]);
    const { problems } = await load({
      "wechatpay.client_cert_file": weakCertificate,
      "wechatpay.client_key_file": weak.privatePem,
    });
    expect(problems.map(({ key }) => key)).toEqual(["wechatpay.client_key_file", "wechatpay.client_cert_file"]);
  });

  it.each([
    ["a certificate", () => client.cert, "is a certificate"],
    ["a private key", () => strong.privatePem, "is a private key"],
    ["a short key", () => weak.publicPem, "2048"],
    ["an elliptic key", () => ellipticPem.publicPem, "RSA"],
    ["a key for RSA-PSS alone", () => pssPem.publicPem, "RSA"],
    ["a damaged key", () => strong.publicPem.replace(/\n.{20}/, "\nAAAA"), "damaged"],
  ])("%s is not WeChat Pay's", async (_what, content, words) => {
    const problem = await only({ "wechatpay.public_key_file": content() });
    expect(textOf(problem.what).en).toContain(words);
  });

  it("are found among what else a file holds", async () => {
    const damaged = "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n";
    const { secrets, problems } = await load({
      "wechatpay.public_key_file": damaged + platform.publicPem,
      "wechatpay.merchant_private_key_file": client.cert + strong.privatePem,
    });
    expect(problems).toEqual([]);
    expect(secrets?.publicKey.export({ type: "spki", format: "pem" })).toBe(platform.publicPem);
    expect(secrets?.merchantPrivateKey?.export({ type: "pkcs8", format: "pem" })).toBe(strong.privatePem);
  });

  it("of another certificate, or certificates with a key in them, are refused", async () => {
    const files = (cert: string, key: string): Files => ({
      "wechatpay.client_cert_file": cert,
      "wechatpay.client_key_file": key,
    });
    expect((await only(files(client.cert, client.otherKey))).key).toBe("wechatpay.client_key_file");
    expect(textOf((await only(files(client.cert + client.key, client.key))).what).en).toContain("holds a private key");
    expect((await only(files(client.key, client.key))).key).toBe("wechatpay.client_cert_file");
  });

  it("of the seal are long enough", async () => {
    expect(textOf((await only({ "store.key_file": "0123456789abcde" })).instead).en).toContain("/dev/urandom");
  });
});

describe("certificates", () => {
  it.each([
    // What is kept is still served, and it may be the clock that is wrong: no reason to stay down.
    ["have expired", () => client.expired, "expired on 2026-05-31"],
    ["soon expire", () => client.expiring, "in 29 days"],
    ["are not valid yet", () => client.future, "not valid yet"],
  ])("that %s are a warning", async (_what, content, words) => {
    const { problems, warnings } = await load({ "wechatpay.client_cert_file": content() });
    expect(problems).toEqual([]);
    expect(warnings.map(({ what }) => textOf(what).en)).toEqual([expect.stringContaining(words)]);
  });

  it("of an authority hold a certificate", async () => {
    expect(textOf((await only({ "wechatpay.ca_file": "nothing" })).what).en).toContain("no PEM");
  });
});

describe("lines", () => {
  it.each([
    ["wechatpay.bearer_token_file", "Bearer abc"],
    ["wechatpay.bearer_token_file", "abc\ndef"],
    ["wechatpay.bearer_token_file", "ab\u00e9"],
    ["wechatpay.proxy_auth_file", "nocolon"],
    ["wechatpay.proxy_auth_file", ":hush"],
    ["wechatpay.proxy_auth_file", "a:b\nc:d"],
    ["driver.init.passwd_file", "a\tb"],
  ] satisfies [SecretKey, string][])("of %s are not %j", async (key, content) => {
    const problem = await only({ [key]: content });
    expect(problem.key).toBe(key);
    expect(JSON.stringify(problem)).not.toContain(content);
  });
});

describe("loadAll", () => {
  it("reports the problems of the configuration and of its files together", async () => {
    await using directory = await ConfigDirectory.create();
    await directory.write(
      "config.toml",
      tomlOf(directSections, { log: { level: '"loud"' }, store: { directory: '"st"' } }),
    );
    await directory.write("pub_key.pem", client.cert);
    const key = await directory.write("apiclient_key.pem", strong.privatePem, 0o644);
    const all = await loadAll({ file: directory.file, env: {}, wallMs: NOW });
    if (all.kind !== "invalid") throw new Error(all.kind);
    expect(all.problems.map((problem) => problem.key)).toEqual([
      "log.level",
      "wechatpay.public_key_file",
      "wechatpay.merchant_private_key_file",
    ]);
    expect(all.problems.at(-1)).toMatchObject({
      origin: expect.stringMatching(/config\.toml:\d+$/),
      instead: { id: "file.close_to_others", params: { file: key } },
    });
    expect(all.storeDirectory).toBe(directory.of("st"));
    await directory.write("config.toml", tomlOf(directSections));
    await directory.write("pub_key.pem", platform.publicPem);
    await chmod(key, 0o400);
    expect(await loadAll({ file: directory.file, env: {}, wallMs: NOW })).toMatchObject({ kind: "ok", warnings: [] });
    await rm(directory.file);
    expect(await loadAll({ file: directory.file, env: {}, wallMs: NOW })).toMatchObject({ kind: "absent" });
  });

  it("finds the state directory of a good configuration with bad files", async () => {
    await using directory = await ConfigDirectory.create();
    await directory.write("config.toml", tomlOf(gatewaySections, { store: { directory: '"st"' } }));
    const all = await loadAll({ file: directory.file, env: {}, wallMs: NOW });
    expect(all).toMatchObject({ kind: "invalid", storeDirectory: path.join(directory.path, "st"), problems: [{}, {}] });
  });
});
