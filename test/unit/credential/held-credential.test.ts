import { describe, expect, it } from "vitest";
import { stateWith } from "../../../agent/credential/current-credential.ts";
import {
  applyResponse,
  type HeldCredential,
  lifeOf,
  nextTickMs,
  restore,
} from "../../../agent/credential/held-credential.ts";
import { bridgeAction } from "../../../agent/credential/refresh-policy.ts";
import { emptyState, type State } from "../../../agent/store/credential.ts";
import { makeCredential } from "../../support/fixtures/api-fixture.ts";

const HOUR = 3_600_000;
const STALE = 23 * HOUR;
const BORN = Date.UTC(2026, 5, 1, 4);
const credential = makeCredential({
  generation: 3,
  deviceId: "D1",
  netId: "aa:bb",
  bootId: "boot-1",
  obtainedBootMs: 60_000,
  obtainedWallMs: BORN,
  expirySource: "assumed",
});
const held: HeldCredential = {
  credential,
  anchor: { obtainedBootMs: 60_000, trusted: true, latestBootMs: 60_000 },
  persisted: true,
  rejected: false,
  refreshAfterMs: HOUR / 2,
};
const now = { wall: BORN, boot: 60_000, bootId: "boot-1", wallTrusted: false };

describe("what a start restores", () => {
  const state: State = { ...emptyState, generation: 3, credential };

  it("is the kept authinfo, as safe on the disk as the store says", () => {
    expect(restore(state, undefined, now, true)).toMatchObject({ credential, persisted: true, rejected: false });
    expect(restore(state, "D1", now, false)).toMatchObject({ credential, persisted: false });
    expect(restore({ ...state, rejectedGeneration: 3 }, "D1", now, true)?.rejected).toBe(true);
  });

  it("is nothing of another device, and nothing where nothing is kept", () => {
    expect(restore(state, "D2", now, true)).toBeUndefined();
    expect(restore(emptyState, undefined, now, true)).toBeUndefined();
  });
});

describe("the state to write", () => {
  const known = { newestSignedAtS: 900, now: { wall: BORN, boot: 0 }, unsteadyLeftMs: 5_000, spent: [] };

  it("holds the credential and what is known with it", () => {
    expect(stateWith({ ...emptyState, rejectedGeneration: 2, ageAtLeastMs: HOUR }, credential, known)).toEqual({
      ...{ format: 1, generation: 3, credential, rejectedGeneration: 2 },
      ...{ newestSignedAtS: 900, wallFloorMs: BORN, unsteadyUntilWallMs: BORN + 5_000 },
    });
  });

  it("lets neither the generation nor the floor of the wall clock fall", () => {
    const before = { ...emptyState, generation: 7, wallFloorMs: BORN + HOUR };
    expect(stateWith(before, credential, known)).toMatchObject({ generation: 7, wallFloorMs: BORN + HOUR });
  });
});

describe("what the policy is told", () => {
  it("is what is left, and whether that is only believed", () => {
    expect(lifeOf(undefined, 0)).toBeUndefined();
    expect(lifeOf(held, 60_000 + HOUR)).toEqual({ remainingMs: 0, refreshInMs: -HOUR / 2, ageUnknown: false });
    const unsure = { ...held, anchor: { ...held.anchor, trusted: false } };
    expect(lifeOf(unsure, 60_000).ageUnknown).toBe(true);
  });
});

describe("the newest answer once more", () => {
  const signedAtS = BORN / 1_000 + 1;
  const answer = { authinfo: credential.authinfo, signedAtS, skewMs: 84_000, baseUrl: "", expiresInS: 3_600 };
  const later = 60_000 + 84_000;
  const fetched = { deviceId: "D1", answer: { ...answer, sentBootMs: later, sentWallMs: BORN + 84_000 } };
  const terms = { generation: 3, newestSignedAtS: signedAtS, bootId: "boot-1", lifetimeMs: HOUR, fraction: 0.5 };
  const taken = (from: HeldCredential, newestSignedAtS = signedAtS) =>
    applyResponse(fetched, from, { ...terms, newestSignedAtS, chance: 0.5, bootMs: later });

  it("moves no expiry, whatever its expires_in says", () => {
    expect(lifeOf(taken(held), later).remainingMs).toBe(HOUR - 84_000);
    expect(taken(held).credential).toBe(credential);
  });

  it("is refused while the age of what is held is not known", () => {
    const unsure = { ...held, anchor: { ...held.anchor, trusted: false } };
    expect(() => taken(unsure)).toThrow(expect.objectContaining({ code: "PAY_SIGNATURE_REPLAYED" }));
  });

  it("is told by its signature: the same authinfo in a later answer begins a new life", () => {
    expect(lifeOf(taken(held, signedAtS - 1), later).remainingMs).toBe(HOUR);
  });
});

describe("the next tick", () => {
  it("comes a millisecond after the state changes by itself, else in five seconds", () => {
    const born = held.anchor.obtainedBootMs;
    expect(nextTickMs(undefined, born, STALE, false)).toBe(5_000);
    expect(nextTickMs(held, born, STALE, false)).toBe(5_000);
    for (const boundary of [HOUR / 2, HOUR, HOUR + STALE]) {
      expect(nextTickMs(held, born + boundary - 40, STALE, false)).toBe(41);
    }
    expect(nextTickMs(held, born + HOUR + STALE, STALE, false)).toBe(5_000);
  });

  it("comes within a second while the clock is at fault", () => {
    expect(nextTickMs(held, 60_000, STALE, true)).toBe(1_000);
    expect(nextTickMs(held, 60_000 + HOUR - 40, STALE, true)).toBe(41);
  });
});

describe("what a hello of the bridge requires", () => {
  const bridge = { protocol: "1", bridge: "b/1", session: "s", deviceId: "D1", netId: "aa:bb" };
  const ready = (said: object) => ({ type: "ready", identity: { ...bridge, ...said } }) as const;

  it("is nothing when all is as it was", () => {
    expect(bridgeAction(ready({}), credential, undefined)).toEqual({ drop: false });
    expect(bridgeAction(ready({ deviceId: undefined, netId: undefined }), credential, undefined).renew).toBeUndefined();
    expect(bridgeAction(ready({ deviceId: "D2" }), undefined, undefined)).toEqual({ drop: false });
  });

  it("is to drop another device's authinfo, and only to renew another network card's", () => {
    expect(bridgeAction(ready({ deviceId: "D2" }), credential, undefined)).toEqual({ drop: true, renew: "device" });
    expect(bridgeAction(ready({ netId: "cc:dd" }), credential, undefined)).toEqual({
      drop: false,
      renew: "network_card",
    });
  });

  it("is to try again when a bridge is ready whose fault the last failure was", () => {
    for (const code of ["BRIDGE_NOT_FOUND", "SDK_ERROR", "DEVICE_ID_MISSING"]) {
      expect(bridgeAction(ready({}), credential, code).renew).toBe("bridge");
    }
    expect(bridgeAction(ready({}), credential, "PAY_DNS").renew).toBeUndefined();
    const changed = { type: "changed", what: ["session"], identity: bridge } as const;
    expect(bridgeAction(changed, credential, "BRIDGE_NOT_FOUND").renew).toBeUndefined();
  });
});
