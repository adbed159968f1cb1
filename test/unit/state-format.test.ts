import { describe, expect, it } from "vitest";
import { emptyState } from "../../agent/authinfo/credential.ts";
import { identityDigest, parseState } from "../../agent/store/state-format.ts";
import { shopIdentity, stateOf } from "../support/store-fixture.ts";

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
