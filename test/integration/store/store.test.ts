import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmod, link, mkdir, readFile, rename, rm, stat, symlink, truncate, unlink, writeFile } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { silentLog } from "../../../agent/common/log/log.ts";
import { failureText } from "../../../agent/messages/failure-text.ts";
import { keyFileRemedy } from "../../../agent/messages/remedies/key-file-remedies.ts";
import { emptyState } from "../../../agent/store/credential.ts";
import { deriveKey, open } from "../../../agent/store/envelope.ts";
import { openStore } from "../../../agent/store/store.ts";
import { FakeClock } from "../../support/fakes/fake-clock.ts";
import {
  namesIn,
  parts,
  recordingLog,
  shopIdentity,
  stateOf,
  temporaryDirectory,
} from "../../support/fixtures/store-fixture.ts";

const start = (directory: string, change: Partial<Parameters<typeof openStore>[0]> = {}) =>
  openStore({ directory, ...parts, log: silentLog, ...change });

/** A directory in which generations 1..n have been written, and the store closed. */
async function written(directory: string, generations: number): Promise<void> {
  const store = await start(directory);
  for (let n = 1; n <= generations; n++) await store.write(stateOf(n));
  await store.close();
}

const flipLastBit = async (file: string) => {
  const bytes = await readFile(file);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  await writeFile(file, bytes);
};

describe("the store", () => {
  it("starts empty, keeps what is written, and serves it after a restart", async () => {
    await using temporary = await temporaryDirectory();
    const directory = path.join(temporary.directory, "made/here");
    const first = await start(directory);
    expect(first.state).toEqual(emptyState);
    expect(first.status()).toMatchObject({ directory, loaded: "empty", dirty: false, writes: { ok: 0, failed: 0 } });
    await first.write(stateOf(1));
    await first.write(stateOf(2));
    expect(first.status()).toMatchObject({
      dirty: false,
      writes: { ok: 2, failed: 0 },
      lastWriteMs: expect.any(Number),
    });
    expect(first.status().problem).toBeUndefined();
    await first.close();

    const second = await start(directory);
    expect(second.status().loaded).toBe("current");
    expect(second.state).toEqual(stateOf(2));
    await second.close();
  });

  it("keeps three files, all for the owner only, and no authinfo in the clear", async () => {
    await using temporary = await temporaryDirectory();
    const directory = path.join(temporary.directory, "state");
    await written(directory, 5);
    expect(await namesIn(directory)).toEqual(["state.prev.sealed", "state.sealed", "store.key"]);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    for (const name of await namesIn(directory)) {
      const file = path.join(directory, name);
      expect((await stat(file)).mode & 0o777, name).toBe(0o600);
      expect((await readFile(file)).includes("authinfo-of-generation"), name).toBe(false);
    }
  });

  it("writes a hundred states at once in two writes, and every caller is answered", async () => {
    await using temporary = await temporaryDirectory();
    const store = await start(temporary.directory);
    const all = Array.from({ length: 100 }, (_, n) => store.write(stateOf(n + 1)));
    expect(store.state.generation).toBe(100);
    expect(store.status().dirty).toBe(true);
    await Promise.all(all);
    expect(store.status()).toMatchObject({ dirty: false, writes: { ok: 2, failed: 0 } });
    await store.close();
    const again = await start(temporary.directory);
    expect(again.state.generation).toBe(100);
    await again.close();
  });

  it("waits in close() for the writes under way and refuses later ones", async () => {
    await using temporary = await temporaryDirectory();
    const clock = new FakeClock();
    const store = await start(temporary.directory, { clock });
    const writes = [store.write(stateOf(1)), store.write(stateOf(2))];
    await store.close();
    await Promise.all(writes);
    await expect(store.write(stateOf(3))).rejects.toMatchObject({ code: "STORE_WRITE" });
    await clock.settle();
    expect(clock.sleeping).toBe(0);
    const again = await start(temporary.directory);
    expect(again.state.generation).toBe(2);
    await again.close();
  });

  it("shows another process the old file or the new one, never a part", async () => {
    await using temporary = await temporaryDirectory();
    const { directory } = temporary;
    const store = await start(directory);
    await store.write(stateOf(1));
    const key = deriveKey(await readFile(path.join(directory, "store.key")));
    let writing = true;
    const writes = (async () => {
      for (let n = 2; n <= 200; n++) await store.write(stateOf(n));
      writing = false;
    })();
    let newest = 1;
    while (writing) {
      const opened = open(await readFile(path.join(directory, "state.sealed")), key);
      expect(opened).toMatchObject({ ok: true });
      if (!opened.ok) break;
      expect(opened.header.generation).toBeGreaterThanOrEqual(newest);
      newest = opened.header.generation;
    }
    await writes;
    await store.close();
  });

  it("does not end the process when nobody waits for a failed write", async () => {
    await using temporary = await temporaryDirectory();
    const store = await start(temporary.directory);
    await rm(temporary.directory, { recursive: true });
    void store.write(stateOf(1));
    await store.close();
    expect(store.status()).toMatchObject({
      dirty: true,
      writes: { ok: 0, failed: 1 },
      problem: { code: "STORE_WRITE" },
    });
  });
});

describe("a damaged state", () => {
  it("that is only the older one is told, put aside, and made again by the next write", async () => {
    await using temporary = await temporaryDirectory();
    const { directory } = temporary;
    await written(directory, 2);
    await flipLastBit(path.join(directory, "state.prev.sealed"));
    const store = await start(directory);
    expect(store.status()).toMatchObject({ loaded: "current", copyDamaged: true, dirty: false, quarantined: 1 });
    expect(store.state.credential?.authinfo).toBe("authinfo-of-generation-2");
    await store.write({ ...store.state, newestSignedAtS: 5 });
    expect(store.status().copyDamaged).toBeUndefined();
    await store.close();
    await flipLastBit(path.join(directory, "state.sealed"));
    const again = await start(directory);
    expect(again.status()).toMatchObject({ loaded: "previous" });
    expect(again.state.credential?.authinfo).toBe("authinfo-of-generation-2");
    await again.close();
  });

  it("is moved aside, and the older one is served and settled", async () => {
    await using temporary = await temporaryDirectory();
    const { directory } = temporary;
    await written(directory, 2);
    await flipLastBit(path.join(directory, "state.sealed"));
    const log = recordingLog();
    const store = await start(directory, { log });
    expect(store.status()).toMatchObject({ loaded: "previous", quarantined: 1 });
    expect(store.state.credential?.authinfo).toBe("authinfo-of-generation-1");
    expect(store.state.generation).toBeGreaterThan(2);
    const served = store.state;
    await store.close();
    expect(log.lines.map(({ code }) => code)).toEqual(["STORE_QUARANTINED", "STORE_RECOVERED"]);

    const again = await start(directory);
    expect(again.status()).toMatchObject({ loaded: "current", quarantined: 1 });
    expect(again.state).toEqual(served);
    await again.close();
  });

  it("is cut, zeroed, huge, or a link, a directory, a FIFO, a socket: the agent starts all the same", async () => {
    const damage: Record<string, { reason: string; spoil: (file: string) => Promise<unknown> }> = {
      cut: { reason: "truncated", spoil: (file) => truncate(file, 30) },
      empty: { reason: "not_sealed", spoil: (file) => truncate(file, 0) },
      zeroed: { reason: "not_sealed", spoil: (file) => writeFile(file, Buffer.alloc(500)) },
      huge: { reason: "too_long", spoil: (file) => truncate(file, 2 ** 30) },
      link: {
        reason: "symbolic_link",
        async spoil(file) {
          await rename(file, `${file}.elsewhere`);
          await symlink(`${file}.elsewhere`, file);
        },
      },
      directory: {
        reason: "not_regular",
        async spoil(file) {
          await rm(file);
          await mkdir(path.join(file, "full"), { recursive: true });
        },
      },
      fifo: {
        reason: "not_regular",
        async spoil(file) {
          await rm(file);
          execFileSync("mkfifo", [file]);
        },
      },
      socket: {
        reason: "ENXIO",
        async spoil(file) {
          await rm(file);
          const server = net.createServer().listen(`${file}.s`);
          await once(server, "listening");
          await link(`${file}.s`, file);
          server.close();
          await once(server, "close");
        },
      },
    };
    for (const [what, { reason, spoil }] of Object.entries(damage)) {
      for (const name of ["state.sealed", "state.prev.sealed"]) {
        await using temporary = await temporaryDirectory();
        await written(temporary.directory, 2);
        await spoil(path.join(temporary.directory, name));
        const log = recordingLog();
        const store = await start(temporary.directory, { log });
        const loaded = name === "state.sealed" ? "previous" : "current";
        expect(store.status(), `${what} ${name}`).toMatchObject({ loaded, quarantined: 1 });
        expect(log.lines[0], what).toMatchObject({ code: "STORE_QUARANTINED", fields: { file: name, reason } });
        await store.write(stateOf(9));
        await store.write(stateOf(10));
        await store.close();
        const again = await start(temporary.directory);
        expect(again.state, `${what} ${name}`).toEqual(stateOf(10));
        await again.close();
      }
    }
  });

  it("of which nothing opens leaves an empty state whose generation goes on", async () => {
    await using temporary = await temporaryDirectory();
    const { directory } = temporary;
    await written(directory, 4);
    await flipLastBit(path.join(directory, "state.sealed"));
    await flipLastBit(path.join(directory, "state.prev.sealed"));
    // Both are moved in the same millisecond, and still each keeps a name of its own.
    const store = await start(directory, { clock: new FakeClock() });
    expect(store.status()).toMatchObject({ loaded: "quarantined", quarantined: 2 });
    expect(store.state).toEqual({ ...emptyState, generation: 4 });
    await store.close();
    expect((await namesIn(directory)).filter((name) => name.startsWith("state.corrupt-"))).toHaveLength(2);
  });

  it("is kept three times at most, the oldest goes", async () => {
    await using temporary = await temporaryDirectory();
    const { directory } = temporary;
    await mkdir(path.join(directory, "state.corrupt-20200101T000000000Z/oldest"), { recursive: true });
    for (let round = 1; round <= 5; round++) {
      await writeFile(path.join(directory, "state.sealed"), `rubbish ${round}`);
      const store = await start(directory);
      expect(store.status().quarantined).toBe(Math.min(round + 1, 3));
      await store.close();
    }
    const kept = (await namesIn(directory)).filter((name) => name.startsWith("state.corrupt-"));
    const contents = await Promise.all(kept.map((name) => readFile(path.join(directory, name), "utf8")));
    expect(contents).toEqual(["rubbish 3", "rubbish 4", "rubbish 5"]);
    for (const name of kept) expect(name).toMatch(/^state\.corrupt-\d{8}T\d{9}Z(-\d+)?$/);
  });

  it("does not stay behind as a temporary file", async () => {
    await using temporary = await temporaryDirectory();
    const { directory } = temporary;
    await written(directory, 1);
    for (const what of ["state", "previous", "store-key", "config"]) {
      await writeFile(path.join(directory, `.${what}.0123456789abcdef.tmp`), "half");
    }
    const store = await start(directory);
    expect(await namesIn(directory)).toEqual(["state.sealed", "store.key"]);
    await store.close();
  });
});

describe("a state of somebody else", () => {
  it("of another merchant is not served; its generation is carried on", async () => {
    await using temporary = await temporaryDirectory();
    const { directory } = temporary;
    await written(directory, 3);
    const identity = { ...shopIdentity, subMchid: "1900000999" };
    const store = await start(directory, { identity });
    expect(store.status()).toMatchObject({ loaded: "other_identity", quarantined: 0, dirty: false });
    expect(store.state.credential).toBeUndefined();
    expect(store.state).toMatchObject({ generation: 3, newestSignedAtS: 0 });
    await store.write({ ...stateOf(4), generation: 4 });
    await store.close();

    const back = await start(directory);
    expect(back.status().loaded).toBe("other_identity");
    expect(back.state).toMatchObject({ generation: 4 });
    expect(back.state.credential).toBeUndefined();
    await back.close();
  });

  it("of another configured device is not served", async () => {
    await using temporary = await temporaryDirectory();
    await written(temporary.directory, 3);
    const store = await start(temporary.directory, { identity: { ...shopIdentity, deviceId: "device-2" } });
    expect(store.status().loaded).toBe("other_identity");
    expect(store.state.credential).toBeUndefined();
    await store.close();
  });
});

describe("the key", () => {
  it("when lost makes the state unreadable, not the agent", async () => {
    await using temporary = await temporaryDirectory();
    const { directory } = temporary;
    await written(directory, 2);
    await rm(path.join(directory, "store.key"));
    const log = recordingLog();
    const store = await start(directory, { log });
    expect(store.status()).toMatchObject({ loaded: "quarantined", quarantined: 2 });
    expect(store.state).toEqual({ ...emptyState, generation: 2 });
    expect(log.lines[0]).toMatchObject({ code: "STORE_QUARANTINED", fields: { reason: "other_key" } });
    await store.write(stateOf(3));
    await store.close();
    const again = await start(directory);
    expect(again.state).toEqual(stateOf(3));
    await again.close();
  });

  it("comes from key_file, else from the service manager, and then none is made", async () => {
    await using temporary = await temporaryDirectory();
    const { directory } = temporary;
    const keyFile = path.join(directory, "given.key");
    await writeFile(keyFile, Buffer.alloc(32, 1), { mode: 0o600 });
    const credentialsDirectory = path.join(directory, "credentials");
    await mkdir(credentialsDirectory);
    await writeFile(path.join(credentialsDirectory, "store-key"), Buffer.alloc(32, 2), { mode: 0o444 });
    const state = path.join(directory, "state");

    const first = await start(state, { keyFile, credentialsDirectory });
    await first.write(stateOf(1));
    await first.close();
    const other = await start(state, { credentialsDirectory });
    expect(other.status().loaded).toBe("quarantined");
    await other.write(stateOf(2));
    await other.close();
    const same = await start(state, { credentialsDirectory });
    expect(same.state).toEqual(stateOf(2));
    await same.close();
    expect(await namesIn(state)).not.toContain("store.key");
  });

  it.each([
    ["missing", undefined, 0o600, { variant: "missing" }],
    ["too short", Buffer.alloc(15), 0o600, { variant: "short", octets: 15 }],
    ["open to the group", Buffer.alloc(32), 0o640, { variant: "open_to_others", mode: "0400" }],
    ["huge", Buffer.alloc(70_000), 0o600, { variant: "not_key", fault: "too_long" }],
  ])("that is given and %s is an error that says what to do", async (_what, bytes, mode, params) => {
    await using temporary = await temporaryDirectory();
    const keyFile = path.join(temporary.directory, "given.key");
    if (bytes) await writeFile(keyFile, bytes, { mode });
    const opening = start(path.join(temporary.directory, "state"), { keyFile });
    await expect(opening).rejects.toMatchObject({ code: "KEY_FILE", params });
    // The failed start has let go of the directory.
    await (await start(path.join(temporary.directory, "state"))).close();
  });

  it("of our own that cannot be used is neither overwritten nor the end: memory serves until it is fixed", async () => {
    await using temporary = await temporaryDirectory();
    const { directory } = temporary;
    await written(directory, 2);
    await chmod(path.join(directory, "store.key"), 0o644);
    const before = await readFile(path.join(directory, "store.key"));
    const store = await start(directory);
    expect(store.status()).toMatchObject({ loaded: "empty", quarantined: 0, problem: { code: "KEY_FILE" } });
    expect(store.state).toEqual({ ...emptyState, generation: 2 });
    await expect(store.write(stateOf(3))).rejects.toMatchObject({ code: "KEY_FILE" });
    // The key is what a person has to fix, after a failed write as before.
    expect(store.status().problem?.code).toBe("KEY_FILE");
    expect(store.state).toEqual(stateOf(3));
    expect(await namesIn(directory)).toEqual(["state.prev.sealed", "state.sealed", "store.key"]);
    expect(await readFile(path.join(directory, "store.key"))).toEqual(before);

    await chmod(path.join(directory, "store.key"), 0o600);
    await store.write(store.state);
    expect(store.status()).toMatchObject({ dirty: false, writes: { ok: 1, failed: 1 } });
    expect(store.status().problem).toBeUndefined();
    await store.close();
    const again = await start(directory);
    expect(again.state).toEqual(stateOf(3));
    await again.close();
  });

  it.each([
    ["0644", (key: string) => chmod(key, 0o644), "is readable by others"],
    ["too short", (key: string) => writeFile(key, "12345"), "has 5 octets, a key has at least 16"],
    [
      "a link",
      (key: string) => rename(key, `${key}.x`).then(() => symlink(`${key}.x`, key)),
      "is not a key (a symbolic link)",
    ],
    ["a directory", (key: string) => unlink(key).then(() => mkdir(key)), "is not a key (not a regular file)"],
  ])("of our own that is %s comes with one remedy, which helps", async (_what, spoil, words) => {
    await using temporary = await temporaryDirectory();
    const { directory } = temporary;
    await written(directory, 2);
    const key = path.join(directory, "store.key");
    await spoil(key);
    const store = await start(directory);
    const problem = store.status().problem ?? { code: "none" };
    const fault = failureText(problem);
    expect([problem.code, fault.en]).toEqual(["KEY_FILE", expect.stringContaining(words)]);
    const remedy = keyFileRemedy(problem.params ?? {});
    expect(fault.en).not.toMatch(/chmod|rm /);
    expect(remedy?.zh).toMatch(/^请.*：\n {2}\S/);
    const [command = ""] = /(?:chmod 0600|rm -r) \S*store\.key/.exec(remedy?.en ?? "") ?? [];
    execFileSync("sh", ["-c", command]);
    await store.write(stateOf(3));
    expect(store.status().problem).toBeUndefined();
    await store.close();
    const again = await start(directory);
    expect(again.state).toEqual(stateOf(3));
    await again.close();
  });
});

describe("the directory", () => {
  it.each([0o770, 0o707, 0o777])("with mode %o is refused, with the command that fixes it", async (mode) => {
    await using temporary = await temporaryDirectory();
    await chmod(temporary.directory, mode);
    await expect(start(temporary.directory)).rejects.toMatchObject({
      code: "STORE_READ",
      params: { variant: "writable_by_others", directory: temporary.directory },
    });
  });

  it("that is a file, or lies below one, is refused", async () => {
    await using temporary = await temporaryDirectory();
    const file = path.join(temporary.directory, "file");
    await writeFile(file, "");
    for (const directory of [file, path.join(file, "below")]) {
      await expect(start(directory)).rejects.toMatchObject({
        code: "STORE_READ",
        params: { variant: "not_directory" },
      });
    }
  });

  it("is held by one store at a time", async () => {
    await using temporary = await temporaryDirectory();
    const store = await start(temporary.directory);
    await expect(start(temporary.directory)).rejects.toMatchObject({
      code: "STORE_LOCKED",
      params: { pid: process.pid },
    });
    await store.close();
    await (await start(temporary.directory)).close();
  });
});
