import { describe, expect, it } from "vitest";
import { readHost, releaseOf } from "../../../agent/diagnostics/host/host.ts";

describe("the host", () => {
  it("is asked through systeminformation and says what it has", async () => {
    const host = await readHost("/", AbortSignal.timeout(20_000));
    expect(host.os).toMatch(/\S/);
    expect(host.memory.availableBytes).toBeGreaterThan(0);
    expect(host.memory.availableBytes).toBeLessThanOrEqual(host.memory.totalBytes);
  });

  it("does not hang with a file system that does", async () => {
    const tooLong = new AbortController();
    const reading = readHost("/", tooLong.signal);
    tooLong.abort(new Error("too long"));
    await expect(reading).rejects.toThrow("too long");
  });

  it("knows the disk of a directory, and goes without it while there is none", async () => {
    expect((await readHost("/", AbortSignal.timeout(20_000))).disk?.availableBytes).toBeGreaterThan(0);
    expect((await readHost("/nowhere/at/all", AbortSignal.timeout(20_000))).disk).toBeUndefined();
  });
});

it.each([
  ['NAME="Debian GNU/Linux"\nVERSION_ID="12"\n', "Debian GNU/Linux", "12"],
  ["PRETTY_NAME='x'\nNAME=Ubuntu\nVERSION_ID=20.04\n", "Ubuntu", "20.04"],
  ['NAME="Kylin Linux"\nVERSION_ID="V10"\n', "Kylin Linux", "V10"],
  ["", "Linux", ""],
])("knows the system by os-release: %j", (text, distro, release) => {
  expect(releaseOf(text)).toEqual({ distro, release });
});
