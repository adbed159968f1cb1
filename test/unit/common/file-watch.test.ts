import { chmod, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { watchFiles } from "../../../agent/common/files/file-watch.ts";
import { FakeClock } from "../../support/fakes/fake-clock.ts";

let directory: string;
let clock: FakeClock;
let stop: AbortController;

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), "facepay-watch-"));
  clock = new FakeClock();
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await rm(directory, { recursive: true });
});

/** The files are read in real time: a look is over when the watcher sleeps again. */
async function asleep(): Promise<void> {
  while (clock.sleeping === 0) await delay(1);
}

async function look(): Promise<void> {
  await clock.advance(4_999);
  await asleep();
  await clock.advance(1);
  await asleep();
}

async function watching(files: readonly string[]): Promise<() => number> {
  let changes = 0;
  void watchFiles({
    files,
    clock,
    signal: stop.signal,
    onChange: async () => {
      changes++;
    },
  });
  await asleep();
  return () => changes;
}

describe("watched files", () => {
  it("are told to have changed once, when they have been at rest for one look", async () => {
    const file = path.join(directory, "cert.pem");
    await writeFile(file, "one");
    const changes = await watching([file]);
    await look();
    expect(changes()).toBe(0);
    await writeFile(file, "two!");
    await look();
    await writeFile(file, "three");
    await look();
    expect(changes()).toBe(0);
    await look();
    expect(changes()).toBe(1);
    await look();
    expect(changes()).toBe(1);
  });

  it("may be replaced by rename, vanish and come back", async () => {
    const file = path.join(directory, "cert.pem");
    await writeFile(file, "same");
    const changes = await watching([file]);
    await writeFile(`${file}.new`, "same");
    await rename(`${file}.new`, file);
    await look();
    await look();
    expect(changes()).toBe(1);
    await rm(file);
    await look();
    await look();
    expect(changes()).toBe(2);
    await writeFile(file, "back");
    await look();
    await look();
    expect(changes()).toBe(3);
  });

  it("are directories, too, of which only the rights count", async () => {
    const changes = await watching([directory]);
    await writeFile(path.join(directory, "new.toml"), "x");
    for (let looks = 0; looks < 3; looks++) await look();
    expect(changes()).toBe(0);
    await chmod(directory, 0o750);
    for (let looks = 0; looks < 3; looks++) await look();
    expect(changes()).toBe(1);
  });
});
