import { spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { ask, between, type Cast, pause } from "./cast.ts";
import { crowd, refuseEverything } from "./clients.ts";
import { PROMISE_MS } from "./faults.ts";
import { changeLink, type Overrides } from "./peers.ts";

/** What a person, an app, a service manager or the machine does to the agent. */
export interface Act {
  readonly name: string;
  readonly weight: number;
  /** The process does not outlive it: left out while a long life is watched. */
  readonly fatal?: true;
  readonly do: (cast: Cast) => Promise<void>;
}

/** `sysexits`: another instance holds the state directory. */
const LOCKED = "75";

async function restart(
  cast: Cast,
  signal: "SIGKILL" | "SIGTERM" | "SIGINT",
  why: string,
  awayMs: number,
): Promise<void> {
  await cast.agent.end(signal);
  await pause(cast, awayMs);
  cast.asked(2);
  cast.agent.start();
  cast.recovery.disturb(why, PROMISE_MS, performance.now());
}

async function reload(cast: Cast, overrides: Overrides): Promise<void> {
  await cast.peers.configure(overrides);
  cast.asked(1);
  cast.recovery.disturb("a reload", PROMISE_MS, performance.now());
  cast.agent.signal("SIGHUP");
}

const kills: readonly Act[] = [
  {
    name: "kill -9",
    weight: 4,
    fatal: true,
    do: async (cast) => {
      await restart(cast, "SIGKILL", "kill -9", between(cast, 100, 2_000));
    },
  },
  {
    name: "kill -9 around a refresh",
    weight: 6,
    fatal: true,
    do: async (cast) => {
      const asked = Promise.withResolvers<void>();
      const forget = cast.peers.bridge.subscribe(({ cmd }) => {
        if (cmd === "getWxpayfaceRawdata") asked.resolve();
      });
      await Promise.race([asked.promise, pause(cast, 30_000)]);
      forget();
      await delay(between(cast, 0, 120));
      await restart(cast, "SIGKILL", "kill -9 around a refresh", between(cast, 100, 1_000));
    },
  },
  {
    name: "a power cut of more than a life",
    weight: 1,
    fatal: true,
    do: (cast) => restart(cast, "SIGKILL", "a power cut", between(cast, 30_000, 75_000)),
  },
  {
    name: "SIGTERM",
    weight: 3,
    fatal: true,
    do: (cast) => restart(cast, "SIGTERM", "SIGTERM", between(cast, 0, 1_000)),
  },
  { name: "SIGINT", weight: 1, fatal: true, do: (cast) => restart(cast, "SIGINT", "SIGINT", between(cast, 0, 1_000)) },
  {
    name: "a start with a bad configuration",
    weight: 2,
    fatal: true,
    do: async (cast) => {
      // The last one that was good has been remembered.
      await cast.peers.misconfigure();
      await restart(cast, "SIGKILL", "a start with a bad configuration", between(cast, 100, 1_000));
      await pause(cast, between(cast, 5_000, 20_000));
      await reload(cast, {});
    },
  },
];

const signals: readonly Act[] = [
  {
    name: "SIGSTOP and SIGCONT",
    weight: 4,
    do: async (cast) => {
      cast.agent.signal("SIGSTOP");
      await pause(cast, between(cast, 500, 25_000));
      cast.agent.signal("SIGCONT");
      cast.recovery.disturb("SIGCONT", PROMISE_MS, performance.now());
    },
  },
  {
    name: "SIGHUP, another good configuration",
    weight: 3,
    do: (cast) => {
      return reload(cast, { refresh: { refresh_at: 0.3 + 0.2 * cast.chance.unit() } });
    },
  },
  {
    name: "SIGHUP, a bad configuration",
    weight: 2,
    do: async (cast) => {
      await cast.peers.misconfigure();
      cast.agent.signal("SIGHUP");
      await pause(cast, between(cast, 1_000, 8_000));
      await reload(cast, {});
    },
  },
  {
    name: "ten SIGHUP at once",
    weight: 1,
    do: async (cast) => {
      cast.asked(10);
      for (let n = 0; n < 10; n++) {
        cast.agent.signal("SIGHUP");
        await delay(between(cast, 0, 60));
      }
      cast.recovery.disturb("ten SIGHUP", PROMISE_MS, performance.now());
    },
  },
];

const people: readonly Act[] = [
  {
    name: "an app that refuses everything",
    weight: 3,
    do: refuseEverything,
  },
  {
    name: "a crowd of greedy clients",
    weight: 3,
    do: async (cast) => {
      await crowd(cast, between(cast, 3_000, 15_000));
    },
  },
  {
    name: "a technician",
    weight: 3,
    do: async (cast) => {
      cast.asked(2);
      await ask(cast, "admin", "POST", "/v1/authinfo/refresh");
      await ask(cast, "admin", "POST", "/v1/bridge/probe");
      for (const target of ["/v1/status", "/metrics", "/livez"]) {
        const answer = await ask(cast, "admin", "GET", target);
        if (answer && /[A-Za-z0-9+/]{200,}/.test(answer.text)) cast.report("secret", `in ${target}`);
      }
      // A failed attempt of the technician's own is retried like any other.
      cast.recovery.disturb("a technician", PROMISE_MS, performance.now());
    },
  },
  {
    name: "SDK calls of the cashier app",
    weight: 3,
    do: async (cast) => {
      const call = () => ask(cast, "api", "POST", "/v1/sdk/call", '{"cmd":"getWxpayfaceCode"}');
      await Promise.all(Array.from({ length: 6 }, call));
    },
  },
];

const secondInstance: Act = {
  name: "a second instance",
  weight: 1,
  do: async (cast) => {
    if (!cast.agent.upSince(performance.now() - 2_000)) return;
    const { configFile } = cast.peers.playground;
    const env = { PATH: process.env.PATH ?? "", LANG: "C.UTF-8" };
    const child = spawn(process.execPath, [cast.launcher, "run", "--config", configFile], { stdio: "ignore", env });
    const startedMs = performance.now();
    const late = setTimeout(() => child.kill("SIGKILL"), 60_000);
    const code = await new Promise<string>((resolve) =>
      child.once("exit", (exit, signal) => resolve(String(exit ?? signal))),
    );
    clearTimeout(late);
    // Whoever was ended meanwhile has left the place free.
    if (code !== LOCKED && cast.agent.upSince(startedMs - 1_000)) cast.report("exit", `a second instance: ${code}`);
  },
};

const linkEvent: Act = {
  name: "a network card comes and goes",
  weight: 2,
  do: async (cast) => {
    cast.asked(2);
    changeLink(true);
    await pause(cast, between(cast, 3_000, 10_000));
    changeLink(false);
    cast.recovery.disturb("a link event", PROMISE_MS, performance.now());
  },
};

/** @param ownNetwork the soak runs in a network namespace of its own */
export function allActs(ownNetwork: boolean): readonly Act[] {
  return [...kills, ...signals, ...people, secondInstance, ...(ownNetwork ? [linkEvent] : [])];
}
