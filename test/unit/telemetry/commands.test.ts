import { describe, expect, it } from "vitest";
import { CommandJudge, type CommandMessage, RefusalCounter } from "../../../agent/telemetry/commands.ts";

const NOW = Date.UTC(2026, 5, 1, 4, 0, 0);
const moment = { wallMs: NOW, bootMs: 1_000_000, clockTrusted: true, busy: false };
const at = (seconds: number) => new Date(NOW + seconds * 1_000).toISOString();
const init = (over: object = {}) => JSON.stringify({ status: "init", not_after: at(300), ...over });
const asked = (payload: string | Uint8Array = init(), over: Partial<CommandMessage> = {}): CommandMessage => ({
  target: { op: "refresh", id: "a-1" },
  payload: typeof payload === "string" ? Buffer.from(payload) : payload,
  retained: false,
  ...over,
});
const judge = () => new CommandJudge(["refresh"]);

describe("a command", () => {
  it("is accepted when it is allowed, new and in time", () => {
    expect(judge().judge(asked(), moment)).toEqual({ kind: "accepted", op: "refresh", id: "a-1" });
    expect(judge().judge(asked(init({ not_after: at(1) }), { retained: true }), moment).kind).toBe("accepted");
    expect(judge().judge(asked(init({ not_after: "2026-06-01T12:05:00+08:00" })), moment).kind).toBe("accepted");
  });

  it.each<[what: string, message: CommandMessage, reason: string, over?: Partial<typeof moment>]>([
    ["of an op that is not allowed", asked(init(), { target: { op: "diagnose", id: "a" } }), "not_allowed"],
    ["of an op that nobody knows", asked(init(), { target: { op: "reboot", id: "a" } }), "not_allowed"],
    [
      "of an op named like a member of every object",
      asked(init(), { target: { op: "__proto__", id: "a" } }),
      "not_allowed",
    ],
    ["on a topic of another terminal", asked(init(), { target: undefined }), "topic"],
    ["with an id that leaves its place", asked(init(), { target: { op: "refresh", id: "..%2f" } }), "id"],
    ["with an empty id", asked(init(), { target: { op: "refresh", id: "" } }), "id"],
    ["with an id without end", asked(init(), { target: { op: "refresh", id: "x".repeat(65) } }), "id"],
    ["that has expired", asked(init({ not_after: at(-1) })), "expired"],
    ["of this very instant", asked(init({ not_after: at(0) })), "expired"],
    ["retained from last week", asked(init({ not_after: at(-7 * 86_400) }), { retained: true }), "expired"],
    ["that would hold for an hour", asked(init({ not_after: at(3_600) })), "too_far"],
    ["one second beyond ten minutes", asked(init({ not_after: at(601) })), "too_far"],
    ["without a limit", asked('{"status":"init"}'), "not_after"],
    ["with a limit that is a number", asked(init({ not_after: (NOW + 60_000) / 1_000 })), "not_after"],
    ["with a limit in words", asked(init({ not_after: "tomorrow" })), "not_after"],
    ["with a limit that is no instant", asked(init({ not_after: "2026-13-45T99:99:99Z" })), "not_after"],
    ["with a limit without a zone", asked(init({ not_after: "2026-06-01T04:05:00" })), "not_after"],
    ["of more than 4 KiB", asked(init().padEnd(4_097)), "too_large"],
    ["retained, of more than 4 KiB", asked(init().padEnd(5_000), { retained: true }), "too_large"],
    ["that is no JSON", asked("refresh"), "not_json"],
    ["that is two objects", asked(`${init()}${init()}`), "not_json"],
    ["that is no UTF-8", asked(Buffer.from([0x7b, 0xff, 0xfe, 0x7d])), "not_utf8"],
    ["with a byte order mark", asked(`\ufeff${init()}`), "not_json"],
    ["that is a list", asked(`[${init()}]`), "form"],
    ["that is null", asked("null"), "form"],
    ["with a member more", asked(init({ program: "/bin/sh" })), "form"],
    ["with a forged prototype", asked('{"status":"init","not_after":"x","__proto__":{"op":1}}'), "form"],
    ["that says it is done", asked(init({ status: "successful" })), "status"],
    ["in capitals", asked(init({ status: "INIT" })), "status"],
    ["while another is at work", asked(), "busy", { busy: true }],
    ["while nothing confirms the clock", asked(), "clock", { clockTrusted: false }],
  ])("%s is refused", (_what, message, reason, over = {}) => {
    expect(judge().judge(message, { ...moment, ...over })).toMatchObject({ kind: "refused", reason });
  });

  it("is refused when its id was seen before, also after its own time, under another op, and once it is retained", () => {
    const both = new CommandJudge(["refresh", "diagnose"]);
    expect(both.judge(asked(), moment).kind).toBe("accepted");
    expect(both.judge(asked(), moment)).toMatchObject({ reason: "repeated" });
    expect(both.judge(asked(init(), { target: { op: "diagnose", id: "a-1" } }), moment)).toMatchObject({
      reason: "repeated",
    });
    const later = { ...moment, wallMs: NOW + 240_000, bootMs: moment.bootMs + 240_000 };
    expect(both.judge(asked(init(), { retained: true }), later)).toMatchObject({ reason: "repeated" });
  });

  it("that was refused does not use its id up", () => {
    const one = judge();
    expect(one.judge(asked(), { ...moment, busy: true })).toMatchObject({ reason: "busy" });
    expect(one.judge(asked(), moment).kind).toBe("accepted");
  });

  it("comes at most twelve times an hour, whoever owns the broker", () => {
    const one = judge();
    const outcomes = Array.from({ length: 1_000 }, (_each, n) =>
      one.judge(asked(init(), { target: { op: "refresh", id: `n${n}` } }), moment),
    );
    expect(outcomes.filter(({ kind }) => kind === "accepted")).toHaveLength(12);
    expect(outcomes.at(-1)).toMatchObject({ reason: "too_many" });
    const hourLater = { ...moment, wallMs: NOW + 3_600_000, bootMs: moment.bootMs + 3_600_000 };
    const again = JSON.stringify({ status: "init", not_after: at(3_900) });
    expect(one.judge(asked(again), hourLater).kind).toBe("accepted");
  });

  it.each([
    ["a cleared topic", asked("")],
    ["an answer that somebody has left there", asked('{"status":"executing"}', { retained: true })],
    [
      "a report that somebody has left there",
      asked(`{"status":"successful","result":"${"x".repeat(5_000)}"}`, { retained: true }),
    ],
  ])("is none of it: %s", (_what, message) => {
    expect(judge().judge(message, moment)).toEqual({ kind: "ignored" });
  });
});

describe("refusals", () => {
  it("are told one by one, and counted when they are a flood", () => {
    const counter = new RefusalCounter();
    const told = Array.from({ length: 5_000 }, (_each, n) => counter.count(n)).filter((count) => count !== undefined);
    expect(told).toEqual(new Array(20).fill(1));
    expect(counter.count(60_000)).toBe(4_981);
    expect(counter.count(60_001)).toBe(1);
  });
});
