import { describe, expect, it } from "vitest";
import { authorityId, issuerOf } from "../../../agent/gateway/tls/authorities.ts";
import { readRevocations } from "../../../agent/gateway/tls/revocations.ts";
import { textOf } from "../../../agent/messages/text-of.ts";
import { deltaIndicator, NOW, type Paper, TestAuthority } from "../../support/fixtures/authorities.ts";

const DAY_MS = 86_400_000;

/**
 * One authority and what may become of it: `renewed` has its key and name and another certificate, `replaced` its name and another
 * key. `mid` is certified by it, and by `other` as well.
 */
const root = await TestAuthority.create("Shop CA");
const replaced = await TestAuthority.create("Shop CA");
const other = await TestAuthority.create("Other CA");
const mid = await TestAuthority.create("Shop Mid CA");
const namesake = await TestAuthority.create("Shop CA");
/** The root's key under another name. */
const alias: TestAuthority = Object.assign(await TestAuthority.create("Alias CA"), { keys: root.keys });

const papers = {
  root: await root.certified(),
  renewed: await root.certified(root, { notBefore: NOW - DAY_MS, notAfter: NOW + 300 * DAY_MS }),
  replaced: await replaced.certified(),
  other: await other.certified(),
  mid: await mid.certified(root),
  crossed: await mid.certified(other),
  alias: await alias.certified(),
} as const;
type Name = keyof typeof papers;
const leaves = {
  root: [await root.issue(), await root.issue()],
  replaced: [await replaced.issue(), await replaced.issue()],
  mid: [await mid.issue(), await mid.issue()],
} as const;

const certificates = (names: readonly Name[]) => names.map((name) => papers[name].certificate);

async function read(authorities: readonly Name[], ...lists: readonly (string | Promise<string>)[]) {
  return await readRevocations((await Promise.all(lists)).join(""), certificates(authorities), "x.crl");
}

/** What becomes of a terminal's certificate, "ok" or the code; "not loaded" and why. */
async function verdict(
  authorities: readonly Name[],
  leaf: Paper,
  lists: readonly (string | Promise<string>)[],
  wallMs = NOW,
): Promise<string> {
  const found = await read(authorities, ...lists);
  if (!found.ok) return `not loaded: ${found.faults.map(({ what }) => textOf(what).en).join("; ")}`;
  const issuer = issuerOf(leaf.certificate, certificates(authorities));
  const id = issuer && authorityId(issuer);
  return found.revocations.judge(leaf.certificate.serialNumber, id, wallMs) ?? "ok";
}

describe("a terminal's certificate", () => {
  const [good, gone] = leaves.root;

  it.each<[what: string, authorities: Name[]]>([
    ["one authority", ["root"]],
    ["a renewed one, old and new", ["root", "renewed"]],
    ["a renewed one, new and old", ["renewed", "root"]],
    ["a renewed one, new alone", ["renewed"]],
  ])("is revoked by the one list of its issuer's name and key: %s", async (_what, authorities) => {
    const lists = [root.list([gone])];
    expect(await verdict(authorities, gone, lists)).toBe("CERTIFICATE_REVOKED");
    expect(await verdict(authorities, good, lists)).toBe("ok");
  });

  it.each<[what: string, authorities: Name[]]>([
    ["old and new", ["root", "replaced"]],
    ["new and old", ["replaced", "root"]],
    ["with a renewed one", ["root", "replaced", "renewed"]],
  ])("is judged by its own authority's list where another key has taken the name: %s", async (_what, authorities) => {
    const lists = [root.list([gone]), replaced.list([leaves.replaced[1]])];
    const all = [...leaves.root, ...leaves.replaced];
    const found = await Promise.all(all.map((leaf) => verdict(authorities, leaf, lists)));
    expect(found).toEqual(["ok", "CERTIFICATE_REVOKED", "ok", "CERTIFICATE_REVOKED"]);
    // The other one's list says nothing of it, though it names its number.
    const crossed = [root.list([leaves.replaced[0]]), replaced.list([good])];
    expect(await verdict(authorities, good, crossed)).toBe("ok");
    expect(await verdict(authorities, leaves.replaced[0], crossed)).toBe("ok");
  });

  it("is judged by the list of the name it was issued in, where one key has two names", async () => {
    const underAlias = await alias.issue();
    const lists = [root.list([underAlias, gone]), alias.list([good])];
    expect(await verdict(["root", "alias"], underAlias, lists)).toBe("ok");
    expect(await verdict(["root", "alias"], good, lists)).toBe("ok");
    expect(await verdict(["root", "alias"], gone, lists)).toBe("CERTIFICATE_REVOKED");
  });

  it("is revoked under an intermediate authority by the list of that one", async () => {
    const [inOrder, revoked] = leaves.mid;
    const lists = [root.list([]), mid.list([revoked])];
    expect(await verdict(["root", "mid"], revoked, lists)).toBe("CERTIFICATE_REVOKED");
    expect(await verdict(["root", "mid"], inOrder, lists)).toBe("ok");
    expect(await verdict(["root", "mid"], good, lists)).toBe("ok");
  });

  it("is revoked with the authority above it", async () => {
    const lists = [root.list([papers.mid]), mid.list([])];
    expect(await verdict(["root", "mid"], leaves.mid[0], lists)).toBe("CERTIFICATE_REVOKED");
    expect(await verdict(["mid", "renewed", "root"], leaves.mid[0], lists)).toBe("CERTIFICATE_REVOKED");
    expect(await verdict(["root", "mid"], good, lists)).toBe("ok");
    // A root that has revoked itself says: do not trust me.
    expect(await verdict(["root"], good, [root.list([papers.root])])).toBe("CERTIFICATE_REVOKED");
  });

  it.each<[revoked: string, byRoot: Name[], byOther: Name[]]>([
    ["one", ["mid"], []],
    ["the other", [], ["crossed"]],
    ["both", ["mid"], ["crossed"]],
  ])(
    "under a cross-signed authority is revoked with %s of its certificates in ca_file",
    async (_w, byRoot, byOther) => {
      const all: Name[] = ["root", "other", "mid", "crossed"];
      const papersOf = (names: Name[]) => names.map((name) => papers[name]);
      const lists = [root.list(papersOf(byRoot)), other.list(papersOf(byOther)), mid.list([])];
      expect(await verdict(all, leaves.mid[0], lists)).toBe("CERTIFICATE_REVOKED");
      expect(await verdict(all.toReversed(), leaves.mid[0], lists)).toBe("CERTIFICATE_REVOKED");
      // Taken out of ca_file, the revoked certificate counts no more.
      const kept = all.filter((name) => ![...byRoot, ...byOther].includes(name));
      if (kept.length === 3) expect(await verdict(kept, leaves.mid[0], lists)).toBe("ok");
    },
  );

  it("is in order under a cross-signed authority that nobody has revoked", async () => {
    const lists = [root.list([]), other.list([]), mid.list([leaves.mid[1]])];
    const all: Name[] = ["root", "other", "mid", "crossed"];
    expect(await verdict(all, leaves.mid[0], lists)).toBe("ok");
    expect(await verdict(all, leaves.mid[1], lists)).toBe("CERTIFICATE_REVOKED");
  });

  it("ends in a judgement where two authorities have certified each other", async () => {
    const one = await root.certified(other);
    const two = await other.certified(root);
    const all = [papers.root, papers.other, one, two].map(({ certificate }) => certificate);
    const judged = async (byRoot: Paper[]) => {
      const found = await readRevocations((await root.list(byRoot)) + (await other.list([])), all, "x");
      return (
        found.ok && found.revocations.judge(good.certificate.serialNumber, authorityId(papers.root.certificate), NOW)
      );
    };
    expect(await judged([])).toBeUndefined();
    expect(await judged([two])).toBe("CERTIFICATE_REVOKED");
  });

  it("of an authority that is not in ca_file is none", async () => {
    expect(await verdict(["root"], leaves.mid[0], [root.list([])])).toBe("CERTIFICATE_FOREIGN");
    expect(await verdict(["root"], leaves.replaced[0], [root.list([])])).toBe("CERTIFICATE_FOREIGN");
  });

  it.each<[what: string, wallMs: number, expected: string]>([
    ["before it, but for a clock a little ahead", NOW - 60_000, "ok"],
    ["before it", NOW - DAY_MS, "REVOCATION_UNKNOWN"],
    ["at its end", NOW + DAY_MS, "ok"],
    ["after it", NOW + DAY_MS + 1, "REVOCATION_UNKNOWN"],
  ])("is unknown outside of its list's time: %s", async (_what, wallMs, expected) => {
    expect(await verdict(["root"], good, [root.list([gone], { thisUpdate: NOW })], wallMs)).toBe(expected);
    // What was revoked once stays so.
    expect(await verdict(["root"], gone, [root.list([gone], { thisUpdate: NOW })], wallMs)).toBe("CERTIFICATE_REVOKED");
  });

  it("is unknown when the list of an authority above is out of date, and no other authority's", async () => {
    const lists = [root.list([], { nextUpdate: NOW - 1 }), mid.list([]), other.list([])];
    const under = await other.issue();
    expect(await verdict(["root", "mid", "other"], leaves.mid[0], lists)).toBe("REVOCATION_UNKNOWN");
    expect(await verdict(["root", "mid", "other"], under, lists)).toBe("ok");
  });

  it("is judged by the later one of two lists of an authority, whatever their order", async () => {
    const lists = [root.list([gone]), root.list([], { thisUpdate: NOW - 2 * DAY_MS })];
    expect(await verdict(["root"], gone, lists)).toBe("CERTIFICATE_REVOKED");
    expect(await verdict(["root"], gone, lists.toReversed())).toBe("CERTIFICATE_REVOKED");
  });

  it("ends with the last certificate of its authority", async () => {
    const old = await root.certified(root, { notAfter: NOW - 1 });
    const found = await readRevocations(await root.list([]), [old.certificate], "x");
    const judged =
      found.ok && found.revocations.judge(good.certificate.serialNumber, authorityId(old.certificate), NOW);
    expect(judged).toBe("CERTIFICATE_EXPIRED");
  });
});

describe("lists and authorities that leave something unjudged are not loaded", () => {
  const cut = async () => (await root.list([])) + (await root.list([])).slice(0, 200);
  it.each<[what: string, authorities: Name[], lists: () => (string | Promise<string>)[], words: RegExp]>([
    ["no list at all", ["root"], () => ["some text\n"], /holds no whole revocation list/],
    ["a list that is cut off", ["root"], () => [cut()], /holds no whole revocation list/],
    [
      "octets that are no list",
      ["root"],
      () => [root.list([]).then((pem) => pem.replace(/\n.{30}/, "\nAAAA"))],
      /damaged/,
    ],
    ["an authority without a list", ["root", "other"], () => [root.list([])], /no list by the authority CN=Other CA/],
    [
      "a replaced one without a list",
      ["root", "replaced"],
      () => [root.list([])],
      /no list by the authority CN=Shop CA \(/,
    ],
    [
      "an intermediate one without a list",
      ["root", "mid"],
      () => [root.list([])],
      /no list by the authority CN=Shop Mid CA/,
    ],
    ["a root without a list", ["root", "mid"], () => [mid.list([])], /no list by the authority CN=Shop CA/],
    ["a list of a stranger", ["root"], () => [root.list([]), other.list([])], /\(2\), a list by CN=Other CA/],
    [
      "a list in the same name by another key",
      ["root"],
      () => [root.list([]), namesake.list([])],
      /\(2\), a list by CN=Shop CA/,
    ],
    [
      "an authority without the one above",
      ["mid"],
      () => [mid.list([])],
      /CN=Shop CA, which has issued the authority CN=Shop Mid CA/,
    ],
    ["a list without an end", ["root"], () => [root.list([], { nextUpdate: null })], /a list without an end/],
    [
      "a list of changes alone",
      ["root"],
      () => [root.list([], { extensions: [deltaIndicator()] })],
      /no complete list/,
    ],
  ])("%s", async (_what, authorities, lists, words) => {
    const found = await read(authorities, ...lists());
    if (found.ok) throw new Error("loaded");
    expect(found.faults.map(({ what }) => textOf(what).en).join("\n")).toMatch(words);
    for (const { what, instead } of found.faults)
      expect(`${textOf(what).zh}${textOf(instead).zh}`).toMatch(/[\u4e00-\u9fff]/);
  });
});
