import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeDirectories } from "../../../agent/common/files/file-system.ts";

let base: string;
beforeEach(async () => {
  base = await mkdtemp(path.join(os.tmpdir(), "facepay-directories-"));
});
afterEach(() => rm(base, { recursive: true, force: true }));

it("makes what is missing and tells where that began", async () => {
  expect(await makeDirectories(path.join(base, "a/b/c"), 0o700)).toBe(path.join(base, "a"));
  expect((await stat(path.join(base, "a/b/c"))).mode & 0o777).toBe(0o700);
  expect(await makeDirectories(path.join(base, "a/b/d"), 0o700)).toBe(path.join(base, "a/b/d"));
  expect(await makeDirectories(path.join(base, "a/b/c"), 0o700)).toBeUndefined();
  expect(await makeDirectories("/", 0o700)).toBeUndefined();
});

it("refuses a file in the way, at the end or above", async () => {
  await writeFile(path.join(base, "f"), "");
  await mkdir(path.join(base, "d"));
  await expect(makeDirectories(path.join(base, "f"), 0o700)).rejects.toMatchObject({ code: "EEXIST" });
  await expect(makeDirectories(path.join(base, "f/x/y"), 0o700)).rejects.toMatchObject({ code: "ENOTDIR" });
});

it("gives up where the system knows no such place, though its parent is there", async () => {
  await expect(makeDirectories("/proc/facepay-nowhere", 0o700)).rejects.toMatchObject({ code: "ENOENT" });
  await expect(makeDirectories("/proc/facepay-nowhere/state/x", 0o700)).rejects.toMatchObject({ code: "ENOENT" });
});
