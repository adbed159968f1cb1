import { chmod, readFile } from "node:fs/promises";
import net from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Formatter, Rsa } from "wechatpay-axios-plugin";
import { systemRandom } from "../../../agent/common/random.ts";
import { AgentProcess } from "../../support/fixtures/agent-process.ts";
import {
  AUTHINFO,
  codeOf,
  ECHO,
  type GatewayAnswer,
  GatewayRig,
  removeFactory,
  sha256,
} from "../../support/fixtures/gateway-rig.ts";

let rig: GatewayRig;
afterAll(removeFactory);

/** As a terminal would: over the very octets that came. */
function isSigned({ headers, body }: GatewayAnswer): boolean {
  const header = (name: string) => String(headers[`wechatpay-${name}`]);
  const message = Formatter.response(header("timestamp"), header("nonce"), body.toString("latin1"));
  return Rsa.verify(message, header("signature"), rig.playground.platformPublicKeyPem);
}

describe("what is forwarded", () => {
  beforeAll(async () => {
    rig = await GatewayRig.create();
    await rig.start({
      listen: { base_path: '"/facepay"' },
      fleet: { refresh_seconds: "900" },
      limits: { burst: "1000" },
      // Long enough for a machine that is busy with other things.
      wechatpay: { attempt_timeout_ms: "2500", connect_timeout_ms: "2400" },
    });
  });
  afterAll(() => rig[Symbol.asyncDispose]());
  const path = `/facepay${AUTHINFO}`;
  const sent = () => rig.pay.requests.at(-1);

  it("is signed by the merchant and carries nothing of the terminal but its body and key id", async () => {
    const answer = await rig.ask({
      path,
      headers: {
        "x-forwarded-for": "1.2.3.4",
        cookie: "c=1",
        "wechatpay-serial": rig.playground.platform.keyId,
        "wechatpay-nonce": "n",
        "accept-language": "de",
        authorization: [],
      },
    });
    expect([answer.status, isSigned(answer), answer.headers["facepay-refresh-seconds"]]).toEqual([200, true, "900"]);
    expect(sent()).toMatchObject({ verified: true, path: AUTHINFO, userAgent: expect.stringContaining("(gateway)") });
    const usual = ["accept", "accept-encoding", "authorization", "connection", "content-length", "content-type"];
    expect([...(sent()?.headerNames ?? [])].sort()).toEqual([...usual, "host", "user-agent", "wechatpay-serial"]);
  });

  it("goes out as the very octets the agent's own client sends", async () => {
    const before = rig.pay.requests.length;
    const body = rig.body();
    await rig.ask({ path, body });
    const exact = Buffer.byteLength(JSON.stringify(body));
    expect(rig.pay.requests.slice(before)).toMatchObject([{ bodyLength: exact, verified: true }]);
  });

  it("comes back octet by octet, whatever it is", async () => {
    const odd = Buffer.concat([Buffer.from(' {"authinfo" :\n"x"}\t'), Buffer.from([0xff, 0, 0x80])]);
    rig.pay.faults.next({ body: odd, headers: { "Set-Cookie": "c=1", "Content-Type": "text/odd" } });
    const answer = await rig.ask({ path });
    expect(answer.status).toBe(200);
    expect(answer.body.equals(odd)).toBe(true);
    expect(answer.headers).toMatchObject({ "content-type": "text/odd" });
    expect(answer.headers["set-cookie"]).toBeUndefined();
  });

  it.each([
    [400, "PARAM_ERROR"],
    [401, "SIGN_ERROR"],
    [403, "NO_AUTH"],
    [429, "RATELIMIT_EXCEEDED"],
    [500, "SYSTEM_ERROR"],
    [503, "SERVICE_UNAVAILABLE"],
  ])("passes WeChat Pay's %i on with its words, Request-ID and Retry-After", async (status, code) => {
    rig.pay.faults.next({ status, headers: { "Retry-After": "7" }, dateOffsetS: -100 });
    const answer = await rig.ask({ path });
    expect(Math.abs(Date.now() - 100_000 - Date.parse(answer.headers.date ?? ""))).toBeLessThan(15_000);
    expect([answer.status, codeOf(answer), answer.headers["retry-after"]]).toEqual([status, code, "7"]);
    expect(answer.headers["request-id"]).toBe(sent()?.requestId);
    expect(answer.headers["facepay-refresh-seconds"]).toBeUndefined();
  });

  it("passes values on without the white space around them, and believes them", async () => {
    rig.pay.faults.next({ headers: { "Content-Encoding": "identity ", "Content-Type": "application/json " } });
    const before = (await rig.metric("upstream_requests_total"))[`base_url="${rig.pay.url}",outcome="ok"`] ?? 0;
    const answer = await rig.ask({ path, headers: { "wechatpay-serial": `${rig.playground.platform.keyId} ` } });
    expect([answer.status, isSigned(answer)]).toEqual([200, true]);
    const raw = answer.rawHeaders.filter((_value, index) => index % 2 === 1);
    expect(raw).toEqual(expect.arrayContaining(["identity", "application/json"]));
    expect((await rig.metric("upstream_requests_total"))[`base_url="${rig.pay.url}",outcome="ok"`]).toBe(before + 1);
  });

  it("passes an answer with a bad signature on unchanged, and counts it", async () => {
    for (const signature of ["bad", "none", "probe"] as const) {
      rig.pay.faults.next({ signature });
      const answer = await rig.ask({ path });
      expect([answer.status, JSON.parse(answer.body.toString()).authinfo?.length]).toEqual([200, 1000]);
    }
    const counts = await rig.metric("upstream_requests_total");
    const of = (outcome: string) => counts[`base_url="${rig.pay.url}",outcome="${outcome}"`];
    expect(["pay_signature_invalid", "pay_unsigned", "pay_signature_probe"].map(of)).toEqual([1, 2, 1]);
  });

  it("never makes a whole answer of a broken one", async () => {
    rig.pay.faults.next({ delivery: "close-in-body" });
    expect([await rig.ask({ path })].map((answer) => [answer.status, codeOf(answer)])).toEqual([
      [502, "GATEWAY_UPSTREAM_FAILED"],
    ]);
    rig.pay.faults.next({ delivery: "huge" });
    expect(codeOf(await rig.ask({ path }))).toBe("GATEWAY_UPSTREAM_FAILED");
    rig.pay.faults.next({ delivery: "hang-in-body" });
    const late = await rig.ask({ path });
    expect([late.status, codeOf(late)]).toEqual([504, "GATEWAY_UPSTREAM_TIMEOUT"]);
  });

  it("lets one failure take none of its neighbours along", async () => {
    // Longer than the slowest of them may take on a busy machine.
    const wechatpay = { attempt_timeout_ms: "12000", connect_timeout_ms: "10000" };
    await using own = await GatewayRig.create();
    await own.start({ wechatpay, listen: { base_path: '"/facepay"' }, limits: { burst: "100" } });
    for (const delivery of ["reset", "hang", "close"] as const) own.pay.faults.next({ delivery });
    const answers = await Promise.all(Array.from({ length: 12 }, () => own.ask({ path })));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array.from({ length: 9 }, () => 200), 502, 502, 504]);
  });

  it("serves the echo for diagnose, and nothing else", async () => {
    const echo = await rig.ask({ path: `/facepay${ECHO}`, body: { echo_message: "0123abcd" } });
    expect([echo.status, isSigned(echo), echo.body.toString()]).toEqual([200, true, '{"echo_message":"0123abcd"}']);
    expect(echo.headers["facepay-refresh-seconds"]).toBeUndefined();
    const others = [AUTHINFO, "/facepay/v3/refund/domestic/refunds", `${path}?a=1`, `${path}/`, "/facepay/..%2fv3"];
    for (const other of others) expect(codeOf(await rig.ask({ path: other }))).toBe("GATEWAY_NOT_FOUND");
    const get = await rig.ask({
      path,
      method: "GET",
      body: "",
      headers: { "content-type": [], "content-length": "0" },
    });
    expect([get.status, codeOf(get), get.headers.allow]).toEqual([405, "GATEWAY_METHOD_NOT_ALLOWED", "POST"]);
  });

  it("is what the agent's client wants of a gateway", async () => {
    const { identity, client } = rig.playground;
    const secrets = { clientCert: client.certPem, clientKey: client.privateKeyPem };
    const pay = rig.client([`${rig.url}/facepay`], secrets);
    const { signal } = new AbortController();
    const rawData = systemRandom.bytes(300).toString("base64");
    const options = { planned: true, newestSignedAtS: 0, signal };
    const answer = await pay.requestAuthinfo({ deviceId: identity.deviceId, rawData }, options);
    expect(answer).toMatchObject({ refreshAfterS: 900, authinfo: expect.stringMatching(/^.{1000}$/) });
    expect(await pay.echo({ signal })).toMatchObject({ status: 200 });
    await pay.close();
  });
});

describe("two base URLs", () => {
  it("take turns as in direct mode, and the primary is looked after", async () => {
    await using own = await GatewayRig.create();
    const second = await own.secondPay();
    const wechatpay = { attempt_timeout_ms: "2500", connect_timeout_ms: "2400" };
    await own.start({ wechatpay, limits: { burst: "100" } }, [own.pay.url, second.url]);
    const asked = () => [own.pay.requests.length, second.requests.length];
    own.pay.faults.next({ status: 503 });
    expect((await own.ask()).status).toBe(200);
    expect(asked()).toEqual([1, 1]);
    // Signed afresh: the same signature twice would be a replay.
    const nonces = [own.pay.requests[0]?.nonce, second.requests[0]?.nonce];
    expect(new Set(nonces).size).toBe(2);
    // The one that worked is kept.
    expect((await own.ask()).status).toBe(200);
    expect(asked()).toEqual([1, 2]);
    // A bad signature or a refusal gets no better elsewhere.
    second.faults.next({ signature: "bad" });
    second.faults.next({ status: 500 });
    expect([(await own.ask()).status, (await own.ask()).status]).toEqual([200, 500]);
    expect(asked()).toEqual([1, 4]);
    // Both fail: what the last one said is passed on.
    second.faults.next({ delivery: "reset" });
    own.pay.faults.next({ status: 502 });
    expect((await own.ask()).status).toBe(502);
    await second.stop();
    own.pay.faults.next({ status: 504 });
    const answer = await own.ask();
    expect([answer.status, answer.body.toString()]).toEqual([504, expect.stringContaining("<html>")]);
  });

  it("are asked with the time corrected when WeChat Pay's clock says ours is wrong", async () => {
    await using own = await GatewayRig.create();
    await own.start();
    own.pay.clockOffsetS = 400;
    const answer = await own.ask();
    expect(answer.status).toBe(200);
    expect(own.pay.requests.map(({ status }) => status)).toEqual([401, 200]);
  });
});

describe("limits", () => {
  it("of one terminal leave the other alone", async () => {
    await using own = await GatewayRig.create();
    await own.writeRegister([
      own.line(),
      own.line({ device_id: "D2", certificate_cn: undefined, token_sha256: sha256("t") }),
    ]);
    await own.start({ limits: { burst: "3", requests_per_hour: "60" } });
    const agent = own.keptConnection();
    for (let i = 0; i < 3; i++) expect((await own.ask({ agent })).status).toBe(200);
    const refused = await own.ask();
    expect([refused.status, codeOf(refused)]).toEqual([429, "GATEWAY_RATE_LIMITED"]);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(50);
    const other = { terminal: { token: "t" }, body: own.body({ device_id: "D2" }) };
    expect((await own.ask(other)).status).toBe(200);
    expect(own.pay.requests).toHaveLength(4);
  });

  it("of all together turn away what is too much", async () => {
    await using own = await GatewayRig.create();
    await own.start({ limits: { in_flight: "2" } });
    own.pay.faults.always = { delayMs: 400 };
    const answers = await Promise.all(Array.from({ length: 5 }, () => own.ask()));
    const refused = answers.filter(({ status }) => status === 503);
    expect(refused.map(codeOf)).toEqual(["GATEWAY_BUSY", "GATEWAY_BUSY", "GATEWAY_BUSY"]);
    expect(refused.every(({ headers }) => headers["retry-after"] === "2")).toBe(true);
    expect((await own.ask()).status).toBe(200);
  });
});

describe("operation", () => {
  it("tells who asked for what with which outcome, and not one secret", async () => {
    await using own = await GatewayRig.create();
    await own.start();
    const body = own.body();
    const answer = await own.ask({ body });
    await own.ask({ body: own.body({ sub_mchid: "1900000110" }) });
    await own.ask({ terminal: { token: "a token that nobody has" } });
    const lines = await own.until("the audit is written", async () => {
      const found = own.process.log().filter(({ code }) => /^GATEWAY_RE(QUEST|FUSED)$/.test(String(code)));
      return found.length === 3 && found;
    });
    const { deviceId, subMchid } = own.playground.identity;
    const who = { device_id: deviceId, sub_mchid: subMchid, by: "certificate", remote: "127.0.0.1", path: "authinfo" };
    const [good, shop, stranger] = lines;
    expect(good).toMatchObject({ ...who, outcome: "ok", status: 200, request_id: answer.headers["request-id"] });
    expect(good?.ms).toBeGreaterThan(0);
    expect(shop).toMatchObject({ ...who, outcome: "gateway_not_this_device", status: 403, detail: "sub_mchid" });
    expect(stranger).toMatchObject({ code: "GATEWAY_REFUSED", outcome: "gateway_token_unknown", status: 401 });
    const seen = [
      own.process.stderr,
      own.process.stdout,
      (await own.health("/metrics")).text,
      own.process.publicFace(),
    ];
    const { authinfo } = JSON.parse(answer.body.toString()) as { authinfo: string };
    const key = own.playground.merchant.privateKeyPem.split("\n")[3] ?? "";
    for (const secret of [authinfo.slice(0, 12), String(body.raw_data).slice(0, 12), key.slice(0, 12), "nobody has"]) {
      expect(seen.join("\n").includes(secret)).toBe(false);
    }
    expect(await own.metric("requests_total")).toMatchObject({
      'path="authinfo",outcome="ok"': 1,
      'path="authinfo",outcome="gateway_not_this_device"': 1,
      'path="echo",outcome="ok"': 0,
    });
    expect(await own.metric("devices")).toEqual({ "": 1 });
    expect([(await own.health("/livez")).status, (await own.health("/readyz")).status]).toEqual([200, 200]);
    expect((await own.health(AUTHINFO)).status).toBe(404);
  });

  it("takes a new register up, keeps the old one for an invalid new one, and says so", async () => {
    await using own = await GatewayRig.create();
    await own.start();
    const stranger = { terminal: { token: "t" }, body: own.body({ device_id: "D2" }) };
    expect((await own.ask(stranger)).status).toBe(401);
    const second = own.line({ device_id: "D2", certificate_cn: undefined, token_sha256: sha256("t") });
    await own.writeRegister([own.line(), second]);
    await own.until(
      "the second terminal is let in",
      async () => (await own.ask({ ...stranger, body: own.body({ device_id: "D2" }) })).status === 200,
    );
    await own.write("devices.jsonl", `${JSON.stringify(own.line())}\n{"device_id":`);
    await own.until("the health shows it", async () => (await own.health("/readyz")).text.includes("REGISTER_REFUSED"));
    const { status, text } = await own.health("/readyz");
    expect([status, JSON.parse(text).register.devices]).toEqual([200, 2]);
    expect(JSON.parse(text).warnings[0].detail).toContain("devices.jsonl:2");
    expect(await own.metric("register_invalid")).toEqual({ "": 1 });
    // The log is written in pieces, and comes through a pipe.
    await own.until("it is logged, once", async () => own.process.logged("REGISTER_REFUSED").length === 1);
    expect((await own.ask({ ...stranger, body: own.body({ device_id: "D2" }) })).status).toBe(200);
    await own.writeRegister([own.line()]);
    await own.until("it is fixed", async () => (await own.metric("register_invalid"))[""] === 0);
    expect((await own.ask(stranger)).status).toBe(401);
  });

  it("reloads on SIGHUP what is valid, keeps what it has for what is not, and renews its certificate", async () => {
    await using own = await GatewayRig.create();
    await own.start();
    const lever = async () => (await own.ask()).headers["facepay-refresh-seconds"];
    expect(await lever()).toBeUndefined();
    const renewed = await own.playground.ca.issueServer({ commonName: "renewed" });
    await own.write("server.pem", renewed.certPem);
    await own.write("server.key", renewed.privateKeyPem);
    await own.configure({ fleet: { refresh_seconds: "1500" } });
    own.process.kill("SIGHUP");
    await own.until("the lever is set", async () => (await lever()) === "1500");
    const agent = own.keptConnection();
    await own.ask({ agent });
    const [socket] = Object.values(agent.freeSockets).flat() as import("node:tls").TLSSocket[];
    expect(socket?.getPeerCertificate().subject.CN).toBe("renewed");
    await own.configure({ fleet: { refresh_seconds: "15" } });
    own.process.kill("SIGHUP");
    await own.until("the warning stands", async () => (await own.health("/readyz")).text.includes("CONFIG_REFUSED"));
    expect(await lever()).toBe("1500");
  });

  it("finishes what is under way when it is told to stop, and ends with 0", async () => {
    await using own = await GatewayRig.create();
    await own.start();
    own.pay.faults.always = { delayMs: 1_000 };
    const idle = net.connect(own.port, "127.0.0.1");
    const underWay = own.ask();
    await own.until("it has arrived", async () => own.pay.requests.length === 1);
    own.process.kill("SIGTERM");
    const toldAt = performance.now();
    await own.until(
      "new ones are refused",
      async () => (await own.ask().catch((error) => error.code)) === "ECONNREFUSED",
    );
    expect((await own.health("/readyz")).status).toBe(503);
    expect((await underWay).status).toBe(200);
    expect(await own.process.exited).toEqual({ code: 0, signal: null });
    // Nobody waits for a connection that says nothing, which would have 7 s.
    expect(performance.now() - toldAt).toBeLessThan(6_000);
    idle.destroy();
  });
});

describe("the command", () => {
  const run = async (args: readonly string[]) => {
    await using agent = new AgentProcess(["gateway", ...args, "--lang", "en"]);
    const { code } = await agent.exited;
    return { code, text: agent.stdout + agent.stderr };
  };

  it("checks everything at once, names line and nearest key, and does not start with a mistake", async () => {
    await using own = await GatewayRig.create();
    [own.port, own.healthPort] = [18_443, 18_444];
    const file = own.within("gateway.toml");
    await own.configure();
    const good = await run(["--config", file, "--check-config"]);
    expect(good).toMatchObject({ code: 0, text: expect.stringContaining("1 terminal(s) in the register") });
    await own.write("server.key", own.playground.server.privateKeyPem, 0o644);
    await own.write("devices.jsonl", "{}\n");
    await own.configure({ limits: { brust: "1" }, fleet: { refresh_seconds: "5" }, identity: { sp_mchid: "19" } });
    for (const args of [["--check-config"], []]) {
      const { code, text } = await run(["--config", file, ...args]);
      expect(code).toBe(78);
      for (const part of [
        "The nearest configuration key is limits.burst",
        "must be a whole number from 600 to 3000",
        "identity.sp_mchid",
        "whose mode 0644 lets others in",
        "devices.jsonl:1",
      ])
        expect(text).toContain(part);
    }
    expect(await readFile(file, "utf8")).toContain("brust");
    expect(await run(["--config", own.within("nothing.toml")])).toMatchObject({
      code: 66,
      text: expect.stringContaining("cp docs/gateway.example.toml "),
    });
  });

  it("does not start with a configuration that others may change, nor take it up", async () => {
    await using own = await GatewayRig.create();
    await own.start();
    const file = own.within("gateway.toml");
    await chmod(file, 0o666);
    const told = `chmod go-w ${file}`;
    own.process.kill("SIGHUP");
    await own.until("the refusal", async () => own.process.logged("CONFIG_REFUSED").length > 0);
    expect(JSON.stringify(own.process.logged("CONFIG_REFUSED"))).toContain(told);
    expect((await own.ask({})).status).toBe(200);
    expect(await run(["--config", file, "--check-config"])).toMatchObject({
      code: 78,
      text: expect.stringContaining(told),
    });
  });

  it("says so when its place is taken", async () => {
    await using own = await GatewayRig.create();
    await own.start();
    const second = await run(["--config", own.within("gateway.toml")]);
    expect(second).toMatchObject({ code: 78, text: expect.stringContaining("EADDRINUSE") });
    await delay(0);
  });
});
