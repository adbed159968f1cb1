import { describe, expect, it } from "vitest";
import { FleetBook } from "../../../agent/gateway/fleet-book.ts";

describe("what a gateway knows of its terminals", () => {
  it("counts them by version, each once", () => {
    const book = new FleetBook();
    for (let n = 0; n < 3; n++) book.asked("A", "facepay-agent/0.1.0 (Linux; Node 24.0.0)");
    book.asked("B", "facepay-agent/0.2.0 (Linux; Node 24.0.0)");
    book.asked("C", undefined);
    expect([...book.versions()]).toEqual([
      ["0.1.0", 1],
      ["0.2.0", 1],
      ["other", 1],
    ]);
    book.asked("A", "facepay-agent/0.2.0 (Linux; Node 24.0.0)");
    expect([...book.versions()]).toEqual([
      ["0.2.0", 2],
      ["other", 1],
    ]);
  });

  it("has no more labels for versions that terminals make up", () => {
    const book = new FleetBook();
    for (let n = 0; n < 500; n++) book.asked(`D${n}`, `facepay-agent/1.0.${n} x`);
    book.asked("E", 'facepay-agent/9.9.9"}\nevil 1');
    const versions = book.versions();
    expect(versions.size).toBe(21);
    expect([...versions.values()].reduce((sum, each) => sum + each, 0)).toBe(501);
    expect([...versions.keys()].join()).not.toContain("evil");
  });

  it("knows when each last succeeded, and forgets whom the register no longer has", () => {
    const book = new FleetBook();
    for (const device of ["A", "B"]) book.asked(device, "facepay-agent/0.1.0");
    book.succeeded("A", 1_000);
    book.succeeded("B", 5_000);
    // Never let in: no entry.
    book.succeeded("STRANGER", 9_000);
    expect([book.succeededSince(500), book.succeededSince(2_000), book.succeededSince(6_000)]).toEqual([2, 1, 0]);
    expect([...book.lastSuccesses()]).toEqual([
      ["A", 1_000],
      ["B", 5_000],
    ]);
    book.keepOnly((device) => device === "B");
    expect([...book.lastSuccesses()]).toEqual([["B", 5_000]]);
  });
});
