import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startFileCopy } from "../../../agent/api/file-copy.ts";
import { lookupGroup } from "../../../agent/common/files/group.ts";
import { replaceFile } from "../../../agent/common/files/replace-file.ts";
import type { Log } from "../../../agent/common/log/log.ts";
import { FileSinks } from "../../../agent/runtime/file-sinks.ts";
import { startTextfile } from "../../../agent/runtime/metrics/textfile.ts";
import { FakeClock } from "../../support/fakes/fake-clock.ts";
import {
  absentView,
  FakeCredentialService,
  identity,
  makeCredential,
  makeView,
  temporaryDirectory,
  until,
} from "../../support/fixtures/api-fixture.ts";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let clock: FakeClock;
let events: string[];
let log: Log;
let ending: AbortController;
const troubles: (string | undefined)[] = [];
let running: Promise<void>;

beforeEach(async () => {
  directory = await temporaryDirectory();
  clock = new FakeClock();
  events = [];
  const note = (code: string) => void events.push(code);
  log = { debug: note, info: note, warn: note, error: note };
  ending = new AbortController();
  running = Promise.resolve();
});

afterEach(async () => {
  ending.abort();
  await running;
  expect(clock.sleeping).toBe(0);
  await directory.remove();
});

const modeOf = async (path: string) => ((await stat(path)).mode & 0o7777).toString(8);

describe("the copy for apps that can only read files", () => {
  const credentials = new FakeCredentialService();
  const start = (path: string, more: { mode?: number; group?: string } = {}) => {
    const place = { path, mode: 0o640, ...more };
    running = startFileCopy({
      place,
      credentials,
      identity: () => identity,
      clock,
      log,
      signal: ending.signal,
      onTrouble: (reason) => troubles.push(reason),
    });
  };
  const read = async (path: string): Promise<Record<string, unknown>> =>
    JSON.parse(await readFile(path, "utf8").catch(() => "{}"));

  beforeEach(() => {
    credentials.now = makeView();
  });

  it("is the document of GET, rewritten at every change, and the problem when there is none to serve", async () => {
    const file = `${directory.path}/authinfo.json`;
    start(file);
    await until(async () => (await read(file)).generation === 7, "the first copy");
    expect(await read(file)).toMatchObject({ authinfo: "CANARY-AUTHINFO-0123456789", state: "fresh" });
    expect(await modeOf(file)).toBe("640");
    credentials.become(makeView({ credential: makeCredential({ generation: 8 }) }));
    await until(async () => (await read(file)).generation === 8, "the second copy");
    for (const [view, code] of [
      [makeView({ state: "stale", remainingMs: -1 }), "AUTHINFO_EXPIRED"],
      [absentView, "AUTHINFO_ABSENT"],
    ] as const) {
      credentials.become(view);
      await until(async () => (await read(file)).code === code, code);
      expect(await readFile(file, "utf8")).not.toContain("CANARY");
    }
    expect(await readdir(directory.path)).toEqual(["authinfo.json"]);
    ending.abort();
    await running;
    expect(credentials.listeners.size).toBe(0);
  });

  it("misses no change that comes while it writes", async () => {
    const file = `${directory.path}/authinfo.json`;
    start(file);
    for (let n = 1; n <= 50; n++) credentials.become(makeView({ credential: makeCredential({ generation: n }) }));
    await until(async () => (await read(file)).generation === 50, "the last one");
  });

  it("warns once when it cannot be written, and tries again within 60 s and at the next change", async () => {
    const folder = `${directory.path}/later`;
    start(`${folder}/authinfo.json`);
    await until(() => events.length === 1, "the warning");
    await clock.advance(60_000);
    credentials.become(makeView({ credential: makeCredential({ generation: 9 }) }));
    await clock.settle();
    expect(events).toEqual(["FILE_COPY_FAILED"]);
    await mkdir(folder);
    await until(() => clock.sleeping === 1, "the pause");
    await clock.advance(60_000);
    await until(() => events.length === 2, "the recovery");
    expect(events).toEqual(["FILE_COPY_FAILED", "FILE_COPY_RECOVERED"]);
    expect((await read(`${folder}/authinfo.json`)).generation).toBe(9);
  });

  it("is not written at all for a group that does not exist", async () => {
    const file = `${directory.path}/authinfo.json`;
    start(file, { group: "no-such-group" });
    await until(() => events.length === 1, "the warning");
    expect(events).toEqual(["FILE_COPY_FAILED"]);
    expect(await readdir(directory.path)).toEqual([]);
  });
});

describe("the metrics file", () => {
  it("is rewritten every 60 s, readable by everybody", async () => {
    const path = `${directory.path}/facepay.prom`;
    let scrape = 0;
    running = startTextfile({
      path,
      render: async () => `n ${++scrape}\n`,
      clock,
      log,
      signal: ending.signal,
      onTrouble: (reason) => troubles.push(reason),
    });
    const becomes = (text: string) => until(async () => (await readFile(path, "utf8").catch(() => "")) === text, text);
    await becomes("n 1\n");
    expect(await modeOf(path)).toBe("644");
    await until(() => clock.sleeping === 1, "the pause");
    await clock.advance(59_999);
    expect(scrape).toBe(1);
    await clock.advance(1);
    await becomes("n 2\n");
    expect(await readdir(directory.path)).toEqual(["facepay.prom"]);
  });

  it("warns once when it cannot be written and goes on trying", async () => {
    const path = `${directory.path}/later/facepay.prom`;
    running = startTextfile({
      path,
      render: async () => "n 1\n",
      clock,
      log,
      signal: ending.signal,
      onTrouble: (reason) => troubles.push(reason),
    });
    for (let i = 0; i < 3; i++) {
      await until(() => clock.sleeping === 1, "the pause");
      await clock.advance(60_000);
    }
    expect(events).toEqual(["METRICS_TEXTFILE_FAILED"]);
    await mkdir(`${directory.path}/later`);
    await until(() => clock.sleeping === 1, "the pause");
    await clock.advance(60_000);
    await until(() => events.includes("METRICS_TEXTFILE_RECOVERED"), "the recovery");
  });
});

describe("the optional files", () => {
  it("have one writer at a time, also when a reload begins the next", async () => {
    const path = `${directory.path}/facepay.prom`;
    const texts = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
    let asked = 0;
    const renderMetrics = () => texts[asked++]?.promise ?? Promise.reject(new Error("asked too often"));
    const parts = { credentials: new FakeCredentialService(), identity: () => identity, renderMetrics, clock, log };
    const files = new FileSinks({ ...parts, onTrouble: (_code, reason) => troubles.push(reason) });
    await files.use({ metrics: { textfile: path } });
    await until(() => asked === 1, "the first writer");
    await files.use({ metrics: { textfile: path } });
    await clock.settle();
    expect(asked).toBe(1);
    texts[0]?.resolve("old\n");
    await until(() => asked === 2, "the second writer");
    expect(await readFile(path, "utf8")).toBe("old\n");
    texts[1]?.resolve("new\n");
    await until(async () => (await readFile(path, "utf8")) === "new\n", "its text");
    expect(events).toEqual([]);
    await until(() => clock.sleeping === 1, "the pause");
    files.stop();
    await clock.settle();
  });
});

describe("a file that is given up and wanted again", () => {
  it("is not removed, though its first writer hangs until then", async () => {
    const [a, b] = [`${directory.path}/a.prom`, `${directory.path}/b.prom`];
    const first = Promise.withResolvers<string>();
    const texts: (string | Promise<string>)[] = [first.promise];
    let asked = 0;
    const renderMetrics = async () => (await texts[asked++]) ?? `text ${asked}\n`;
    const parts = { credentials: new FakeCredentialService(), identity: () => identity, renderMetrics, clock, log };
    const files = new FileSinks({ ...parts, onTrouble: (_code, reason) => troubles.push(reason) });
    await files.use({ metrics: { textfile: a } });
    await until(() => asked === 1, "the first writer");
    await files.use({ metrics: { textfile: b } });
    await until(async () => (await readFile(b, "utf8").catch(() => "")) !== "", "the other file");
    await files.use({ metrics: { textfile: a } });
    await until(async () => !(await readdir(directory.path)).includes("b.prom"), "the other file's removal");
    // One writer at a time: the second waits for the first.
    await clock.settle();
    expect(asked).toBe(2);
    first.resolve("old\n");
    await until(async () => (await readFile(a, "utf8").catch(() => "")) === "text 3\n", "the second writer");
    await clock.settle();
    await new Promise((resolve) => setImmediate(resolve));
    expect(await readdir(directory.path)).toEqual(["a.prom"]);
    expect(events).toEqual(["OPTIONAL_FILE_REMOVED"]);
    // And is removed for good when it is not wanted in the end.
    await files.use({ metrics: {} });
    await until(async () => (await readdir(directory.path)).length === 0, "the removal");
    files.stop();
    await clock.settle();
  });
});

describe("replacing a file", () => {
  it("clears away what a killed writer left, and never writes through it", async () => {
    const file = `${directory.path}/f`;
    await writeFile(`${file}.tmp`, "half", { mode: 0o666 });
    await replaceFile(file, "whole", { mode: 0o600 });
    expect(await readFile(file, "utf8")).toBe("whole");
    expect(await modeOf(file)).toBe("600");
    expect(await readdir(directory.path)).toEqual(["f"]);
    // Nor through what somebody has put there, in a directory that others may write to.
    await writeFile(`${directory.path}/victim`, "theirs");
    await symlink("victim", `${file}.tmp`);
    await replaceFile(file, "again", { mode: 0o600 });
    expect(await readFile(`${directory.path}/victim`, "utf8")).toBe("theirs");
    expect(await readFile(file, "utf8")).toBe("again");
  });

  it("is never wider than its owner before it has its name", async () => {
    const file = `${directory.path}/f`;
    const umask = process.umask(0);
    const modes = new Set<number>();
    try {
      let done = false;
      const replaced = replaceFile(file, "x".repeat(30_000_000), { mode: 0o640 }).finally(() => {
        done = true;
      });
      while (!done) {
        modes.add((await stat(`${file}.tmp`).catch(() => ({ mode: 0o600 }))).mode & 0o777);
      }
      await replaced;
    } finally {
      process.umask(umask);
    }
    expect([...modes].filter((mode) => ![0o600, 0o640].includes(mode))).toEqual([]);
    expect(await modeOf(file)).toBe("640");
  });

  it("leaves the old text and nothing else when it fails", async () => {
    const file = `${directory.path}/f`;
    await mkdir(file);
    await expect(replaceFile(file, "x", { mode: 0o600 })).rejects.toMatchObject({ code: "EISDIR" });
    expect(await readdir(directory.path)).toEqual(["f"]);
    await rm(file, { recursive: true });
  });
});

describe("a group", () => {
  it("is found by name and taken by number", async () => {
    const file = `${directory.path}/group`;
    await writeFile(file, "root:x:0:\n#bad\nfacepay-cashier:x:998:kiosk,app\nbroken\nshort:x\n");
    expect(lookupGroup("facepay-cashier", file)).toBe(998);
    expect(lookupGroup("root", file)).toBe(0);
    expect(lookupGroup("1234", file)).toBe(1234);
    expect(lookupGroup("facepay", file)).toBeUndefined();
    expect(lookupGroup("short", file)).toBeUndefined();
  });
});
