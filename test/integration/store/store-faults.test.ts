import { constants } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { nodeFileSystem } from "../../../agent/common/files/file-system.ts";
import { silentLog } from "../../../agent/common/log/log.ts";
import { openStore } from "../../../agent/store/store.ts";
import { FakeClock } from "../../support/fakes/fake-clock.ts";
import { FailingFiles } from "../../support/faults/failing-files.ts";
import { namesIn, parts, recordingLog, stateOf, temporaryDirectory } from "../../support/fixtures/store-fixture.ts";

const start = (directory: string, fileSystem = nodeFileSystem, log = silentLog) =>
  openStore({ directory, ...parts, log, fileSystem });

const codes = ["EIO", "ENOSPC", "EROFS", "EDQUOT", "EMFILE", "EACCES", "EINTR"];
/** More calls than any operation makes; each loop ends at the first run in which nothing failed. */
const ENOUGH = 100;

describe("a write", () => {
  it("is durable in this order: content, older generation, name, directory", async () => {
    await using temporary = await temporaryDirectory();
    const files = new FailingFiles();
    const content = ["create", "write", "fstat", "fsync", "close"];
    const store = await start(temporary.directory, files);
    // The key comes first, or a state could be durable that no key opens.
    expect(files.trace.slice(0, 11)).toEqual(["open", ...content, "link", "unlink", "open", "fsync", "close"]);
    await store.write(stateOf(1));
    files.disarm();
    await store.write(stateOf(2));
    expect(files.trace).toEqual([...content, "link", "rename", "unlink", "rename", "open", "fsync", "close"]);
    await store.close();
  });

  it("that hangs does not hold up the end for longer than five seconds, and the directory stays locked", async () => {
    await using temporary = await temporaryDirectory();
    const clock = new FakeClock();
    const log = recordingLog();
    const disk = Promise.withResolvers<void>();
    let hanging = false;
    const rename: typeof nodeFileSystem.rename = async (from, to) => {
      if (hanging) await disk.promise;
      await nodeFileSystem.rename(from, to);
    };
    const fileSystem = { ...nodeFileSystem, rename };
    const store = await openStore({ directory: temporary.directory, ...parts, clock, log, fileSystem });
    hanging = true;
    const write = store.write(stateOf(1));
    const closed = store.close();
    await clock.advance(5_000);
    await closed;
    expect(log.lines).toMatchObject([{ code: "STORE_CLOSE_TIMEOUT" }]);
    await expect(start(temporary.directory)).rejects.toMatchObject({ code: "STORE_LOCKED" });
    disk.resolve();
    await write;
    expect(clock.sleeping).toBe(0);
  });
});

describe("a write of which one call fails", () => {
  it.each(codes)("with %s is not acknowledged, loses nothing, and the next one is good", async (code) => {
    let failed = 0;
    for (let k = 1; k < ENOUGH; k++) {
      await using temporary = await temporaryDirectory();
      const { directory } = temporary;
      const files = new FailingFiles();
      const store = await start(directory, files);
      await store.write(stateOf(1));
      await store.write(stateOf(2));

      files.arm(k, code);
      const outcome = await store.write(stateOf(3)).then(
        () => "kept",
        (error) => error,
      );
      const where = `call ${k} of ${files.trace}`;
      const fired = files.calls >= k;
      files.disarm();
      expect(store.state, where).toEqual(stateOf(3));
      if (outcome !== "kept") {
        failed++;
        expect(outcome, where).toMatchObject({ code: "STORE_WRITE", params: { errno: code } });
        expect(store.status(), where).toMatchObject({ dirty: true, problem: { code: "STORE_WRITE" } });
        expect(store.status().writes, where).toEqual({ ok: 2, failed: 1 });
        expect(
          (await namesIn(directory)).filter((name) => name.endsWith(".tmp")),
          where,
        ).toEqual([]);
      }
      // A crash now: what is on the disk is the old state or the new one, whole.
      await store.close();
      const after = await start(directory);
      expect(["current"], where).toContain(after.status().loaded);
      expect(outcome === "kept" ? [3] : [2, 3], where).toContain(after.state.generation);
      expect(after.state, where).toEqual(stateOf(after.state.generation));
      expect(await namesIn(directory), where).toEqual(["state.prev.sealed", "state.sealed", "store.key"]);
      await after.write(stateOf(4));
      expect(after.status(), where).toMatchObject({ dirty: false });
      await after.close();
      if (!fired) break;
      expect(k).toBeLessThan(ENOUGH - 1);
    }
    expect(failed).toBeGreaterThan(5);
  });

  it.each(codes)(
    "and then every change with %s: memory serves, and writing goes on when the disk does",
    async (code) => {
      await using temporary = await temporaryDirectory();
      const files = new FailingFiles();
      const log = recordingLog();
      const store = await start(temporary.directory, files, log);
      await store.write(stateOf(1));
      files.arm(0, code, true);
      for (let n = 2; n <= 5; n++) await expect(store.write(stateOf(n))).rejects.toMatchObject({ code: "STORE_WRITE" });
      expect(store.state).toEqual(stateOf(5));
      expect(store.status()).toMatchObject({ dirty: true, writes: { ok: 1, failed: 4 } });
      files.disarm();
      await store.write(store.state);
      expect(store.status()).toMatchObject({ dirty: false, writes: { ok: 2, failed: 4 } });
      expect(store.status().problem).toBeUndefined();
      await store.close();
      expect(await namesIn(temporary.directory)).toEqual(["state.prev.sealed", "state.sealed", "store.key"]);
      const told = log.lines.map((line) => line.code).filter((line) => line !== "STORE_NOT_WRITTEN");
      expect(told).toEqual(["STORE_WRITE_FAILED", "STORE_DURABLE_AGAIN"]);
    },
  );

  it("because there are no hard links here does without the older generation", async () => {
    await using temporary = await temporaryDirectory();
    const refuse = () => Promise.reject(Object.assign(new Error("EPERM"), { code: "EPERM", syscall: "link" }));
    const first = await start(temporary.directory);
    await first.close();
    const store = await start(temporary.directory, { ...nodeFileSystem, link: refuse });
    await store.write(stateOf(1));
    await store.write(stateOf(2));
    await store.close();
    expect(await namesIn(temporary.directory)).toEqual(["state.sealed", "store.key"]);
  });

  it("after the damaged file could not be moved aside does not put it in the good one's place", async () => {
    await using temporary = await temporaryDirectory();
    const { directory } = temporary;
    const before = await start(directory);
    await before.write(stateOf(1));
    await before.write(stateOf(2));
    await before.close();
    const good = await readFile(path.join(directory, "state.prev.sealed"));
    await writeFile(path.join(directory, "state.sealed"), "rubbish");
    const rename: typeof nodeFileSystem.rename = (from, to) =>
      to.includes("corrupt")
        ? Promise.reject(Object.assign(new Error("EIO"), { code: "EIO", syscall: "rename" }))
        : nodeFileSystem.rename(from, to);
    const store = await start(directory, { ...nodeFileSystem, rename });
    expect(store.status()).toMatchObject({ loaded: "previous", quarantined: 0, problem: { code: "STORE_READ" } });
    await store.close();
    expect(store.status()).toMatchObject({ dirty: false, writes: { ok: 1, failed: 0 } });
    expect(await readFile(path.join(directory, "state.prev.sealed"))).toEqual(good);
  });

  it("short is found by its size and not acknowledged", async () => {
    await using temporary = await temporaryDirectory();
    let short = false;
    const store = await start(temporary.directory, {
      ...nodeFileSystem,
      async open(path, flags, mode) {
        const handle = await nodeFileSystem.open(path, flags, mode);
        return {
          stat: () => handle.stat(),
          read: (...args) => handle.read(...args),
          writeFile: (bytes) => handle.writeFile(short ? bytes.subarray(0, bytes.length >> 1) : bytes),
          sync: () => handle.sync(),
          close: () => handle.close(),
        };
      },
    });
    await store.write(stateOf(1));
    short = true;
    await expect(store.write(stateOf(2))).rejects.toMatchObject({ code: "STORE_WRITE" });
    await store.close();
    const after = await start(temporary.directory);
    expect(after.state).toEqual(stateOf(1));
    await after.close();
  });

  it("too large for a state file is not acknowledged and harms nothing", async () => {
    await using temporary = await temporaryDirectory();
    const store = await start(temporary.directory);
    await store.write(stateOf(1));
    const large = stateOf(2, { authinfo: "x".repeat(70_000) });
    await expect(store.write(large)).rejects.toMatchObject({ code: "STORE_WRITE" });
    await store.close();
    const after = await start(temporary.directory);
    expect(after.state).toEqual(stateOf(1));
    await after.close();
  });
});

describe("a start of which calls fail", () => {
  it.each(codes)("once with %s is a start all the same, and nothing good is lost", async (code) => {
    for (let k = 1; k < ENOUGH; k++) {
      await using temporary = await temporaryDirectory();
      const { directory } = temporary;
      const before = await start(directory);
      await before.write(stateOf(1));
      await before.write(stateOf(2));
      await before.close();

      const files = new FailingFiles();
      files.arm(k, code);
      const store = await start(directory, files);
      const where = `call ${k} of ${files.trace}`;
      const fired = files.calls >= k;
      files.disarm();
      expect(store.state.generation, where).toBeGreaterThanOrEqual(2);
      if (code === "EMFILE") expect(store.status().quarantined, `the files are sound: ${where}`).toBe(0);
      await store.close();
      const after = await start(directory);
      expect(after.state.generation, where).toBeGreaterThanOrEqual(2);
      await after.write({ ...stateOf(9), generation: 9 });
      await after.close();
      if (!fired) break;
      expect(k).toBeLessThan(ENOUGH - 1);
    }
  });

  it("and whose disk does not answer in 500 ms yields what it read, as not yet sure to be found again", async () => {
    await using temporary = await temporaryDirectory();
    const before = await start(temporary.directory);
    await before.write(stateOf(1));
    await before.close();
    const clock = new FakeClock();
    const disk = Promise.withResolvers<void>();
    const open: typeof nodeFileSystem.open = async (path, flags, mode) => {
      if ((flags & constants.O_DIRECTORY) !== 0) await disk.promise;
      return await nodeFileSystem.open(path, flags, mode);
    };
    const fileSystem = { ...nodeFileSystem, open };
    const opening = openStore({ directory: temporary.directory, ...parts, clock, log: silentLog, fileSystem });
    while (clock.nextWakeIn !== 500) await clock.settle();
    await clock.advance(500);
    const store = await opening;
    expect(store.state).toEqual(stateOf(1));
    expect(store.status()).toMatchObject({ loaded: "current", dirty: true });
    disk.resolve();
    await store.close();
    expect(store.status()).toMatchObject({ dirty: false, writes: { ok: 1, failed: 0 } });
    expect(clock.sleeping).toBe(0);
  });

  it.each(codes)("in an empty directory whose disk refuses every change with %s works from memory", async (code) => {
    await using temporary = await temporaryDirectory();
    const files = new FailingFiles();
    files.arm(0, code, true);
    const store = await start(temporary.directory, files);
    expect(store.status()).toMatchObject({ loaded: "empty", problem: { code: "STORE_WRITE" } });
    await expect(store.write(stateOf(1))).rejects.toMatchObject({ code: "STORE_WRITE" });
    expect(store.state).toEqual(stateOf(1));
    files.disarm();
    await store.write(stateOf(2));
    expect(store.status().problem).toBeUndefined();
    await store.close();
    const after = await start(temporary.directory);
    expect(after.state).toEqual(stateOf(2));
    await after.close();
  });
});

describe("a key of our own that is made while calls fail", () => {
  it.each(codes)("with %s never leaves a state that no later start can open", async (code) => {
    for (let k = 1; k < ENOUGH; k++) {
      await using temporary = await temporaryDirectory();
      const { directory } = temporary;
      const files = new FailingFiles();
      files.arm(k, code);
      const store = await start(directory, files);
      const fired = files.calls >= k;
      const kept = await store.write(stateOf(1)).then(
        () => true,
        () => false,
      );
      const where = `call ${k} of ${files.trace}`;
      await store.close();
      const after = await start(directory);
      if (kept) expect(after.state, where).toEqual(stateOf(1));
      expect(after.status().quarantined, where).toBe(0);
      expect(
        (await namesIn(directory)).filter((name) => name.endsWith(".tmp")),
        where,
      ).toEqual([]);
      await after.close();
      if (!fired) break;
      expect(k).toBeLessThan(ENOUGH - 1);
    }
  });
});
