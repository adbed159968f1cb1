import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SimulatedCredentials, serveSimulatedState, simulatedStates } from "../../../agent/cli/simulated-state.ts";
import { systemClock } from "../../../agent/common/clock.ts";
import { FakeClock } from "../../support/fakes/fake-clock.ts";
import { AgentProcess } from "../../support/fixtures/agent-process.ts";
import { ask, until } from "../../support/fixtures/api-fixture.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), "facepay-state-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe("simulate --state", () => {
  it.each(simulatedStates)("serves the cashier app's socket in the state %s", async (state) => {
    const stop = new AbortController();
    const answered = new Promise<Awaited<ReturnType<typeof ask>>[]>((resolve, reject) => {
      const ready = (socket: string) => {
        Promise.all([ask(socket, "GET", "/v1/authinfo"), ask(socket, "GET", "/v1/authinfo?stale=ok")])
          .then(resolve, reject)
          .finally(() => stop.abort());
      };
      serveSimulatedState({ state, directory, clock: systemClock(), signal: stop.signal, ready }).catch(reject);
    });
    const [plain, staleOk] = await answered;
    const failing = { failing: true, code: "PAY_CONNECT_REFUSED" };
    const cause = { code: "PAY_CONNECT_REFUSED" };
    const expected = {
      fresh: { status: 200, body: { state, generation: 1 } },
      due: { status: 200, body: { state, renewal: failing } },
      rejected: { status: 200, body: { state } },
      stale: { status: 503, body: { code: "AUTHINFO_EXPIRED", stale_available: true, cause } },
      expired: { status: 503, body: { code: "AUTHINFO_EXPIRED", stale_available: false, cause } },
      absent: { status: 503, body: { code: "AUTHINFO_ABSENT" } },
      unprovisioned: { status: 503, body: { code: "UNPROVISIONED" } },
    }[state];
    expect(plain).toMatchObject(expected);
    expect(staleOk?.status).toBe(state === "stale" ? 200 : expected.status);
  });

  it("answers a rejection with a new generation", async () => {
    const clock = new FakeClock();
    const credentials = new SimulatedCredentials("fresh", clock);
    const states: string[] = [];
    credentials.subscribe(({ state, credential }) => states.push(`${state} ${credential?.generation}`));
    expect(credentials.reject({ generation: 2 })).toBe("outdated");
    expect(credentials.reject({ generation: 1 })).toBe("renewing");
    await clock.advance(3_000);
    expect(states).toEqual(["rejected 1", "fresh 2"]);
  });

  it("lets time pass: what was fresh expires", async () => {
    const clock = new FakeClock();
    const credentials = new SimulatedCredentials("fresh", clock);
    await clock.advance(3_600_000);
    expect(credentials.view()).toMatchObject({ state: "expired", cause: { code: "PAY_CONNECT_REFUSED" } });
  });

  it("prints the command to read it, and refuses a state that there is not", async () => {
    await using agent = new AgentProcess(["simulate", "--state", "due", "--directory", directory, "--lang", "en"]);
    await until(() => agent.stdout.includes("Ctrl-C ends it."), "the command is printed");
    const socket = path.join(directory, "api.sock");
    expect(agent.stdout).toContain(`curl -s --unix-socket ${socket} http://localhost/v1/authinfo\n`);
    expect((await ask(socket, "GET", "/v1/authinfo")).body).toMatchObject({ state: "due" });
    await using wrong = new AgentProcess(["simulate", "--state", "old", "--lang", "en"]);
    expect(await wrong.exited).toMatchObject({ code: 64 });
    expect(wrong.stderr).toContain("--state is one of: fresh, due");
  });
});
