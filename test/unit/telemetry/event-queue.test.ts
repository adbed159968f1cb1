import { describe, expect, it } from "vitest";
import { EventQueue } from "../../../agent/telemetry/event-queue.ts";

const event = (n: number) => ({ at: "2026-06-01T00:00:00.000Z", code: "AUTHINFO_STATE", fields: { n } });

function drained(queue: EventQueue): Record<string, unknown>[] {
  const all: Record<string, unknown>[] = [];
  for (let next = queue.next(); next !== undefined; next = queue.next()) {
    all.push(JSON.parse(next));
    queue.sent();
  }
  return all;
}

describe("events that wait for the broker", () => {
  it("go out in order, with ids that grow without a gap", () => {
    const queue = new EventQueue("s");
    for (let n = 0; n < 5; n++) queue.add(event(n));
    expect(drained(queue).map(({ id, n }) => [id, n])).toEqual([0, 1, 2, 3, 4].map((n) => [n + 1, n]));
    queue.add(event(9));
    expect(drained(queue)).toEqual([
      { id: 6, session: "s", at: "2026-06-01T00:00:00.000Z", code: "AUTHINFO_STATE", n: 9 },
    ]);
  });

  it("are repeated with the same id until the broker has acknowledged", () => {
    const queue = new EventQueue("s");
    queue.add(event(1));
    const first = queue.next();
    queue.add(event(2));
    expect(queue.next()).toBe(first);
    queue.sent();
    expect(JSON.parse(queue.next() ?? "")).toMatchObject({ id: 2, n: 2 });
  });

  it("are the last 100, and what was dropped is an event of its own", () => {
    const queue = new EventQueue("s");
    for (let n = 0; n < 130; n++) queue.add(event(n));
    const [lost, ...rest] = drained(queue);
    expect(lost).toMatchObject({ id: 1, code: "EVENTS_DROPPED", count: 30 });
    expect(rest.map(({ n }) => n)).toEqual(Array.from({ length: 100 }, (_each, at) => at + 30));
    expect(rest.map(({ id }) => id)).toEqual(Array.from({ length: 100 }, (_each, at) => at + 2));
  });
});
