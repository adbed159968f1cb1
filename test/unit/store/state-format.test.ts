import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { emptyState } from "../../../agent/store/credential.ts";
import { identityDigest, parseState } from "../../../agent/store/state-format.ts";
import { shopIdentity, stateOf } from "../../support/fixtures/store-fixture.ts";

const parse = (value: unknown) => parseState(Buffer.from(JSON.stringify(value)));

describe("a kept state", () => {
  it("comes back as it was", () => {
    expect(parse(stateOf(3))).toEqual(stateOf(3));
    expect(parse(emptyState)).toEqual(emptyState);
    expect(parse({ ...stateOf(3), rejectedGeneration: 3 })).toEqual({ ...stateOf(3), rejectedGeneration: 3 });
  });

  it("refuses a refused generation that is no number", () => {
    for (const rejectedGeneration of wrong) expect(parse({ ...stateOf(3), rejectedGeneration })).toBeUndefined();
  });

  it("of a later minor version stays readable, without what is unknown", () => {
    const { credential } = stateOf(3);
    expect(parse({ ...stateOf(3), later: 1, credential: { ...credential, later: 2 } })).toEqual(stateOf(3));
  });

  it.each([
    ["not JSON", Buffer.from("\0\0\0")],
    ["null", Buffer.from("null")],
    ["an array", Buffer.from("[]")],
    ["text", Buffer.from('"state"')],
    ["nothing", Buffer.alloc(0)],
  ])("is not %s", (_what, bytes) => {
    expect(parseState(bytes)).toBeUndefined();
  });

  const whole = ["format", "generation", "newestSignedAtS", "wallFloorMs", "unsteadyUntilWallMs"];
  const wrong: unknown[] = ["1", -1, null, {}];
  it.each(whole.flatMap((field) => [undefined, ...wrong].map((value) => [field, value])))(
    "refuses %s = %j",
    (field, value) => {
      expect(parse({ ...stateOf(3), [String(field)]: value })).toBeUndefined();
    },
  );

  const numbers = ["generation", "obtainedBootMs", "obtainedWallMs", "lifetimeMs", "refreshAfterMs"];
  const texts = ["authinfo", "deviceId", "bootId", "expirySource"];
  it.each([
    ...numbers.flatMap((field) => [undefined, ...wrong].map((value) => [field, value])),
    ...texts.flatMap((field) => [undefined, null, 1, ""].map((value) => [field, value])),
    ["generation", 0],
    ["lifetimeMs", 0],
    ["skewMs", "1"],
    ["netId", 1],
    ["expirySource", "guessed"],
  ])("refuses a credential with %s = %j", (field, value) => {
    const { credential } = stateOf(3);
    expect(parse({ ...stateOf(3), credential: { ...credential, [String(field)]: value } })).toBeUndefined();
  });

  const never: [string, unknown][] = [
    ...["wallFloorMs", "unsteadyUntilWallMs", "newestSignedAtS", "ageAtLeastMs"].map((field): [string, unknown] => [
      field,
      1e300,
    ]),
    ["newestSignedAtS", Date.UTC(2026, 0)],
    ["generation", 2 ** 31 + 1],
    ["generation", 2],
    ["rejectedGeneration", 4],
    ["ageAtLeastMs", -1],
  ];
  it.each(never)("refuses %s = %j, which it cannot have been", (field, value) => {
    expect(parse({ ...stateOf(3), [field]: value })).toBeUndefined();
  });
  it.each([
    ["obtainedBootMs", 1e300],
    ["obtainedWallMs", Date.UTC(2300, 0)],
    ["lifetimeMs", 86_400_001],
    ["refreshAfterMs", 3_600_001],
    ["skewMs", 1e300],
    ["generation", 4],
  ])("refuses a credential with %s = %j, which it cannot have been", (field, value) => {
    const { credential } = stateOf(3);
    expect(parse({ ...stateOf(3), credential: { ...credential, [field]: value } })).toBeUndefined();
  });

  it("yields only instants that can be shown, whatever numbers are in it", () => {
    const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, -0, 1e300, 2 ** 53, Date.UTC(2026, 5)));
    const whole = stateOf(3);
    const replaced = <T extends object>(from: T) => fc.record({ key: fc.constantFrom(...Object.keys(from)), number });
    fc.assert(
      fc.property(replaced(whole), replaced(whole.credential ?? {}), (outer, inner) => {
        const credential = { ...whole.credential, [inner.key]: inner.number };
        const found = parse({
          ...whole,
          credential,
          ...(outer.key === "credential" ? {} : { [outer.key]: outer.number }),
        });
        if (found?.credential === undefined) return;
        const { obtainedWallMs, lifetimeMs, generation, refreshAfterMs } = found.credential;
        expect(new Date(obtainedWallMs + lifetimeMs).toISOString()).toMatch(/^[12]/);
        expect(refreshAfterMs).toBeLessThanOrEqual(lifetimeMs);
        expect(found.generation).toBeGreaterThanOrEqual(generation);
        expect(Number.isSafeInteger(found.generation + 1)).toBe(true);
      }),
      { seed: 20261130, numRuns: 2_000 },
    );
  });

  it("refuses a credential that is none", () => {
    for (const credential of [null, [], "", 1]) expect(parse({ ...stateOf(3), credential })).toBeUndefined();
  });
});

describe("the identity digest", () => {
  it("differs with every field and keeps the fields apart", () => {
    const digests = [
      identityDigest(shopIdentity),
      identityDigest({ ...shopIdentity, spMchid: "2" }),
      identityDigest({ ...shopIdentity, spAppid: "2" }),
      identityDigest({ ...shopIdentity, subMchid: "2" }),
      identityDigest({ ...shopIdentity, organizationId: "2" }),
      identityDigest({ ...shopIdentity, subAppid: "2" }),
      identityDigest({ ...shopIdentity, subAppid: "" }),
      identityDigest({ ...shopIdentity, spMchid: shopIdentity.spMchid + shopIdentity.spAppid, spAppid: "" }),
    ];
    expect(new Set(digests).size).toBe(digests.length);
  });

  it("leaves the device out: that is bound on its own", () => {
    expect(identityDigest({ ...shopIdentity, deviceId: "x" })).toBe(identityDigest(shopIdentity));
  });
});
