import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { packArchive, unpackArchive } from "../../../agent/diagnostics/report/archive.ts";
import { BundleRefused, buildBundle, searchArchive } from "../../../agent/diagnostics/report/bundle.ts";
import { DROPPED, dropSuspicious } from "../../../agent/diagnostics/report/drop-suspicious.ts";
import { partsOf } from "../../../agent/diagnostics/report/known-secrets.ts";
import { Canaries } from "../../support/checks/canaries.ts";

const token = "tok-9f8e7d6c5b4a-Zz";
const binary = randomBytes(32);
const secrets = [
  { name: "token", octets: Buffer.from(token) },
  { name: "store.key", octets: binary },
  { name: "pin", octets: Buffer.from("s3cr3t") },
];
const facts = { runId: "TEST-0001", version: "0.1.0", wallMs: Date.UTC(2026, 5, 1) };

/** Every form in which a secret might stand in a text. */
function disguises(octets: Buffer): string[] {
  const text = octets.toString("latin1");
  const shifted = ["", "a", "ab"].map((before) => Buffer.from(`${before}${text}xyz`, "latin1").toString("base64"));
  return [...shifted, octets.toString("hex"), octets.toString("hex").toUpperCase(), octets.toString("base64url")];
}

describe("a text of a bundle", () => {
  it("drops what looks like one, though nobody has told it", () => {
    const cleaned = (text: string) => dropSuspicious(text);
    expect(cleaned("HTTPS_PROXY=http://joe:pw@proxy:3128")).toBe(`HTTPS_PROXY=http://${DROPPED}@proxy:3128`);
    expect(cleaned("Authorization: Bearer abcdef123456")).not.toContain("abcdef");
    expect(cleaned('{"passwd":"x y","authinfo":"AAA"}')).toBe(`{"passwd":"${DROPPED}","authinfo":"${DROPPED}"}`);
    expect(cleaned("raw_data=QUJD token: abc")).not.toMatch(/QUJD|abc/);
    expect(cleaned(`-----BEGIN PRIVATE KEY-----\nMIIE\nAAAA\n-----END PRIVATE KEY-----\nrest`)).toBe(
      `${DROPPED}\nrest`,
    );
    expect(cleaned("A".repeat(64))).toBe(DROPPED);
    expect(cleaned("SetCredential=store-key:topsecret")).toBe(`SetCredential=store-key:${DROPPED}`);
    // What a technician needs stays.
    const kept =
      '{"authinfo":{"state":"fresh"},"request_id":"08E7A4C2B00610F80518D5C5B9C40128DE0A30AEB80188F2B1-268443699"}';
    expect(JSON.parse(cleaned(kept))).toEqual(JSON.parse(kept));
  });

  it("takes a key's telling lines, a proxy's password, and a line without its end", () => {
    const pem = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADAN\nAAAABBBB\nCCCCDDDD\n-----END PRIVATE KEY-----\n";
    expect(partsOf("key", Buffer.from(pem)).map(({ octets }) => octets.toString())).toEqual(["AAAABBBB", "CCCCDDDD"]);
    expect(
      partsOf("wechatpay.proxy_auth_file", Buffer.from("joe:pass:word\n")).map(({ octets }) => octets.toString()),
    ).toEqual(["pass:word"]);
    expect(partsOf("store.key", binary)[0]?.octets).toEqual(binary);
  });
});

describe("a bundle", () => {
  const evidence = {
    files: [
      {
        name: "journal.jsonl",
        text: disguises(Buffer.from(token)).concat(disguises(binary), token, "s3cr3t").join("\nline "),
      },
      { name: "diagnose.json", text: `{"detail":"${token}"}` },
    ],
    missing: [{ name: "lsusb.txt", why: { zh: token, en: `there is no program ${token}` } }],
  };

  it("holds no piece of a secret, wherever it stood, and a manifest that is true", async () => {
    const { archive, listed } = await buildBundle(evidence, secrets, facts);
    await searchArchive(archive, secrets);
    const files = await unpackArchive(archive);
    expect(files.map(({ name }) => name)).toEqual(
      ["MANIFEST.json", "journal.jsonl", "diagnose.json"].map((name) => `facepay-TEST-0001/${name}`),
    );
    expect(listed.map(({ size }) => size)).toEqual(files.map(({ content }) => content.length));
    const manifest = JSON.parse(files[0]?.content.toString() ?? "");
    expect(manifest).toMatchObject({
      run_id: "TEST-0001",
      files: [{ name: "journal.jsonl" }, { name: "diagnose.json" }],
      missing: [{ name: "lsusb.txt" }],
    });
    const text = files.map(({ content }) => content.toString()).join("");
    expect(text).toContain(DROPPED);
    expect(text).not.toContain("s3cr3t");
    const canaries = new Canaries();
    canaries.add("token", token);
    canaries.add("store.key", binary.toString("latin1"));
    expect(canaries.in(text)).toEqual([]);
  });

  it("is refused when a piece is in it all the same, and the words do not repeat it", async () => {
    const archive = await packArchive([{ name: "x.txt", content: Buffer.from(`y ${token.slice(3, 12)} y`) }], 0);
    const refusal = await searchArchive(archive, secrets).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(BundleRefused);
    expect(refusal).toMatchObject({ words: { id: "bundle.secret", params: { name: "x.txt", secret: "token" } } });
    const canaries = new Canaries();
    canaries.add("token", token);
    expect(canaries.in(JSON.stringify(refusal))).toEqual([]);
  });

  it("is refused as a whole when something that is not cleaned holds one", async () => {
    const named = { files: [], missing: [{ name: token, why: { zh: "", en: "" } }] };
    await expect(buildBundle(named, secrets, facts)).rejects.toBeInstanceOf(BundleRefused);
  });

  it("can be made though a secret begins with a word that stands in every bundle", async () => {
    const awkward = [{ name: "token", octets: Buffer.from("facepay-agent-0123456789") }];
    const { archive } = await buildBundle(
      { files: [{ name: "a.txt", text: "facepay-agent-0123456789" }], missing: [] },
      awkward,
      facts,
    );
    const [, file] = await unpackArchive(archive);
    expect(file?.content.toString()).not.toContain("0123456789");
  });
});
