import { writeFile } from "node:fs/promises";
import { afterAll, describe, expect, it } from "vitest";
import { metricNames } from "../../support/checks/metric-names.ts";
import { AgentProcess } from "../../support/fixtures/agent-process.ts";
import { openRig, type Rig, removeFactory } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** What the bridge was asked, in its own words. */
const asked = (rig: Rig) => rig.bridge.requests.map(({ method, cmd }) => cmd ?? method);

describe.concurrent("the main job", () => {
  it.each(["serial", "socket"] as const)("is done over a %s line, and every socket tells of it", async (line) => {
    await using rig = await openRig({ line });
    await rig.serve({ env: { FACEPAY_BOOT_ID: "boot-of-the-test" } });

    const { status, headers, body } = await rig.get();
    expect(status).toBe(200);
    expect(headers["content-type"]).toMatch(/^application\/json\b/);
    const { identity } = rig.playground;
    expect(body).toEqual({
      authinfo: rig.canaries.all("authinfo")[0],
      device_id: identity.deviceId,
      sp_mchid: identity.spMchid,
      sp_appid: identity.spAppid,
      sub_mchid: identity.subMchid,
      sub_appid: identity.subAppid,
      organization_id: identity.organizationId,
      state: "fresh",
      generation: 1,
      obtained_at: expect.stringMatching(RFC3339),
      expires_at: expect.stringMatching(RFC3339),
      remaining_s: expect.any(Number),
      expiry_source: "assumed",
      clock_trusted: true,
      persisted: true,
    });
    expect(Date.parse(String(body.expires_at)) - Date.parse(String(body.obtained_at))).toBe(3_600_000);
    expect(Number.isInteger(body.remaining_s)).toBe(true);
    expect(body.remaining_s).toBeLessThan(3_600);
    expect(body.remaining_s).toBeGreaterThan(3_500);

    expect(asked(rig)).toEqual(["hello", "initWxpayface", "hello", "getWxpayfaceRawdata"]);
    const [hello, init] = rig.bridge.requests;
    expect(hello?.params).toEqual({ protocol: "1.0", agent: expect.stringMatching(/^facepay-agent\/\d/) });
    expect(init?.params).toEqual({ cmd: "initWxpayface", version: "1", now: expect.any(Number) });
    expect(rig.pay.requests).toMatchObject([{ method: "POST", path: "/v3/offlineface/authinfo", verified: true }]);

    const document = await rig.status();
    expect(document).toMatchObject({
      boot_id: "boot-of-the-test",
      pid: expect.any(Number),
      config: { hash: expect.stringMatching(/./) },
      authinfo: { state: "fresh", generation: 1, obtained_at: body.obtained_at, expires_at: body.expires_at },
      bridge: { state: "ready", device_id: identity.deviceId },
      last_error: null,
      next_attempt: { at: expect.stringMatching(RFC3339) },
    });
    expect(document.wechatpay?.base_urls).toHaveLength(1);
    expect(document.warnings.map(({ code }) => code)).toEqual(["DIRECT_MODE"]);
    const at = Date.parse(document.next_attempt?.at ?? "");
    expect(at).toBeLessThanOrEqual(Date.parse(String(body.obtained_at)) + 1_800_000);

    const metrics = await rig.metrics();
    const samples = metricNames.filter((name) => !name.includes("client_certificate"));
    for (const name of samples) expect(metrics).toMatch(new RegExp(`^${name}(\\{.*\\})? [-+.e\\d]+$`, "m"));
    expect(metrics).toContain("facepay_authinfo_generation 1\n");
    expect(metrics).toContain('facepay_refresh_attempts_total{outcome="ok"} 1\n');
    expect(metrics).toContain(`facepay_wechatpay_requests_total{base_url="${rig.pay.url}",outcome="ok"} 1\n`);
    expect(metrics).toMatch(/^process_cpu_seconds_total /m);

    for (const socket of ["api", "admin"] as const) {
      for (const path of ["/livez", "/readyz"]) expect((await rig.ask(socket, "GET", path)).status).toBe(200);
    }
    expect((await rig.ask("admin", "GET", "/v1/authinfo")).status).toBe(404);

    expect(await rig.stop()).toEqual({ code: 0, signal: null });
    expect(rig.agent.stdout).toBe("");
    expect(rig.agent.log().every(({ code }) => typeof code === "string")).toBe(true);
  });

  it("is done through a gateway that wants certificate and token", async () => {
    await using rig = await openRig({ mode: "gateway" });
    rig.pay.extraHeaders = { "Facepay-Refresh-Seconds": "700" };
    const { obtained_at } = await rig.serve();
    expect(rig.pay.requests).toMatchObject([{ verified: true, client: rig.playground.identity.deviceId }]);
    const { next_attempt, warnings } = await rig.status();
    expect(Date.parse(next_attempt?.at ?? "") - Date.parse(obtained_at)).toBeCloseTo(700_000, -3);
    expect(warnings).toEqual([]);
  });

  it("is done with the bridge that is built in", async () => {
    await using rig = await openRig({ unplugged: true, anyIdentity: true });
    await rig.configure({ driver: { type: "simulator", path: undefined } });
    expect(await rig.serve()).toMatchObject({ state: "fresh", generation: 1 });
  });

  it("is shown and hastened by the commands of the technician", async () => {
    await using rig = await openRig();
    await rig.serve();
    const run = async (command: string) => {
      await using agent = new AgentProcess([command, "--config", rig.configFile, "--lang", "en"]);
      const { code } = await agent.exited;
      rig.saw(command, agent.stdout + agent.stderr);
      return { code, stdout: agent.stdout };
    };
    expect(await run("status")).toMatchObject({ code: 0, stdout: expect.stringContaining("fresh") });
    expect(await run("refresh")).toMatchObject({ code: 0, stdout: expect.stringContaining("2") });
    expect((await rig.served()).generation).toBe(2);
    await rig.stop();
    expect((await run("status")).code).not.toBe(0);
    expect((await run("refresh")).code).not.toBe(0);
  });

  it("uses the configured device id where the bridge reports none, and says when there is neither", async () => {
    await using rig = await openRig();
    rig.bridge.deviceId = undefined;
    rig.start();
    const { last_error } = await rig.statusWhere("the missing device id", (status) => status.last_error !== null);
    expect(last_error).toMatchObject({ code: "DEVICE_ID_MISSING", remedy: "cfg.identity" });
    const { deviceId } = rig.playground.identity;
    await rig.configure({ identity: { device_id: deviceId } });
    rig.agent.kill("SIGHUP");
    expect((await rig.served()).device_id).toBe(deviceId);
  });

  it("passes what is configured for the SDK's init, the password from its file", async () => {
    const init = { ip: "10.0.0.2", proxy_type: 1, passwd_file: "passwd" };
    await using rig = await openRig({ config: { "driver.init": init, log: { level: "debug" } } });
    const passwd = "a password of the SDK's proxy";
    rig.canaries.add("passwd", passwd);
    await writeFile(rig.within("passwd"), `${passwd}\n`, { mode: 0o600 });
    rig.bridge.next({ only: "initWxpayface", result: { return_code: "ERROR", return_msg: `not with ${passwd}` } });
    await rig.serve();
    const { params } = rig.bridge.requests.find(({ cmd }) => cmd === "initWxpayface") ?? {};
    expect(params).toMatchObject({ cmd: "initWxpayface", version: "1", ip: "10.0.0.2", proxy_type: 1, passwd });
  });

  it("tells subscribers at once, and again at every change", async () => {
    await using rig = await openRig();
    await rig.serve();
    const { events } = rig.events();
    await rig.until("the first event", async () => events.length > 0);
    const { body } = await rig.get();
    expect(events).toEqual([{ event: "authinfo", data: { ...body, remaining_s: expect.any(Number) } }]);

    const refreshed = await rig.refresh();
    expect(refreshed.status).toBe(200);
    expect(refreshed.body).toMatchObject({ state: "fresh", generation: 2 });
    await rig.until("the event of the second generation", async () => {
      return events.some(({ data }) => data.generation === 2 && data.state === "fresh");
    });
    expect(events.at(-1)?.data.authinfo).toBe(rig.canaries.all("authinfo")[1]);
  });

  it("grants one refresh in ten seconds", async () => {
    await using rig = await openRig();
    await rig.serve();
    expect((await rig.refresh()).status).toBe(200);
    const again = await rig.refresh();
    expect(again.status).toBe(429);
    expect(again.headers["content-type"]).toMatch(/^application\/problem\+json\b/);
    expect(again.body.code).toEqual(expect.any(String));
    expect(Number(again.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    expect(Number(again.headers["retry-after"])).toBeLessThanOrEqual(10);
    expect(rig.pay.requests).toHaveLength(2);
  });

  it("obeys expires_in", async () => {
    await using rig = await openRig();
    rig.pay.expiresIn = "7200";
    expect(await rig.serve()).toMatchObject({ expiry_source: "response", generation: 1 });
    const { body } = await rig.get();
    expect(Date.parse(String(body.expires_at)) - Date.parse(String(body.obtained_at))).toBe(7_200_000);
    rig.pay.expiresIn = 1_000_000;
    expect((await rig.refresh()).body).toMatchObject({ generation: 2, expiry_source: "response" });
    expect((await rig.served()).remaining_s).toBeGreaterThan(86_300);
  });
});

describe.concurrent("calls of the cashier app", () => {
  it("pass to the SDK and back unchanged", async () => {
    await using rig = await openRig();
    const { authinfo } = await rig.serve();
    const request = {
      cmd: "preloadSdkEnv",
      version: "1",
      now: 1,
      authinfo,
      store: "门店\u0011}~",
      deep: { list: [1, null] },
    };
    const answer = { return_code: "PARAM_ERROR", return_msg: "参数错误", err_code: 268_435_461, deep: [{ a: [] }] };
    rig.bridge.next({ only: "preloadSdkEnv", result: answer });
    const { status, body } = await rig.ask("api", "POST", "/v1/sdk/call", { body: request });
    expect({ status, body }).toEqual({ status: 200, body: answer });
    expect(rig.bridge.requests.at(-1)).toMatchObject({ method: "call", params: request });
  });

  it("wait for the turn of a renewal that has the line, and come right after it", async () => {
    await using rig = await openRig();
    await rig.serve();
    const before = rig.bridge.requests.length;
    rig.bridge.faults = { delayMs: 300 };
    const refreshed = rig.refresh();
    await rig.until("the hello of the refresh", async () => rig.bridge.requests.length > before);
    const calls = await Promise.all(
      [1, 2].map((n) => rig.ask("api", "POST", "/v1/sdk/call", { body: { cmd: `cashier${n}` } })),
    );
    expect(calls.map(({ status, body }) => [status, body.cmd])).toEqual([
      [200, "cashier1"],
      [200, "cashier2"],
    ]);
    expect((await refreshed).status).toBe(200);
    expect(asked(rig).slice(before, before + 2)).toEqual(["hello", "getWxpayfaceRawdata"]);
    expect(
      asked(rig)
        .slice(before + 2)
        .sort(),
    ).toEqual(["cashier1", "cashier2"]);
  });

  it.each(["serial", "socket"] as const)("without pause do not keep a renewal from a %s line", async (line) => {
    await using rig = await openRig({ line });
    await rig.serve();
    rig.bridge.faults = { only: "getSdkInfo", delayMs: 20 };
    let refreshed = false;
    const busy = async () => {
      while (!refreshed) {
        expect((await rig.ask("api", "POST", "/v1/sdk/call", { body: { cmd: "getSdkInfo" } })).status).toBe(200);
      }
    };
    const before = rig.bridge.requests.length;
    const apps = Array.from({ length: 4 }, busy);
    await rig.until("calls on the line", async () => rig.bridge.requests.length > before + 4);
    const since = rig.bridge.requests.length;
    const { status } = await rig.refresh();
    refreshed = true;
    await Promise.all(apps);
    expect(status).toBe(200);
    // The renewal's own two calls come one after the other; how soon it asked is the machine's affair.
    const said = asked(rig).slice(since);
    expect(said[said.indexOf("hello") + 1]).toBe("getWxpayfaceRawdata");
  });

  it("are answered 504 when the SDK never answers, and the next one is served", async () => {
    await using rig = await openRig({ config: { driver: { call_timeout_ms: 300 } } });
    await rig.serve();
    rig.bridge.next({ only: "getWxpayfaceCode", silent: true });
    const call = () => rig.ask("api", "POST", "/v1/sdk/call", { body: { cmd: "getWxpayfaceCode" } });
    const lost = await call();
    expect(lost.status).toBe(504);
    expect(lost.headers["content-type"]).toMatch(/^application\/problem\+json\b/);
    expect(lost.body).toMatchObject({ status: 504, code: expect.any(String) });
    // A busy machine may need longer than the 300 ms.
    await rig.until("the next one is served", async () => (await call()).body.return_code === "SUCCESS");
  });
});
