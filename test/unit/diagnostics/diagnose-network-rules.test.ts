import { describe, expect, it } from "vitest";
import type { StatusDocument } from "../../../agent/api/status-document.ts";
import type { ErrorCode } from "../../../agent/common/errors.ts";
import { localTime } from "../../../agent/common/local-time.ts";
import { isTencentName } from "../../../agent/common/tencent-hosts.ts";
import { judgeAgentsWord } from "../../../agent/diagnostics/checks/auth-check.ts";
import { judgeAuthinfo } from "../../../agent/diagnostics/checks/authinfo-check.ts";
import { judgeAnswers, judgeNames } from "../../../agent/diagnostics/checks/dns-checks.ts";
import { judgeTls } from "../../../agent/diagnostics/checks/endpoint-checks.ts";
import { judgeRouter } from "../../../agent/diagnostics/checks/link-checks.ts";
import { judgeReach } from "../../../agent/diagnostics/checks/reach-check.ts";
import { endpointsOf, isHere } from "../../../agent/diagnostics/endpoint.ts";
import { addressesIn, parseResolvConf } from "../../../agent/diagnostics/host/dns.ts";
import { inArpTable, parsePing } from "../../../agent/diagnostics/host/router-ping.ts";
import {
  hasDefaultRoute,
  parseIpv6Routes,
  parseRoutes,
  parseWireless,
  routeTo,
} from "../../../agent/diagnostics/host/routes.ts";
import { judge as judgePortal } from "../../../agent/wechatpay/captive-portal.ts";
import { addressKind } from "../../../agent/wechatpay/transport/address-kind.ts";
import { failureWith } from "../../support/checks/failures.ts";
import { told } from "../../support/checks/told.ts";
import { FakeClock } from "../../support/fakes/fake-clock.ts";

describe("the routing table", () => {
  // As the kernel writes it: 10.9.0.0/24 on eth0, the default by 10.9.0.1, and a route that rejects.
  const routes = parseRoutes(
    [
      "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT",
      "eth0\t00000000\t0100090A\t0003\t0\t0\t100\t00000000\t0\t0\t0",
      "eth0\t0000090A\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0",
      "*\t0000100A\t00000000\t0201\t0\t0\t0\t0000FFFF\t0\t0\t0",
      "",
    ].join("\n"),
  );
  const eth0 = { name: "eth0", state: "up", addresses: ["10.9.0.2"] };

  it("is read, with the most exact route for an address", () => {
    expect(routes).toHaveLength(2);
    const state = { routes, cards: [eth0] };
    expect(routeTo("10.9.0.77", state)).toMatchObject({ bits: 24 });
    expect(routeTo("10.9.0.77", state)?.gateway).toBeUndefined();
    expect(routeTo("123.151.1.9", state)).toMatchObject({ bits: 0, gateway: "10.9.0.1" });
    expect(hasDefaultRoute(state)).toBe(true);
  });

  it("counts no route over a card without a carrier", () => {
    const state = { routes, cards: [{ ...eth0, state: "down", addresses: [] }] };
    expect(routeTo("10.9.0.77", state)).toBeUndefined();
    expect(hasDefaultRoute(state)).toBe(false);
  });

  it("is read for IPv6, too", () => {
    const zero = "0".repeat(32);
    const gateway = "fe800000000000000000000000000001";
    const found = parseIpv6Routes(
      [
        `20010db8000000000000000000000000 40 ${zero} 00 ${zero} 00000100 00000001 00000000 00000001     eth0`,
        `${zero} 00 ${zero} 00 ${gateway} 00000400 00000001 00000000 00000003     eth0`,
        `${zero} 00 ${zero} 00 ${zero} ffffffff 00000001 00000000 00200200       lo`,
      ].join("\n"),
    );
    const state = { routes: found, cards: [eth0] };
    expect(routeTo("2001:db8::5", state)).toMatchObject({ bits: 64 });
    expect(routeTo("2400::1", state)).toMatchObject({ bits: 0, gateway: "fe80:0000:0000:0000:0000:0000:0000:0001" });
    expect(routeTo("::ffff:1.2.3.4", state)).toBeUndefined();
  });

  it("has a Wi-Fi's signal beside it", () => {
    const text = "Inter-| sta-|\n face | tus |\n wlan0: 0000   21.  -89.  -256        0\n";
    expect(parseWireless(text)).toEqual(new Map([["wlan0", 30]]));
  });
});

describe("a router", () => {
  const iputils =
    "3 packets transmitted, 3 received, 0% packet loss, time 401ms\nrtt min/avg/max/mdev = 0.3/0.512/0.9/0.2 ms\n";
  it("is judged by ping, or by ARP, and is never a failure", () => {
    expect(parsePing(iputils)).toEqual({ lossPercent: 0, ms: 0.512 });
    expect(parsePing("3 packets transmitted, 0 packets received, 100% packet loss")).toEqual({ lossPercent: 100 });
    expect(parsePing("ping: permission denied")).toBeUndefined();
    const table =
      "IP address       HW type     Flags       HW address            Mask     Device\n10.9.0.1         0x1         0x2         02:00:00:00:00:01     *        eth0\n10.9.0.3         0x1         0x0         00:00:00:00:00:00     *        eth0\n";
    expect(inArpTable(table, "10.9.0.1")).toBe(true);
    expect(inArpTable(table, "10.9.0.3")).toBe(false);
    expect(inArpTable(table, "10.9.0.9")).toBe(false);
    expect(inArpTable("", "10.9.0.1")).toBeUndefined();
    const status = (reading: Parameters<typeof judgeRouter>[1]) => judgeRouter("10.9.0.1", reading).status;
    expect(status({ kind: "pinged", lossPercent: 0, ms: 3 })).toBe("pass");
    expect(status({ kind: "pinged", lossPercent: 33, ms: 3 })).toBe("warn");
    expect(status({ kind: "pinged", lossPercent: 0, ms: 900 })).toBe("warn");
    expect(status({ kind: "neighbour" })).toBe("pass");
    expect(status({ kind: "silent", by: "ping" })).toBe("warn");
    expect(status({ kind: "unknown" })).toBe("skip");
  });
});

describe("names", () => {
  const ok = { server: "223.5.5.5", ms: 20, outcome: "ok" };
  const pay = { host: "api.mch.weixin.qq.com", addresses: ["123.151.1.9"], resolvers: [ok] };

  it("are judged by what the agent gets and by each resolver", () => {
    const status = (...names: Parameters<typeof judgeNames>[0]) => judgeNames(names, pay.host).status;
    expect(status(pay)).toBe("pass");
    expect(status({ ...pay, resolvers: [ok, { ...ok, ms: 300 }] })).toBe("warn");
    expect(status({ ...pay, resolvers: [ok, { ...ok, outcome: "ETIMEOUT" }] })).toBe("warn");
    const lost = { host: "api2.mch.weixin.qq.com", addresses: [], failure: "ENOTFOUND", resolvers: [] };
    expect(status(pay, lost)).toBe("warn");
    expect(status(lost)).toBe("fail");
    const own = { ...lost, host: "gateway.shop.example", resolvers: [{ ...ok, outcome: "ENOTFOUND" }] };
    expect(told(judgeNames([own], own.host))).toMatchObject({
      remedy: { en: expect.stringContaining("knows no gateway.shop.example") },
    });
  });

  it("are poisoned when WeChat Pay's lead into a private network, or any to no host's address", () => {
    const status = (host: string, address: string) =>
      judgeAnswers([{ host, addresses: [address], resolvers: [] }]).status;
    for (const address of [
      "10.0.0.1",
      "192.168.1.1",
      "127.0.0.1",
      "198.18.0.7",
      "::1",
      "fd00::1",
      "0.0.0.0",
      "100.64.0.1",
    ]) {
      expect(status(pay.host, address), address).toBe("fail");
    }
    expect(status(pay.host, "123.151.1.9")).toBe("pass");
    expect(status("gateway.shop.example", "192.168.1.9")).toBe("pass");
    expect(status("gateway.shop.example", "198.18.0.7")).toBe("fail");
    expect(addressKind("::ffff:10.0.0.1")).toBe("local");
    expect(addressKind("2402:4e00::1")).toBe("public");
    expect(isTencentName("notqq.com")).toBe(false);
  });

  it("are read from resolv.conf and hosts", () => {
    expect(
      parseResolvConf(
        "# x\nnameserver 1.1.1.1\n nameserver fe80::1%eth0\nsearch a\nnameserver 3.3.3.3\nnameserver 4.4.4.4\n",
      ),
    ).toEqual(["1.1.1.1", "fe80::1%eth0", "3.3.3.3"]);
    expect(addressesIn("127.0.0.1 localhost\n10.0.0.5  gw.shop GW2 # old\n", "gw2")).toEqual(["10.0.0.5"]);
  });
});

describe("the way", () => {
  it("leads to the proxy where one is in use", () => {
    const config = {
      baseUrls: ["https://a.example/x", "https://10.1.1.1:8443"],
      proxy: "http://proxy:3128",
      noProxy: "10.0.0.0/8",
    };
    expect(endpointsOf(config)).toEqual([
      { baseUrl: "https://a.example/x", hop: { host: "proxy", port: 3128 }, proxied: true },
      { baseUrl: "https://10.1.1.1:8443", hop: { host: "10.1.1.1", port: 8443 }, proxied: false },
    ]);
    expect(["localhost", "127.0.0.9", "::1"].map(isHere)).toEqual([true, true, true]);
    expect(isHere("10.0.0.1")).toBe(false);
  });

  it("has a portal in it when another host, a page or 511 answers by plain HTTP", () => {
    const host = "api.mch.weixin.qq.com";
    expect(judgePortal(host, 302, "http://login.shop/")).toEqual({ status: 302, host: "login.shop" });
    expect(judgePortal(host, 301, `https://${host}/`)).toBeUndefined();
    expect(judgePortal(host, 302, "https://pay.weixin.qq.com/")).toBeUndefined();
    expect(judgePortal(host, 302, "/login")).toBeUndefined();
    expect(judgePortal("gateway.shop.example", 301, "https://gateway.shop.example/")).toBeUndefined();
    expect(judgePortal("gateway.shop.example", 301, "https://login.shop.example/")).toMatchObject({ status: 301 });
    expect(judgePortal(host, 200, undefined, "text/html; charset=utf-8")).toEqual({ status: 200 });
    expect(judgePortal(host, 404, undefined, "text/html")).toBeUndefined();
    expect(judgePortal(host, 511)).toEqual({ status: 511 });
  });
});

describe("answers", () => {
  const probe = { baseUrl: "https://a.example", ms: 5, signed: true };
  const failed = (code: ErrorCode, params = {}) => ({
    ...probe,
    error: failureWith(code, {}, params),
  });

  it("that refuse have been reached", () => {
    expect(judgeReach([failed("PAY_UNAUTHORIZED", { httpStatus: 401 })], "direct").status).toBe("pass");
    expect(judgeReach([failed("PAY_NOT_FOUND", { httpStatus: 404 })], "direct").status).toBe("pass");
    expect(judgeReach([failed("PAY_NOT_FOUND", { httpStatus: 404 })], "gateway").status).toBe("pass");
    expect(told(judgeReach([failed("PAY_ANSWER_NOT_HTTP", {})], "direct"))).toMatchObject({
      status: "fail",
      detail: { en: expect.stringContaining("not HTTP"), zh: expect.stringContaining("不是 HTTP") },
    });
    expect(judgeReach([failed("PAY_RATE_LIMITED", { httpStatus: 429 }), probe], "direct").status).toBe("warn");
    // An answer that breaks off, and a limit whatever its status: of the way, and of the host.
    expect(judgeReach([failed("PAY_CONNECTION_LOST", {})], "direct").status).toBe("fail");
    expect(judgeReach([failed("PAY_RATE_LIMITED", { httpStatus: 403 })], "direct").status).toBe("fail");
    expect(judgeReach([{ ...probe, skewMs: 1_500 }], "direct")).toMatchObject({ value: { skew_s: 1.5 } });
  });

  it("that came too early for our clock are the clock's fault, by Date or by the certificate", () => {
    const clock = new FakeClock();
    const certificate = {
      issuer: "CA",
      subject: "a",
      validFromMs: clock.wall() + 1_000,
      validToMs: clock.wall() + 9_000,
      distrust: "CERT_NOT_YET_VALID",
    };
    const early = { ...failed("PAY_TLS_EXPIRED"), certificate };
    const unmeasured = judgeTls([early], { clock }, "direct");
    expect(told(unmeasured)).toMatchObject({ status: "fail", remedy: { en: expect.stringContaining("timedatectl") } });
    expect(judgeTls([{ ...early, skewMs: 400_000 }], { clock }, "direct").status).toBe("skip");
    expect(
      told(
        judgeTls([{ ...early, skewMs: 1_000, certificate: { ...certificate, validFromMs: 0 } }], { clock }, "direct"),
      ),
    ).toMatchObject({
      status: "fail",
      remedy: { en: expect.stringContaining("renew") },
    });
    expect(judgeTls([early, probe], { clock }, "direct").status).toBe("warn");
    expect(judgeTls([failed("PAY_CONNECT_TIMEOUT")], { clock }, "direct").status).toBe("skip");
  });

  it("the agent has had before count as well", () => {
    const agent = (status: object) => ({ kind: "running", status: status as Record<string, unknown> }) as const;
    const said = judgeAgentsWord(
      agent({
        last_error: {
          code: "PAY_FORBIDDEN",
          params: { httpStatus: 403, answerCode: "NO_AUTH", answerMessage: "受理关系不存在" },
          http_status: 403,
          reason: "NO_AUTH",
        },
      }),
    );
    expect(told(said)).toMatchObject({ status: "fail", remedy: { en: expect.stringContaining("sub-merchant") } });
    const old = judgeAgentsWord(
      agent({
        last_error: { code: "PAY_BAD_REQUEST", params: { httpStatus: 400 }, since: "2026-06-01T08:00:00.000Z" },
      }),
    );
    const since = localTime("2026-06-01T08:00:00.000Z");
    expect(told(old)).toMatchObject({
      value: { since: "2026-06-01T08:00:00.000Z" },
      detail: {
        en: expect.stringContaining(`since ${since}`),
        zh: expect.stringContaining(`自 ${since} 起遇到`),
      },
    });
    expect(
      judgeAgentsWord(
        agent({ last_error: { code: "BRIDGE_LOST" }, wechatpay: { base_urls: [{ last_outcome: "ok" }] } }),
      ),
    ).toMatchObject({ status: "pass" });
    expect(judgeAgentsWord({ kind: "absent" })).toBeUndefined();
  });
});

describe("the authinfo", () => {
  const holding = (state: string, more: object = {}, last: StatusDocument["last_error"] = null) => ({
    authinfo: { state, generation: 2, remaining_s: 1_800, failures: 0, ...more },
    last_error: last,
  });
  const nothing = { outcome: () => undefined };

  it("is well while it is renewed, a warning once a refresh is overdue, and a failure when there is none", () => {
    expect(judgeAuthinfo(holding("fresh"), nothing).status).toBe("pass");
    expect(judgeAuthinfo(holding("due"), nothing).status).toBe("pass");
    const last = { code: "PAY_CONNECT_TIMEOUT", detail: "no connection", since: "2026-01-02T00:00:00.000Z" };
    expect(told(judgeAuthinfo(holding("due", { failures: 3 }, last), nothing))).toMatchObject({
      status: "warn",
      detail: { en: expect.stringContaining("PAY_CONNECT_TIMEOUT") },
    });
    expect(judgeAuthinfo(holding("rejected"), nothing).status).toBe("warn");
    for (const state of ["stale", "expired", "absent"])
      expect(judgeAuthinfo(holding(state, {}, last), nothing).status, state).toBe("fail");
    expect(judgeAuthinfo(holding("unprovisioned"), nothing)).toMatchObject({ status: "skip", because: "cfg.valid" });
    const cut = {
      outcome: (id: string) =>
        id === "net.link" ? ({ status: "fail", detail: { zh: "", en: "" } } as const) : undefined,
    };
    expect(judgeAuthinfo(holding("expired", {}, last), cut)).toMatchObject({ status: "skip", because: "net.link" });
  });
});
