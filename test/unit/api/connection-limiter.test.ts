import { describe, expect, it } from "vitest";
import { Standing } from "../../../agent/api/http/connection.ts";
import { type Occupant, whoGoes } from "../../../agent/api/http/connection-limiter.ts";

let uses = 0;

interface Named extends Occupant {
  readonly name: string;
}

const HERE = "192.0.2.1";
const occupant = (name: string, standing: Occupant["standing"], more: Partial<Occupant> = {}): Named => {
  const admitted = standing >= Standing.waiting;
  return { name, standing, admitted, address: HERE, usedAt: ++uses, ...more };
};

const crowd = (count: number, standing: Occupant["standing"], more: Partial<Occupant> = {}) =>
  Array.from({ length: count }, (_, i) => occupant(`${i}`, standing, more));

const limits = { connections: 4, strangers: 100, strangersPerAddress: 100 };
/** All that go while places are needed, in order. */
function leave(occupants: readonly Named[], changed: Partial<typeof limits> = {}, address = HERE): string[] {
  const left = new Set(occupants);
  const names: string[] = [];
  for (;;) {
    const one = whoGoes(left, { ...limits, ...changed }, address);
    if (one === undefined) return names;
    left.delete(one);
    names.push(one.name);
  }
}

describe("when there are too many connections", () => {
  it("those that wait for themselves go first, then strangers, handshakes and callers without a request; never one we work for", () => {
    const all = [
      ...[
        occupant("working", Standing.working),
        occupant("waiting", Standing.waiting),
        occupant("late", Standing.waiting),
      ],
      ...[occupant("handshake", Standing.handshake), occupant("stranger", Standing.stranger)],
      occupant("lingering", Standing.lingering),
    ];
    expect(leave(all)).toEqual(["lingering", "stranger"]);
    expect(leave(all, { connections: 0 })).toEqual(["lingering", "stranger", "handshake", "waiting", "late"]);
    expect(leave(all, { connections: 6 })).toEqual([]);
  });

  it("a newcomer that has not said anything yet goes last of those who wait", () => {
    const old = [occupant("old", Standing.waiting), occupant("older", Standing.waiting, { usedAt: 0 })];
    expect(leave([occupant("reader", Standing.waiting), ...old], { connections: 1 })).toEqual(["older", "old"]);
  });

  it("nothing that a stranger sends gives it the place of a handshake or of a terminal", () => {
    const strangers = crowd(3, Standing.stranger, { usedAt: 1_000_000 });
    const honest = [occupant("handshake", Standing.handshake), occupant("terminal", Standing.waiting)];
    expect(leave([...honest, ...strangers], { connections: 2 })).toEqual(["0", "1", "2"]);
  });
});

describe("without an accepted credential", () => {
  it("there is a limit for each address, which costs no other address anything", () => {
    const other = occupant("other", Standing.stranger, { address: "192.0.2.2", usedAt: 0 });
    const all = [other, ...crowd(3, Standing.stranger), occupant("handshake", Standing.handshake)];
    expect(leave(all, { connections: 100, strangersPerAddress: 2 })).toEqual(["0", "1"]);
  });

  it("there is a limit for all addresses, and terminals do not count", () => {
    const spread = Array.from({ length: 4 }, (_, i) =>
      occupant(`${i}`, Standing.stranger, { address: `192.0.2.${i}` }),
    );
    const terminals = crowd(50, Standing.waiting);
    expect(leave([...terminals, ...spread], { connections: 100, strangers: 1 })).toEqual(["0", "1", "2"]);
  });
});
