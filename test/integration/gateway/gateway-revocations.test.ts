import { X509Certificate } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { authorityId, issuerOf } from "../../../agent/gateway/tls/authorities.ts";
import { readRevocations } from "../../../agent/gateway/tls/revocations.ts";
import { textOf } from "../../../agent/messages/text-of.ts";
import { codeOf, GatewayRig, removeFactory, type Terminal } from "../../support/fixtures/gateway-rig.ts";
import { hasOpenssl, OpensslAuthorities } from "../../support/fixtures/openssl-authorities.ts";

/** Authorities of one name and key are named alike up to the hyphen. */
const AUTHORITIES: readonly (readonly [name: string, commonName: string, issuer?: string])[] = [
  ["root", "Shop CA"],
  ["root-renewed", "Shop CA"],
  ["replaced", "Shop CA"],
  ["other", "Other CA"],
  ["mid", "Shop Mid CA", "root"],
  ["mid-crossed", "Shop Mid CA", "other"],
];
const ISSUERS = ["root", "replaced", "other", "mid"];
const TERMINALS = ISSUERS.flatMap((issuer) => [`good_${issuer}`, `gone_${issuer}`]);

let directory: string;
let made: OpensslAuthorities;

// The unit test of the same rules needs nothing but npm's packages; this one wants the openssl command.
describe.skipIf(!hasOpenssl)("revocation by authorities that openssl has made", () => {
  beforeAll(async () => {
    directory = await mkdtemp(path.join(os.tmpdir(), "facepay-openssl-"));
    made = new OpensslAuthorities(directory);
    // Kinds are mixed, along the chain and under one name; lists are signed with another digest than certificates.
    for (const key of ["root", "other", "terminal"]) made.key(key, "RSA");
    for (const key of ["replaced", "mid"]) made.key(key, "EC");
    for (const [name, commonName, issuer] of AUTHORITIES) {
      made.certify(name, commonName, name.replace(/-.*/, ""), issuer);
    }
    for (const name of TERMINALS) made.certify(name, "D1", "terminal", name.slice(5), "terminal");
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));
  afterAll(removeFactory);

  const pemsOf = (names: readonly string[]) => names.map((name) => made.read(`${name}.pem`));
  const listsOf = (authorities: readonly string[], revoked: readonly string[]) =>
    ISSUERS.filter((issuer) => authorities.some((name) => name.replace(/-.*/, "") === issuer)).map((issuer) =>
      made.list(issuer, revoked),
    );

  describe("is decided as openssl verify -crl_check_all decides", () => {
    const sets = [
      ["root"],
      ["root-renewed"],
      ["root", "root-renewed"],
      ["root-renewed", "root"],
      ["root", "replaced"],
      ["replaced", "root"],
      ["root", "mid"],
      ["other", "mid-crossed"],
      ["root", "other", "mid", "mid-crossed"],
      AUTHORITIES.map(([name]) => name),
      AUTHORITIES.map(([name]) => name).toReversed(),
    ];
    const revoking = {
      nobody: [],
      "terminals of each": TERMINALS.filter((name) => name.startsWith("gone_")),
      "the intermediate authority, in both of its certificates": ["mid", "mid-crossed"],
    };
    const cases = sets.flatMap((set) =>
      Object.entries(revoking).map(([whom, revoked]) => [set, whom, revoked] as const),
    );

    it.each(cases)("%j, revoking %s", async (set, _whom, revoked) => {
      const lists = listsOf(set, revoked);
      const authorities = pemsOf(set).map((pem) => new X509Certificate(pem));
      const read = await readRevocations(lists.join(""), authorities, "x.crl");
      if (!read.ok) throw new Error(read.faults.map(({ what }) => textOf(what).en).join("\n"));
      const letIn = TERMINALS.filter((name) => {
        const leaf = new X509Certificate(made.read(`${name}.pem`));
        const issuer = issuerOf(leaf, authorities);
        return read.revocations.judge(leaf.serialNumber, issuer && authorityId(issuer), Date.now()) === undefined;
      });
      expect(letIn).toEqual(made.believed(set, lists, TERMINALS));
    });
  });

  it("is found in a list of many thousands", async () => {
    const authorities = pemsOf(["root"]).map((pem) => new X509Certificate(pem));
    const read = await readRevocations(made.list("root", ["gone_root"], 5_000), authorities, "x.crl");
    if (!read.ok) throw new Error(read.faults.map(({ what }) => textOf(what).en).join("\n"));
    const judged = ["good_root", "gone_root"].map((name) => {
      const { serialNumber } = new X509Certificate(made.read(`${name}.pem`));
      return authorities.map((root) => read.revocations.judge(serialNumber, authorityId(root), Date.now()));
    });
    expect(judged).toEqual([[undefined], ["CERTIFICATE_REVOKED"]]);
  });

  it("is in force at the gateway, for old and new certificates of an authority and along the chain", async () => {
    await using rig = await GatewayRig.create();
    const set = ["root", "root-renewed", "replaced", "mid"];
    const deploy = async (revoked: readonly string[]) => {
      await rig.write("terminal-ca.crl", listsOf(set, revoked).join(""));
    };
    await rig.write("terminal-ca.pem", pemsOf(set).join(""));
    await rig.writeRegister([rig.line({ certificate_cn: "D1" })]);
    await deploy(["gone_root", "gone_replaced", "gone_mid"]);
    await rig.start({ devices: { crl_file: '"terminal-ca.crl"' }, limits: { burst: "1000" } });
    const terminal = (name: string, ...chain: string[]): Terminal => {
      return { cert: pemsOf([name, ...chain]).join(""), key: made.read("terminal.key") };
    };
    const says = async (shown: Terminal) => {
      const answer = await rig.ask({ terminal: shown });
      return answer.status === 200 ? "200" : `${answer.status} ${codeOf(answer)}`;
    };
    const all = ["root", "replaced", "mid"].flatMap((issuer) => [`good_${issuer}`, `gone_${issuer}`]);
    const found: string[] = [];
    for (const name of all) found.push(await says(terminal(name)));
    const revoked = "401 GATEWAY_CERTIFICATE_REVOKED";
    expect(found).toEqual(["200", revoked, "200", revoked, "200", revoked]);
    // What a terminal shows besides is no way around it.
    expect(await says(terminal("gone_root", "root-renewed"))).toBe(revoked);
    expect(await says(terminal("gone_mid", "mid-crossed"))).toBe(revoked);
    // Its authority is not in ca_file.
    expect(await says(terminal("good_other", "other"))).toBe("401 GATEWAY_CERTIFICATE_FOREIGN");

    // Now the authority above, while a connection is open.
    const agent = rig.keptConnection(terminal("good_mid", "mid"));
    expect((await rig.ask({ agent })).status).toBe(200);
    await deploy(["mid"]);
    const refused = async () => {
      const answer = await rig.ask({ agent });
      return answer.status === 401 && codeOf(answer);
    };
    expect(await rig.until("the open connection is refused", refused)).toBe("GATEWAY_CERTIFICATE_REVOKED");
    expect(await says(terminal("good_mid"))).toBe(revoked);
    expect(await says(terminal("good_root"))).toBe("200");
  });
});
