import { mkdtempSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Observation, Observer } from "../../simulation/observer.ts";
import type { AnswerTrouble, Issued } from "../../simulation/pay.ts";
import { ServedInvariants } from "../../simulation/served.ts";
import { ProcessClock } from "../../simulation/virtual-time.ts";
import { World } from "../../simulation/world.ts";

const HOUR_MS = 3_600_000;
/** A terminal behind a gateway, whose requests are not signed. */
const GATEWAY_SEED = 2;

const worlds: World[] = [];

function newWorld(): World {
  const world = new World(GATEWAY_SEED, mkdtempSync(path.join(os.tmpdir(), "facepay-simulated-")));
  worlds.push(world);
  return world;
}

afterEach(() => {
  for (const world of worlds.splice(0)) world.end();
});

/** One request of the terminal over the simulated network. */
async function ask(world: World, trouble?: AnswerTrouble) {
  const { device, network, pay, time } = world;
  pay.trouble = trouble;
  const clock = new ProcessClock(time, 0, (now) => now);
  const origin = device.baseUrls[0] as string;
  const transport = network.transportFor(clock)({ origin, connectTimeoutMs: 1_000 } as never);
  const { sp_appid, sub_mchid, organization_id } = device.identity;
  const fields = { sp_appid, sub_mchid, device_id: device.deviceId, raw_data: "UkFXIERBVEE=", organization_id };
  const headers = { authorization: `Bearer ${device.token}` };
  const request = { path: "/v3/offlineface/authinfo", headers, body: JSON.stringify(fields) };
  const answered = transport.post(request as never, new AbortController().signal);
  await time.runUntil(time.now + 1_000, async () => undefined);
  const { body } = await answered;
  return world.pay.issued.get(JSON.parse(body.toString()).authinfo);
}

describe("what the simulated WeChat Pay has issued", () => {
  it("holds an authinfo whose answer was to be replaced by an earlier one, when there is none", async () => {
    const world = newWorld();
    expect(world.device.mode).toBe("gateway");
    expect(await ask(world, { replay: 1 })).toMatchObject({ number: 0, delivered: true });
  });

  it("has delivered an authinfo whose answer was lost, when that answer comes again", async () => {
    const world = newWorld();
    world.network.trouble.set("*", "cut");
    await ask(world).catch(() => undefined);
    const [lost] = world.pay.issued.values();
    expect(lost?.delivered).toBe(false);
    world.network.trouble.clear();
    expect(await ask(world, { replay: 1 })).toBe(lost);
    expect(lost?.delivered).toBe(true);
  });

  it("has delivered an answer that is dated 400 s off only to a terminal whose clock is wrong", async () => {
    const world = newWorld();
    expect(await ask(world, { signedOffS: -400 })).toMatchObject({ delivered: false });
    world.wallOffMs = -400_000;
    expect(await ask(world, { signedOffS: -400 })).toMatchObject({ delivered: true });
  });
});

describe("what was announced as persisted", () => {
  const issued: Issued = {
    ...{ number: 0, authinfo: "QUJD", deviceId: "SIMULATED-1", atMs: 0, lifeMs: HOUR_MS },
    ...{ told: true, signedOffS: 0, delivered: true },
  };
  const document = {
    ...{ authinfo: "QUJD", device_id: "SIMULATED-1", state: "fresh", generation: 1, remaining_s: 60 },
    ...{ obtained_at: "2026-06-01T00:00:00.000Z", expires_at: "2026-06-01T01:00:00.000Z" },
    ...{ expiry_source: "response", clock_trusted: true, persisted: true },
  };

  /** It is issued once more with a later end, which the terminal does not take. */
  function refusedOnceMore(): { world: World; restart: (atMs: number) => void } {
    const world = newWorld();
    let judge: (seen: Observation) => void = () => undefined;
    const observer = { judge: (act: typeof judge) => (judge = act) } as unknown as Observer;
    const served = new ServedInvariants(world, observer);
    world.pay.issued.set("QUJD", issued);
    judge({ atMs: 1_000, by: "read", document });
    world.pay.issued.set("QUJD", { ...issued, atMs: HOUR_MS / 2 });
    judge({ atMs: 2_000, by: "read", document: { ...document, state: "rejected" } });
    const restart = (atMs: number) => {
      served.started();
      judge({ atMs, by: "read", problem: { code: "AUTHINFO_EXPIRED" } });
    };
    return { world, restart };
  }

  it("ends when it would have, when the terminal refuses the same authinfo with a later end", () => {
    const { world, restart } = refusedOnceMore();
    restart(HOUR_MS + 1_000);
    expect(world.violation).toBeUndefined();
  });

  it("is missed before that end", () => {
    const { world, restart } = refusedOnceMore();
    restart(HOUR_MS - 60_000);
    expect(world.violation?.invariant).toBe("persisted-is-kept");
  });
});
