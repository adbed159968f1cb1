import type { NetworkInterfaceInfo } from "node:os";
import { describe, expect, it } from "vitest";
import { type Interfaces, linkFingerprint, watchLink } from "../../../agent/runtime/link-watch.ts";
import { FakeClock } from "../../support/fakes/fake-clock.ts";

const card = (cidr: string, mac = "02:00:00:00:00:01", internal = false): NetworkInterfaceInfo => ({
  address: cidr.split("/")[0] ?? "",
  netmask: "255.255.255.0",
  family: "IPv4",
  mac,
  internal,
  cidr,
});
const loopback = card("127.0.0.1/8", "00:00:00:00:00:00", true);

describe("the link", () => {
  it("is the same in whatever order it is told, and whatever loopback does", () => {
    const one: Interfaces = { lo: [loopback], eth0: [card("10.0.0.2/24")], wlan0: [card("10.0.1.2/24")] };
    const two: Interfaces = { wlan0: [card("10.0.1.2/24")], eth0: [card("10.0.0.2/24")] };
    expect(linkFingerprint(one)).toBe(linkFingerprint(two));
  });

  it("differs when a card, an address or a MAC comes, goes or changes", () => {
    const base = linkFingerprint({ eth0: [card("10.0.0.2/24")] });
    const others: Interfaces[] = [
      {},
      { eth0: [card("10.0.0.3/24")] },
      { eth0: [card("10.0.0.2/24", "02:00:00:00:00:09")] },
      { eth1: [card("10.0.0.2/24")] },
      { eth0: [card("10.0.0.2/24"), card("10.9.0.2/24")] },
    ];
    for (const other of others) expect(linkFingerprint(other)).not.toBe(base);
  });

  it("is told once for each change, within two seconds", async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    let now: Interfaces = { eth0: [card("10.0.0.2/24")] };
    let changes = 0;
    const watching = watchLink({ read: () => now, clock, signal: stop.signal, onChange: () => changes++ });
    await clock.advance(60_000);
    expect(changes).toBe(0);
    now = {};
    await clock.advance(2_000);
    expect(changes).toBe(1);
    await clock.advance(60_000);
    now = { eth0: [card("10.0.0.7/24")] };
    await clock.advance(2_000);
    expect(changes).toBe(2);
    stop.abort();
    await watching;
    expect(clock.sleeping).toBe(0);
  });
});
