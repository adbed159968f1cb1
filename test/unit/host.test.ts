import { describe, expect, it } from "vitest";
import { holderOf, readHost } from "../../agent/host.ts";

describe("the host", () => {
  it("is asked through systeminformation and says what it has", async () => {
    const host = await readHost("/", 20_000);
    expect(host.os).toMatch(/\S/);
    expect(host.memory.availableBytes).toBeGreaterThan(0);
    expect(host.memory.availableBytes).toBeLessThanOrEqual(host.memory.totalBytes);
  });

  it("does not hang with a file system that does", async () => {
    await expect(readHost("/", 0)).rejects.toThrow(/timeout/i);
  });

  it("finds the file system that holds a directory", () => {
    const mounts = [{ mount: "/" }, { mount: "/var" }, { mount: "/var/lib" }, { mount: "/var/library" }];
    expect(holderOf("/var/lib/facepay-agent", mounts)?.mount).toBe("/var/lib");
    expect(holderOf("/var/lib", mounts)?.mount).toBe("/var/lib");
    expect(holderOf("/var/libx", mounts)?.mount).toBe("/var");
    expect(holderOf("/srv", mounts)?.mount).toBe("/");
    expect(holderOf("/srv", [])).toBeUndefined();
  });
});
