import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { openRig, removeFactory } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

/** The shortest life that WeChat Pay's `expires_in` can give an authinfo (specification 4). */
const SHORTEST_S = 60;
/** Between two attempts without a usable authinfo (specification 4): the outage has made the pauses grow. */
const LONGEST_PAUSE_MS = 30_000;

describe.concurrent("an authinfo whose hour has passed", () => {
  it("is answered 503 with the cause, and given as stale to those who ask for it, when the expiry was assumed", async () => {
    await using rig = await openRig({
      config: {
        refresh: { lifetime_s: 6, refresh_at: 0.9, stale_s: 4 },
        file_copy: { path: "run/authinfo.json", mode: "0600" },
      },
    });
    const { authinfo, expires_at } = await rig.serve();
    await rig.payDown();
    const { events } = rig.events();
    const staleToo = rig.events("?stale=ok").events;

    const expired = await rig.until("the authinfo has expired", async () => {
      const answer = await rig.get();
      return answer.status === 503 && answer;
    });
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expires_at));
    expect(expired.headers["content-type"]).toMatch(/^application\/problem\+json\b/);
    expect(Number(expired.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    expect(expired.body).toMatchObject({
      status: 503,
      code: "AUTHINFO_EXPIRED",
      cause: { code: "PAY_CONNECT_REFUSED", since: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/) },
    });
    const stale = await rig.get("?stale=ok");
    expect(stale.status).toBe(200);
    expect(stale.body).toMatchObject({ authinfo, state: "stale", expiry_source: "assumed" });
    expect(Number(stale.body.remaining_s)).toBeLessThanOrEqual(0);
    expect((await rig.ask("api", "GET", "/readyz")).status).toBe(503);
    expect((await rig.ask("api", "GET", "/livez")).status).toBe(200);
    expect((await rig.status()).authinfo.state).toBe("stale");

    await rig.until("the copy is no authinfo any more", async () => {
      const text = await readFile(rig.within("run/authinfo.json"), "utf8");
      return rig.canaries.in(text).length === 0 && JSON.parse(text).code === "AUTHINFO_EXPIRED";
    });

    // A crash in between makes nobody younger.
    await rig.restart();
    expect((await rig.firstAnswer()).body.code).toBe("AUTHINFO_EXPIRED");

    await rig.until("it is too old even for those", async () => (await rig.get("?stale=ok")).status === 503);
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expires_at) + 4_000);
    await rig.statusWhere("the end of it", ({ authinfo: { state } }) => state === "expired");

    expect(events.at(-1)).toMatchObject({ event: "unavailable", data: { code: "AUTHINFO_EXPIRED" } });
    expect(events.filter(({ event }) => event === "authinfo").map(({ data }) => data.state)).not.toContain("stale");
    // A slow start of the next process may let this one see the end of the stale time as well.
    const told = staleToo.filter(({ event }) => event === "authinfo").at(-1);
    expect(told).toMatchObject({ data: { state: "stale", authinfo } });

    await rig.payUp();
    expect((await rig.served(undefined, LONGEST_PAUSE_MS + 5_000)).generation).toBe(2);
    expect(await rig.metric("facepay_refresh_attempts_total")).toMatchObject({ 'outcome="ok"': 1 });
  });

  it("is never given out when WeChat Pay itself has said when it ends", async () => {
    await using rig = await openRig();
    rig.pay.expiresIn = SHORTEST_S;
    const { expires_at, expiry_source, authinfo } = await rig.serve();
    expect(expiry_source).toBe("response");
    await rig.payDown();
    await delay(Math.max(Date.parse(expires_at) - Date.now() - 1_000, 0));
    expect((await rig.served()).authinfo).toBe(authinfo);
    const expired = await rig.until("the authinfo has expired", async () => {
      const answer = await rig.get("?stale=ok");
      return answer.status === 503 && answer;
    });
    expect(expired.body).toMatchObject({ code: "AUTHINFO_EXPIRED", cause: { code: "PAY_CONNECT_REFUSED" } });
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expires_at));
    await rig.restart();
    expect((await rig.firstAnswer()).status).toBe(503);
    expect((await rig.get("?stale=ok")).status).toBe(503);
  });

  it("is replaced in time while nothing is broken, again and again", async () => {
    await using rig = await openRig({ config: { refresh: { lifetime_s: 5, stale_s: 0 } } });
    await rig.serve();
    const seen = new Set<number>();
    let gaps = 0;
    await rig.until("the fourth generation", async () => {
      const { status, body } = await rig.get();
      if (status !== 200) gaps++;
      seen.add(Number(body.generation));
      return body.generation === 4;
    });
    expect([...seen]).toEqual([1, 2, 3, 4]);
    expect(gaps).toBe(0);
  });
});
