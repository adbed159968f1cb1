import { describe, expect, it } from "vitest";
import { systemClock } from "../../../agent/common/clock.ts";
import { systemRandom } from "../../../agent/common/random.ts";
import type { Check, DiagnoseContext, Outcome } from "../../../agent/diagnostics/check.ts";
import {
  exitOf,
  firstOf,
  orderByCause,
  type Result,
  type Selection,
  type Status,
  shownOf,
  type Turn,
  withCauses,
} from "../../../agent/diagnostics/engine.ts";
import { runChecks } from "../../../agent/diagnostics/run-checks.ts";
import { textOf } from "../../../agent/messages/text-of.ts";
import { FakeClock } from "../../support/fakes/fake-clock.ts";

const text = { zh: "测试", en: "test" };
const all: Selection = { skip: [], offline: false };

function check(id: string, code: number, change: Partial<Check> = {}): Check {
  return {
    id,
    code,
    section: "system",
    title: text,
    dependsOn: [],
    threshold: {},
    remedy: { zh: `处理 ${id}`, en: `Fix ${id}.` },
    run: async () => outcome("pass"),
    ...change,
  };
}

const outcome = (status: "pass" | "warn" | "fail"): Outcome => ({ status, detail: text });
const giving = (status: "pass" | "warn" | "fail") => ({ run: async () => outcome(status) });

function contextOf(turns: ReadonlyMap<string, Turn>): DiagnoseContext {
  return {
    ...{
      configFile: "/none",
      env: {},
      loaded: undefined,
      agent: { kind: "absent" },
      installed: false,
      privileged: true,
    },
    ...{ adminSocket: "/none", apiSocket: "/none", clock: systemClock(), random: systemRandom },
    user: { name: "root", uid: 0, gid: 0, gids: [0] },
    outcome: (id) => turns.get(id),
    once: (_name, read) => read(),
  };
}

async function run(
  checks: readonly Check[],
  options: { selection?: Selection; timeoutMs?: number; clock?: FakeClock } = {},
) {
  const { selection = all, timeoutMs = 60_000, clock = systemClock() } = options;
  const turns = new Map<string, Turn>();
  return await runChecks(checks, contextOf(turns), { selection, timeoutMs, clock, turns });
}

const statuses = (results: readonly Result[]) =>
  Object.fromEntries(results.map(({ check: { id }, status }) => [id, status]));

describe("the order of the checks", () => {
  it("is by code where nothing depends on anything", () => {
    const checks = [check("c", 300), check("a", 100), check("b", 200)];
    expect(orderByCause(checks).map(({ id }) => id)).toEqual(["a", "b", "c"]);
  });

  it("puts causes first, and goes on with the lowest code that is free", () => {
    const checks = [
      check("svc", 105, { dependsOn: ["cfg"] }),
      check("offset", 202, { dependsOn: ["reach"] }),
      check("synced", 201, { dependsOn: ["offset"] }),
      check("cfg", 301),
      check("reach", 510),
      check("auth", 511, { dependsOn: ["offset"] }),
      check("id", 308, { after: ["auth"] }),
    ];
    expect(orderByCause(checks).map(({ id }) => id)).toEqual(["cfg", "svc", "reach", "offset", "synced", "auth", "id"]);
  });

  it("refuses a circle and a cause that is no check", () => {
    expect(() => orderByCause([check("a", 1, { dependsOn: ["b"] }), check("b", 2, { after: ["a"] })])).toThrow(
      /circle/,
    );
    expect(() => orderByCause([check("a", 1, { dependsOn: ["ghost"] })])).toThrow(/ghost/);
  });

  it("takes the causes along with those that are asked for", () => {
    const ordered = orderByCause([
      check("a", 1),
      check("b", 2, { dependsOn: ["a"] }),
      check("c", 3, { after: ["b"] }),
      check("d", 4),
    ]);
    expect([...withCauses(ordered, ["c"])].toSorted()).toEqual(["a", "b", "c"]);
  });
});

describe("a run of checks", () => {
  it("skips what a failure explains, names the first cause through every link, and runs the rest", async () => {
    const results = await run([
      check("link", 501, giving("fail")),
      check("dns", 503, { dependsOn: ["link"] }),
      check("tls", 508, { dependsOn: ["dns"] }),
      check("store", 601, giving("warn")),
      check("write", 602, { dependsOn: ["store"] }),
    ]);
    expect(statuses(results)).toEqual({ link: "fail", dns: "skip", tls: "skip", store: "warn", write: "pass" });
    expect(results.find(({ check: { id } }) => id === "tls")?.because).toBe("link");
    expect(firstOf(results)?.check.id).toBe("link");
  });

  it("goes on after a skip that is nobody's fault, and not after one that is", async () => {
    const absent: Outcome = { status: "skip", detail: text };
    const results = await run([
      check("unit", 104, { run: async () => absent }),
      check("running", 105, { dependsOn: ["unit"] }),
      check("data", 409, { run: async () => ({ ...absent, because: "net" }) }),
      check("auth", 511, { dependsOn: ["data"] }),
    ]);
    expect(statuses(results)).toEqual({ unit: "skip", running: "pass", data: "skip", auth: "skip" });
    expect(results.at(-1)?.because).toBe("net");
  });

  it("lets one look at another's failure without being skipped for it", async () => {
    const seen: unknown[] = [];
    const results = await run([
      check("z", 900, giving("fail")),
      check("a", 100, {
        after: ["z"],
        async run({ outcome: of }) {
          seen.push(of("z")?.status);
          return outcome("pass");
        },
      }),
    ]);
    expect(seen).toEqual(["fail"]);
    expect(statuses(results)).toEqual({ z: "fail", a: "pass" });
  });

  it.each([
    ["rejects", async () => Promise.reject(new TypeError("no such thing"))],
    [
      "throws before its first await",
      () => {
        throw new TypeError("no such thing");
      },
    ],
  ])("says so when a check %s, and stops nothing", async (_how, broken) => {
    const results = await run([check("a", 1, { run: broken as Check["run"] }), check("b", 2, { dependsOn: ["a"] })]);
    expect(statuses(results)).toEqual({ a: "crash", b: "pass" });
    expect(results[0] && textOf(results[0].detail).en).toContain("TypeError: no such thing");
    expect(exitOf(results, false)).toBe(1);
  });

  it("lets no secret of an error through", async () => {
    const secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA==";
    const results = await run([check("a", 1, { run: async () => Promise.reject(new Error(`bad ${secret}`)) })]);
    expect(JSON.stringify(results)).not.toContain(secret.slice(0, 12));
  });

  it("gives a check that does not end its own time only, and tells it that it is over", async () => {
    const clock = new FakeClock();
    let told = false;
    const hanging = check("a", 1, {
      timeoutMs: 700,
      run: (_context, signal) => {
        signal.addEventListener("abort", () => {
          told = true;
        });
        return new Promise(() => {});
      },
    });
    const running = run([hanging, check("b", 2)], { clock });
    await clock.advance(700);
    const results = await running;
    expect(statuses(results)).toEqual({ a: "skip", b: "pass" });
    expect(results[0] && textOf(results[0].detail).en).toBe("not checked in time (0.7 s)");
    expect(exitOf(results, true)).toBe(0);
    expect(told).toBe(true);
  });

  it("skips what is left when the time for all is used up", async () => {
    const clock = new FakeClock();
    const slow = check("a", 1, { timeoutMs: 50_000, run: () => new Promise(() => {}) });
    const running = run([slow, check("b", 2), check("c", 3)], { clock, timeoutMs: 2_000 });
    await clock.advance(2_000);
    const results = await running;
    expect(statuses(results)).toEqual({ a: "skip", b: "skip", c: "skip" });
    expect(results[2] && textOf(results[2].detail).en).toContain("--timeout");
  });

  it("obeys --only, --skip and --offline", async () => {
    const ran: string[] = [];
    const noting = (id: string, more: Partial<Check> = {}) => ({
      ...more,
      async run() {
        ran.push(id);
        return outcome("pass");
      },
    });
    const checks = [
      check("a", 1, noting("a")),
      check("b", 2, noting("b", { dependsOn: ["a"] })),
      check("net", 3, noting("net", { needsNetwork: true })),
    ];
    await run(checks, { selection: { ...all, only: ["b"] } });
    expect(ran.splice(0)).toEqual(["a", "b"]);
    expect(statuses(await run(checks, { selection: { ...all, skip: ["a"] } }))).toMatchObject({ a: "skip", b: "pass" });
    ran.length = 0;
    expect(statuses(await run(checks, { selection: { ...all, offline: true } }))).toMatchObject({ net: "skip" });
    expect(ran).toEqual(["a", "b"]);
  });
});

describe("the verdict", () => {
  const having = (...list: Status[]) => list.map((status, at) => ({ check: check(`c${at}`, at), status }) as Result);

  it.each<[Status[], boolean, number]>([
    [["pass", "skip"], false, 0],
    [[], false, 0],
    [["pass", "warn"], false, 2],
    [["pass", "warn"], true, 1],
    [["warn", "fail"], false, 1],
    [["warn", "crash"], false, 1],
    [["skip"], true, 0],
  ])("of %j is exit %s", (list, asErrors, exit) => {
    expect(exitOf(having(...list), asErrors)).toBe(exit);
  });

  it("turns to the first failure, else the first crash, else the first warning", () => {
    expect(firstOf(having("warn", "crash", "fail", "fail"))?.check.id).toBe("c2");
    expect(firstOf(having("warn", "crash"))?.check.id).toBe("c1");
    expect(firstOf(having("pass", "warn", "warn"))?.check.id).toBe("c1");
    expect(firstOf(having("pass", "skip"))).toBeUndefined();
  });

  it("turns to what has happened before what this terminal has been from the start", () => {
    const [clock, changed] = having("warn", "warn");
    if (clock === undefined || changed === undefined) throw new Error("two results are made");
    const standing = { ...clock, check: { ...clock.check, standing: true as const } };
    expect(firstOf([standing, changed])).toBe(changed);
    expect(firstOf([standing])).toBe(standing);
    const failing = { ...standing, status: "fail" as const };
    expect(firstOf([failing, changed])).toBe(failing);
  });

  it("shows those asked for, and a failure behind them", () => {
    const results = having("pass", "fail", "pass");
    expect(shownOf(results, ["c2"]).map(({ check: { id } }) => id)).toEqual(["c1", "c2"]);
    expect(shownOf(results, undefined)).toHaveLength(3);
  });
});
