import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { anchor, remainingMs } from "../../../agent/credential/age.ts";
import { deriveKey, open } from "../../../agent/store/envelope.ts";
import { CrashExplorer, type History } from "../../support/faults/crash-explorer.ts";
import { CrashDisk, type Image } from "../../support/faults/crash-files.ts";
import { crashImages, digestOf } from "../../support/faults/crash-images.ts";
import { numberedState, numberIn, sealedStore, startStore } from "../../support/faults/crash-subjects.ts";
import { shopIdentity, stateOf } from "../../support/fixtures/store-fixture.ts";

const CURRENT = "state.sealed";
const PREVIOUS = "state.prev.sealed";
/** Sizes of the sealed file; the smallest is that of an authinfo of 100 octets. */
const FILE_SIZES = ["smallest", 1024, 4095, 4096, 4097, 16_384] as const;
const ERRNOS = ["EIO", "ENOSPC", "EROFS", "EDQUOT", "EMFILE", "EACCES", "EINTR"];

let directory: string;
let found: CrashExplorer[];
let histories: number;

const run = async (octets: number, history: Partial<History>) => {
  const explorer = new CrashExplorer(sealedStore(directory, octets), directory);
  return await explorer.run({ name: "", base: new Map(), promised: 0, lives: [], ...history });
};

const sizeAfter = async (octets: number): Promise<number> => {
  const { disk } = await run(octets, { lives: [{ values: [1] }] });
  return disk.seen.get(CURRENT)?.content.length ?? 0;
};

/** How long the authinfo must be for a sealed file of this size. */
async function octetsFor(size: (typeof FILE_SIZES)[number]): Promise<number> {
  const smallest = await sizeAfter(100);
  return size === "smallest" ? 100 : 100 + size - smallest;
}

/** Four disks to begin with: nothing, a state, a state and the one before it, a state and what a crash has left half-made. */
async function beginnings(octets: number): Promise<Pick<History, "name" | "base" | "promised">[]> {
  const one = (await run(octets, { lives: [{ values: [1] }] })).disk.seen;
  const two = (await run(octets, { lives: [{ values: [1, 2] }] })).disk.seen;
  const half = { content: (one.get(CURRENT)?.content ?? Buffer.alloc(0)).subarray(0, 300), mode: 0o600 };
  return [
    { name: "nothing", base: new Map(), promised: 0 },
    { name: "one state", base: one, promised: 1 },
    { name: "two states", base: two, promised: 2 },
    { name: "a leftover", base: new Map([...one, [".state.00ff00ff00ff00ff.tmp", half]]), promised: 1 },
  ];
}

/** One process that writes twice; one that is killed anywhere and another that goes on; one of whose calls any fails. */
async function* allHistories(octets: number, thorough: boolean): AsyncGenerator<History> {
  for (const { name, base, promised } of await beginnings(octets)) {
    const [next, after] = [promised + 1, promised + 2];
    const plain = { name, base, promised, lives: [{ values: [next, after] }] };
    yield plain;
    if (!thorough) continue;
    const { disk, files } = await run(octets, plain);
    for (let kill = 0; kill < disk.journal.length; kill++) {
      const lives = [{ fate: { killAfter: kill }, values: [next, after] }, { values: [after + 1] }];
      yield { ...plain, name: `${name}, killed after change ${kill}`, lives };
    }
    for (let failAt = 1; failAt <= (files.at(-1)?.trace.length ?? 0); failAt++) {
      const lives = [{ fate: { failAt, code: "EIO" }, values: [next, after] }];
      yield { ...plain, name: `${name}, call ${failAt} fails`, lives };
    }
  }
}

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), "facepay-crash-"));
  found = [];
  histories = 0;
  const startedAt = performance.now();
  for (const size of FILE_SIZES) {
    const octets = await octetsFor(size);
    const explorer = new CrashExplorer(sealedStore(directory, octets), directory);
    found.push(explorer);
    for await (const history of allHistories(octets, size === 4096 || size === "smallest")) {
      await explorer.explore(history);
      histories++;
    }
  }
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  const sum = (what: "recovered" | "states" | "cuts" | "again") => found.reduce((all, each) => all + each[what], 0);
  console.info(
    `crash states: ${sum("recovered")} of ${sum("states")} distinct states recovered ` +
      `(${histories} histories, power cut ${sum("cuts")} times, ${sum("again")} times during recovery; ${seconds} s)`,
  );
}, 300_000);

afterAll(() => rm(directory, { recursive: true }));

/** All violations of one invariant; the reason for a failure should be readable. */
const broken = (invariant: keyof CrashExplorer["violations"]) =>
  found.flatMap(({ violations }) => violations[invariant]).slice(0, 5);

describe("after a power cut at any change of the disk, whatever is left of what was not synced", () => {
  it("has looked at every state of every size", () => {
    expect(found.map(({ states }) => states)).toHaveLength(FILE_SIZES.length);
    for (const { states, recovered } of found) {
      expect(states).toBeGreaterThan(100);
      expect(recovered).toBe(states);
    }
    expect(found.reduce((all, { states }) => all + states, 0)).toBeGreaterThan(5_000);
  });

  it("I1: what was acknowledged, or announced as kept after a start, is found", () => expect(broken("I1")).toEqual([]));

  it("I2: what is found is octet by octet one submitted state", () => expect(broken("I2")).toEqual([]));

  it("I3: nothing is found that was not submitted, and without damage nothing comes from the older file", () => {
    expect(broken("I3")).toEqual([]);
    const hows = new Set(found.flatMap((explorer) => Object.keys(explorer.hows)));
    expect([...hows].sort()).toEqual(["current", "empty"]);
  });

  it("I4: the agent always starts", () => expect(broken("I4")).toEqual([]));

  it("I7: another power cut in that start, or another start, changes nothing", () => expect(broken("I7")).toEqual([]));

  it("I8: the start leaves three files at most besides the quarantine, none half-made, all 0600", () =>
    expect(broken("I8")).toEqual([]));
});

describe("on every disk that a power cut leaves of one history", () => {
  let images: Image[];

  beforeAll(async () => {
    const octets = await octetsFor(4096);
    const [, , two] = await beginnings(octets);
    const { disk } = await run(octets, { ...two, lives: [{ values: [3, 4] }] });
    const distinct = new Map<string, Image>();
    for (let count = 0; count <= disk.journal.length; count++) {
      for (const image of crashImages(disk, count)) distinct.set(digestOf(image), image);
    }
    images = [...distinct.values()];
    expect(images.length).toBeGreaterThan(50);
  });

  it("I3: nothing is served to another merchant or device", async () => {
    for (const image of images) {
      for (const identity of [
        { ...shopIdentity, subMchid: "1900000999" },
        { ...shopIdentity, deviceId: "device-2" },
      ]) {
        const store = await startStore(directory, new CrashDisk(directory, image).process(), 9, { identity });
        expect(store.status().loaded).toBe("other_identity");
        expect(store.state.credential).toBeUndefined();
        expect(store.state.generation).toBeGreaterThanOrEqual(2);
        await store.close();
      }
    }
  });

  it("I5: what is found has no life left when its hour has passed, whatever the clocks say", async () => {
    for (const image of images) {
      const store = await startStore(directory, new CrashDisk(directory, image).process(), 9);
      const { credential } = store.state;
      const known = store.state;
      await store.close();
      if (!credential) throw new Error("no credential was found");
      const { obtainedBootMs: born, obtainedWallMs: bornWall, skewMs, lifetimeMs: life, bootId } = credential;
      const over = bornWall + skewMs + life + 1;
      const clocks = [
        { bootId, boot: born + life + 1, wall: 0, wallTrusted: false },
        { bootId, boot: born + life + 1, wall: bornWall - 10 * life, wallTrusted: true },
        { bootId: "boot-2", boot: 1, wall: over, wallTrusted: true },
        { bootId: "boot-2", boot: 1, wall: over - skewMs, wallTrusted: false },
      ];
      for (const now of clocks)
        expect(remainingMs(credential, anchor(credential, now, known), now.boot)).toBeLessThan(0);
      // A clock that wakes in the past: what the terminal knows to have passed counts.
      const asleep = { bootId: "boot-2", boot: 1, wall: 0, wallTrusted: false };
      expect(remainingMs(credential, anchor(credential, asleep, { wallFloorMs: over - skewMs }), 1)).toBeLessThan(0);
      const awake = anchor(credential, asleep, known);
      expect(remainingMs(credential, awake, 1 + life + 1)).toBeLessThan(0);
    }
  });
});

it(`I6: each of the calls of a write fails with each of ${ERRNOS.length} errors: said, not acknowledged, served from memory`, async () => {
  const octets = await octetsFor(1024);
  const [, one] = await beginnings(octets);
  const base = one?.base ?? new Map();
  const probe = new CrashDisk(directory, base).process();
  const opened = await startStore(directory, probe, 1);
  const before = probe.trace.length;
  await opened.write(numberedState(2, octets));
  const calls = probe.trace.slice(before);
  let refused = 0;
  for (const code of ERRNOS) {
    for (const [at, call] of calls.entries()) {
      const where = `${code} in ${call}, call ${at + 1} of the write`;
      const disk = new CrashDisk(directory, base);
      const store = await startStore(directory, disk.process({ failAt: before + at + 1, code }), 1);
      const outcome = await store.write(numberedState(2, octets)).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(store.state, where).toEqual(numberedState(2, octets));
      if (outcome === undefined) {
        // close(2) after a successful fsync decides nothing, nor does the removal of a name that is gone.
        expect(["close", "unlink"], where).toContain(call);
        expect(store.status(), where).toMatchObject({ dirty: false });
      } else {
        refused++;
        expect(outcome, where).toMatchObject({ code: "STORE_WRITE", params: { errno: code } });
        expect(store.status(), where).toMatchObject({ dirty: true, problem: { code: "STORE_WRITE" } });
        await store.write(numberedState(3, octets));
        expect(store.status(), where).toMatchObject({ dirty: false });
        expect(store.status().problem, where).toBeUndefined();
      }
      await store.close();
    }
  }
  console.info(
    `errors: ${calls.length * ERRNOS.length} of ${calls.length * ERRNOS.length} calls, ${refused} refused writes`,
  );
  expect(refused).toBeGreaterThan(6 * ERRNOS.length);
});

it("I9: whoever reads the file at any instant sees the old state or the new one", async () => {
  for (const size of FILE_SIZES) {
    const octets = await octetsFor(size);
    const [, one] = await beginnings(octets);
    const { disk, marks } = await run(octets, { ...one, lives: [{ values: [2, 3] }] });
    const key = deriveKey(disk.seen.get("store.key")?.content ?? Buffer.alloc(0));
    const seen: number[] = [];
    for (let count = 0; count <= disk.journal.length; count++) {
      const bytes = disk.seenAfter(count).get(CURRENT)?.content ?? Buffer.alloc(0);
      const opened = open(bytes, key);
      expect(opened.ok, `after change ${count}`).toBe(true);
      if (opened.ok) seen.push(opened.header.generation);
    }
    expect(marks.at(-1)).toMatchObject({ promised: 3 });
    expect(seen).toEqual([...seen].sort());
    expect(new Set(seen)).toEqual(new Set([1, 2, 3]));
  }
});

it("I10: a write is one file and one change of its name; a start that finds all in order writes nothing", async () => {
  const [, , two] = await beginnings(100);
  const { disk } = await run(100, { ...two, lives: [{ values: [] }] });
  expect(disk.journal).toEqual([{ kind: "sync_directory" }]);
  const { disk: after } = await run(100, { ...two, lives: [{ values: [3, 4] }] });
  const write = ["create", "write", "sync", "link", "rename", "rename", "sync_directory"];
  // Once in each process the name of the key is made sure of.
  expect(after.journal.slice(1).map(({ kind }) => kind)).toEqual(["sync_directory", ...write, ...write]);
});

describe("a medium that has changed what was written", () => {
  const octets = 100;
  let base: Image;
  let current: Buffer;
  let previous: Buffer;

  beforeAll(async () => {
    base = (await beginnings(octets))[2]?.base ?? new Map();
    current = base.get(CURRENT)?.content ?? Buffer.alloc(0);
    previous = base.get(PREVIOUS)?.content ?? Buffer.alloc(0);
  });

  const spoilt = (contents: Record<string, Buffer>) =>
    new CrashDisk(
      directory,
      new Map([
        ...base,
        ...Object.entries(contents).map(([name, content]) => [name, { content, mode: 0o600 }] as const),
      ]),
    );

  /** Starts on damage of the current file: the older one must be found, flagged, and the damaged octets kept. */
  async function fallsBack(damaged: Buffer, what: string): Promise<void> {
    const disk = spoilt({ [CURRENT]: damaged });
    const store = await startStore(directory, disk.process(), 9);
    expect(store.status().loaded, what).toBe("previous");
    expect(numberIn(store.state), what).toBe(1);
    expect(store.state.generation, what).toBeGreaterThan(1);
    await store.close();
    const aside = [...disk.seen].filter(([name]) => name.startsWith("state.corrupt-"));
    expect(
      aside.map(([, { content }]) => content),
      what,
    ).toEqual([damaged]);
    const again = await startStore(directory, disk.process(), 10);
    expect(again.status().loaded, what).toBe("current");
    expect(again.state, what).toEqual(store.state);
    await again.close();
  }

  it("by any single bit is never believed", async () => {
    for (let bit = 0; bit < current.length * 8; bit++) {
      const damaged = Buffer.from(current);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await fallsBack(damaged, `bit ${bit}`);
    }
    console.info(
      `bit flips: ${current.length * 8} of ${current.length * 8} found, cuts: ${current.length} of ${current.length}`,
    );
  });

  it("by cutting it off anywhere, or filling it with zeros or ones, is never believed", async () => {
    for (let length = 0; length < current.length; length++) {
      await fallsBack(current.subarray(0, length), `cut to ${length}`);
    }
    for (const octet of [0x00, 0xff]) await fallsBack(Buffer.alloc(current.length, octet), `all ${octet}`);
    await fallsBack(Buffer.concat([current, current]), "twice");
  });

  it("by exchanging the two files loses nothing: the newer one is found, and stays while it is put back", async () => {
    const exchanged = spoilt({ [CURRENT]: previous, [PREVIOUS]: current });
    const explorer = new CrashExplorer(sealedStore(directory, octets), directory);
    await explorer.explore({ name: "exchanged", base: exchanged.base, promised: 2, lives: [{ values: [3] }] });
    expect(Object.values(explorer.violations).flat()).toEqual([]);
    expect(explorer.hows).toMatchObject({ previous: expect.any(Number), current: expect.any(Number) });
    const twice = await startStore(directory, spoilt({ [PREVIOUS]: current }).process(), 9);
    expect(twice.status().loaded).toBe("current");
    expect(numberIn(twice.state)).toBe(2);
    await twice.close();
  });

  it("is never overwritten, wherever the power is cut while it is moved aside", async () => {
    const damaged = Buffer.from(current);
    damaged.writeUInt8(damaged.readUInt8(400) ^ 1, 400);
    // With a key that is given, the store has no reason of its own to sync before its first write.
    for (const keyFile of [undefined, path.join(directory, "store.key")]) {
      const disk = spoilt({ [CURRENT]: damaged });
      const store = await startStore(directory, disk.process(), 9, keyFile === undefined ? {} : { keyFile });
      await store.write(stateOf(9));
      await store.close();
      let looked = 0;
      for (let count = 0; count <= disk.journal.length; count++) {
        for (const image of crashImages(disk, count)) {
          expect([...image.values()].some(({ content }) => content.equals(damaged))).toBe(true);
          looked++;
        }
      }
      expect(looked).toBeGreaterThan(30);
    }
  });
});

it("a disk with room for any number of octets keeps the old state or the new one, and says which", async () => {
  const octets = await octetsFor(4096);
  const [, one] = await beginnings(octets);
  const counts = { kept: 0, refused: 0 };
  for (let free = 0; free <= 8192; free += 64) {
    const disk = new CrashDisk(directory, one?.base);
    disk.free = free;
    const store = await startStore(directory, disk.process(), 1);
    const kept = await store.write(numberedState(2, octets)).then(
      () => true,
      () => false,
    );
    counts[kept ? "kept" : "refused"]++;
    expect(store.status().dirty).toBe(!kept);
    expect(store.state).toEqual(numberedState(2, octets));
    await store.close();
    const after = await startStore(directory, disk.process(), 2);
    expect(after.state).toEqual(numberedState(kept ? 2 : 1, octets));
    await after.close();
  }
  expect(counts).toEqual({ kept: 65, refused: 64 });
});
