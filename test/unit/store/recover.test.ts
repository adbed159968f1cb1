import { describe, expect, it } from "vitest";
import { emptyState, type State } from "../../../agent/store/credential.ts";
import { type Found, describe as headerOf, migrate, type Owner, recover } from "../../../agent/store/recover.ts";
import { stateOf } from "../../support/fixtures/store-fixture.ts";

const owner: Owner = { identity: "mine" };
const missing: Found = { kind: "missing" };
const good = (state: State, identity = "mine"): Found => ({
  kind: "good",
  state,
  header: { identity, seq: 1, key_id: "k", ...headerOf(state) },
});
const bad = (claimed?: number): Found => ({
  kind: "bad",
  reason: "tampered",
  passing: false,
  ...(claimed === undefined
    ? {}
    : { header: { identity: "mine", device_id: "", generation: claimed, seq: 1, key_id: "k" } }),
});

describe("the choice of the state to start with", () => {
  it("takes the present file as it is", () => {
    expect(recover(good(stateOf(6)), good(stateOf(5)), [], owner)).toEqual({
      loaded: "current",
      state: stateOf(6),
      settle: false,
    });
  });

  it("starts empty when there was nothing", () => {
    expect(recover(missing, missing, [], owner)).toEqual({ loaded: "empty", state: emptyState, settle: false });
  });

  it.each([
    ["damaged", bad()],
    ["missing", missing],
    ["damaged, its header readable", bad(6)],
  ])("falls back to the older one when the present one is %s, and the generation does not fall", (_how, current) => {
    const { loaded, state, settle } = recover(current, good(stateOf(5)), [], owner);
    expect({ loaded, settle }).toEqual({ loaded: "previous", settle: true });
    expect(state.credential?.authinfo).toBe("authinfo-of-generation-5");
    expect(state.generation).toBeGreaterThanOrEqual(6);
    expect(state.credential?.generation).toBe(state.generation);
  });

  it("goes on well above the older one's when nothing tells how far the lost one had come", () => {
    // Generation 6 and 7 were announced from memory while the disk refused them, then the present file was lost as well.
    for (const current of [missing, { kind: "bad", reason: "symbolic_link", passing: false } as const]) {
      const { state } = recover(current, good(stateOf(5)), [], owner);
      expect(state.generation).toBeGreaterThan(5 + 48);
      expect(state.credential?.generation).toBe(state.generation);
    }
    expect(recover(bad(6), good(stateOf(5)), [], owner).state.generation).toBe(7);
  });

  it("is above the generation that a damaged or quarantined header claims", () => {
    expect(recover(bad(8), good(stateOf(5)), [], owner).state.generation).toBe(9);
    expect(recover(missing, good(stateOf(5)), [bad(8)], owner).state.generation).toBe(9);
  });

  it("keeps the generation when nothing opens any more", () => {
    const recovered = recover(bad(8), bad(7), [], owner);
    expect(recovered).toEqual({ loaded: "quarantined", state: { ...emptyState, generation: 8 }, settle: true });
  });

  it("does not believe an absurd generation of an unproven header", () => {
    expect(recover(bad(Number.MAX_SAFE_INTEGER), missing, [], owner).state.generation).toBe(0);
  });

  it("serves nothing of another identity, and carries on what belongs to the terminal", () => {
    const { loaded, state } = recover(good(stateOf(6), "theirs"), good(stateOf(5)), [], owner);
    expect(loaded).toBe("other_identity");
    expect(state).toEqual({ ...emptyState, generation: 6, wallFloorMs: stateOf(6).wallFloorMs });
  });

  it("serves nothing of another device, but remembers the signed time of the same merchant", () => {
    const { loaded, state } = recover(good(stateOf(6)), missing, [], { ...owner, deviceId: "device-2" });
    expect(loaded).toBe("other_identity");
    expect(state.credential).toBeUndefined();
    expect(state.newestSignedAtS).toBe(stateOf(6).newestSignedAtS);
    expect(recover(good(stateOf(6)), missing, [], { ...owner, deviceId: "device-1" }).loaded).toBe("current");
  });

  it("serves nothing of another identity from the older file either", () => {
    const { loaded, state, settle } = recover(bad(7), good(stateOf(5), "theirs"), [], owner);
    expect({ loaded, settle, generation: state.generation }).toEqual({
      loaded: "other_identity",
      settle: true,
      generation: 8,
    });
    expect(state.credential).toBeUndefined();
  });
});

describe("a reload", () => {
  const mine = (state: State) => ({ identity: "mine", state });

  it("writes nothing when the disk holds what memory does", () => {
    const read = stateOf(6);
    expect(migrate(read, mine(stateOf(6)), owner)).toBe(read);
  });

  it("goes on with what no disk has taken, also what was said of the same generation", () => {
    expect(migrate(stateOf(5), mine(stateOf(6)), owner)).toEqual(stateOf(6));
    expect(migrate(emptyState, mine(stateOf(6)), owner)).toEqual(stateOf(6));
    const rejected = { ...stateOf(6), rejectedGeneration: 6 };
    expect(migrate(stateOf(6), mine(rejected), owner)).toEqual(rejected);
    const dropped = { ...emptyState, generation: 6 };
    expect(migrate(stateOf(6), mine(dropped), owner)).toEqual(dropped);
  });

  it("takes nothing of another shop or device but its generation and its time", () => {
    const { credential, ...bare } = stateOf(6);
    for (const [former, now] of [
      [{ identity: "theirs", state: stateOf(6) }, owner],
      [mine(stateOf(6)), { ...owner, deviceId: "device-2" }],
    ] as const) {
      const { generation, wallFloorMs } = bare;
      expect(migrate(emptyState, former, now)).toEqual({ ...emptyState, generation, wallFloorMs });
    }
    expect(credential?.deviceId).toBe("device-1");
  });

  it("to a directory with an older authinfo of that shop serves it under a generation of its own", () => {
    const older = stateOf(2);
    const { generation, credential } = migrate(older, { identity: "theirs", state: stateOf(6) }, owner);
    expect({ generation, credential }).toEqual({ generation: 7, credential: { ...older.credential, generation: 7 } });
    expect(migrate(stateOf(9), { identity: "theirs", state: stateOf(6) }, owner)).toEqual(stateOf(9));
  });
});
