import { copyFile, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { afterAll, describe, expect, it } from "vitest";
import { textOf } from "../../../agent/messages/text-of.ts";
import { type AnswerFault, commonFaults } from "../../../agent/simulator/answer-faults.ts";
import { createSelfSigned } from "../../../agent/simulator/certificates.ts";
import { startHttpsHost } from "../../../agent/simulator/https-host.ts";
import { startWechatPayServer } from "../../../agent/simulator/wechatpay-server.ts";
import { diagnosed, wordsOf } from "../../support/checks/diagnosed.ts";
import { told } from "../../support/checks/told.ts";
import { startConnectProxy } from "../../support/fakes/connect-proxy.ts";
import { openRig, type Rig, type RigOptions, removeFactory } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

const DAY_MS = 86_400_000;
/** No line: these stories are about the network. */
const direct = { config: { driver: { type: "simulator", path: undefined } } } as const;
const gateway = { ...direct, mode: "gateway" } as const;

async function examine(rig: Rig) {
  const found = await diagnosed(rig.configFile);
  rig.saw("diagnose", JSON.stringify(found.results));
  return found;
}

async function broken(fault: (rig: Rig) => Promise<void> | void, options: RigOptions = direct) {
  await using rig = await openRig(options);
  await fault(rig);
  return await examine(rig);
}

/** The same answer to everything. */
const answering = (fault: AnswerFault) => (rig: Rig) => {
  rig.pay.faults.always = fault;
};

const refusal = (status: number, code: string, message: string, field?: string) =>
  answering({ status, body: JSON.stringify({ code, message, field }) });

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** What is left when the way is good: these terminals have no agent running. */
const nothingElse = "pay.authinfo fail";

const baseUrl = (port: number, name = "127.0.0.1") => ({ wechatpay: { base_urls: [`https://${name}:${port}`] } });

describe.concurrent("on the way to the payment service, the first failure is the cause", () => {
  it("none: a signed self-test is accepted, directly and through a gateway that lets it pass", async () => {
    const { first, status, of } = await broken(() => {});
    expect(first).toBe(nothingElse);
    for (const id of ["net.captive", "net.proxy", "net.tls", "pay.reach", "pay.auth", "time.offset"])
      expect(status(id), id).toBe("pass");
    // The base URL is on this machine and given by number.
    for (const id of ["net.link", "net.gateway", "net.dns", "net.dns_sane"]) expect(status(id), id).toBe("skip");
    expect(of("pay.reach").value).toMatchObject({ skew_s: expect.any(Number) });
  });

  it("a port that is closed: pay.reach", async () => {
    const { first, of } = await broken((rig) => rig.payDown());
    expect(first).toBe("pay.reach fail");
    expect(wordsOf(of("pay.reach"))).toMatch(/拒绝连接[\s\S]*refuses[\s\S]*outbound TCP \d+ in/);
    expect(of("pay.auth")).toMatchObject({ status: "skip", because: "pay.reach" });
  });

  it("a host that takes the connection and says nothing: pay.reach, and no firewall", async () => {
    const silent = createServer((socket) => socket.on("error", () => socket.destroy()).resume());
    const port = await listening(silent);
    try {
      const { first, of } = await broken((rig) =>
        rig.configure({ wechatpay: { ...baseUrl(port).wechatpay, attempt_timeout_ms: 2_500 } }),
      );
      expect(first).toBe("pay.reach fail");
      expect(wordsOf(of("pay.reach"))).toMatch(/没有 TLS 应答[\s\S]*no TLS answer/);
      expect(textOf(of("pay.reach").remedy).en).toMatch(new RegExp(`middlebox.*base_urls: https://127.0.0.1:${port}`));
      expect(wordsOf(of("pay.reach"))).not.toMatch(/放行|outbound/);
    } finally {
      silent.close();
    }
  });

  it("a port that speaks plain HTTP: net.tls, and which port", async () => {
    const plain = createHttpServer((_request, response) => response.end("hello"));
    const port = await listening(plain);
    try {
      const { first, of } = await broken((rig) => rig.configure(baseUrl(port)));
      expect(first).toBe("net.tls fail");
      expect(textOf(of("net.tls").remedy).en).toBe(
        `That port does not speak TLS: check the port in base_urls: https://127.0.0.1:${port}.`,
      );
    } finally {
      plain.close();
    }
  });

  it.each([
    ["HTML instead of an answer", commonFaults.captivePortal],
    ["a way to a login page", commonFaults.redirect],
    ["511", { status: 511, body: "<html>login</html>" }],
  ])("a portal, by %s: net.captive", async (_how, fault) => {
    const { first, of } = await broken(answering(fault));
    expect(first).toBe("net.captive fail");
    expect(of("pay.reach")).toMatchObject({ status: "skip", because: "net.captive" });
  });

  it.each([
    ["its web server's page", commonFaults.captivePortal],
    ["a way elsewhere", commonFaults.redirect],
  ])("a gateway that answers with %s: net.captive, and its path before the shop's network", async (_how, fault) => {
    const { first, of } = await broken(answering(fault), gateway);
    expect(first).toBe("net.captive fail");
    expect(wordsOf(of("net.captive"))).toMatch(/不是支付接口[\s\S]*路径[\s\S]*check the path in base_urls/);
    expect(textOf(of("net.captive").detail).zh).not.toContain("网络中的网页");
  });

  it("a gateway whose own authority is not named: net.tls, and nobody is accused of an interception", async () => {
    const { first, of } = await broken((rig) => rig.configure({ wechatpay: { ca_file: undefined } }), gateway);
    expect(first).toBe("net.tls fail");
    expect(wordsOf(of("net.tls"))).toMatch(/本终端不信任它[\s\S]*does not trust[\s\S]*ca_file/);
    expect(wordsOf(of("net.tls"))).not.toMatch(/被拦截|intercepted/);
  });

  it("a gateway that has no answer of WeChat Pay's: pay.reach, in one language each", async () => {
    const words = "未能取得微信支付的完整应答 / WeChat Pay gave no whole answer: PAY_CONNECT_REFUSED";
    const { first, of } = await broken(refusal(502, "GATEWAY_UPSTREAM_FAILED", words, "PAY_CONNECT_REFUSED"), gateway);
    expect(first).toBe("pay.reach fail");
    const { zh, en } = textOf(of("pay.reach").detail);
    expect(zh).toContain("HTTP 502 GATEWAY_UPSTREAM_FAILED：未能取得微信支付的完整应答：PAY_CONNECT_REFUSED");
    expect(zh).not.toContain("WeChat Pay gave");
    expect(en).toContain("HTTP 502 GATEWAY_UPSTREAM_FAILED: WeChat Pay gave no complete answer: PAY_CONNECT_REFUSED");
  });

  it("a gateway that ends the connection without a word: pay.reach, and no firewall", async () => {
    const { first, of } = await broken(answering({ delivery: "close" }), gateway);
    expect(first).toBe("pay.reach fail");
    expect(wordsOf(of("pay.reach"))).toMatch(/核对它是否认可本终端的证书[\s\S]*accepts this terminal's certificate/);
    expect(wordsOf(of("pay.reach"))).not.toMatch(/放行|outbound/);
  });

  it("HTTPS that is intercepted: net.tls, and by whom", async () => {
    const { certPem, privateKeyPem } = await createSelfSigned({ commonName: "Shop Firewall CA", now: Date.now() });
    const host = await startHttpsHost({ tls: { cert: certPem, key: privateKeyPem }, handle: async () => {} });
    try {
      const { first, of } = await broken((rig) => rig.configure(baseUrl(host.port)));
      expect(first).toBe("net.tls fail");
      expect(wordsOf(of("net.tls"))).toMatch(/被拦截.*Shop Firewall CA[\s\S]*intercepted.*Shop Firewall CA/);
    } finally {
      await host.stop();
    }
  });

  it.each([
    ["another name", { names: ["pay.example"] }, /属于[\s\S]*is for/],
    ["the past", { notAfter: Date.now() - DAY_MS, notBefore: Date.now() - 9 * DAY_MS }, /已过期[\s\S]*has expired/],
  ])("a certificate for %s: net.tls", async (_what, wanted, words) => {
    await using rig = await openRig(direct);
    const { certPem, privateKeyPem } = await rig.playground.ca.issueServer(wanted);
    const other = await startWechatPayServer({
      ...rig.playground.wechatPayOptions,
      tls: { cert: certPem, key: privateKeyPem },
    });
    try {
      await rig.configure(baseUrl(other.port));
      const { first, of } = await examine(rig);
      expect(first).toBe("net.tls fail");
      expect(wordsOf(of("net.tls"))).toMatch(words);
    } finally {
      await other.stop();
    }
  });

  it("a clock that was left behind, so that no certificate is valid yet: time.offset", async () => {
    await using rig = await openRig(direct);
    const soon = { notBefore: Date.now() + 100 * DAY_MS, notAfter: Date.now() + 900 * DAY_MS };
    const { certPem, privateKeyPem } = await rig.playground.ca.issueServer(soon);
    const other = await startWechatPayServer({
      ...rig.playground.wechatPayOptions,
      tls: { cert: certPem, key: privateKeyPem },
    });
    other.clockOffsetS = (200 * DAY_MS) / 1_000;
    try {
      await rig.configure(baseUrl(other.port));
      const { first, of, status } = await examine(rig);
      expect(first).toBe("time.offset fail");
      expect(status("net.tls")).toBe("skip");
      expect(of("pay.auth")).toMatchObject({ status: "skip", because: "time.offset" });
    } finally {
      await other.stop();
    }
  });

  it.each([360, -360])("a clock that is off by %d s: time.offset, by WeChat Pay's own Date", async (seconds) => {
    const { first, of } = await broken((rig) => {
      rig.pay.clockOffsetS = seconds;
    });
    expect(first).toBe("time.offset fail");
    expect(of("pay.auth")).toMatchObject({ status: "skip", because: "time.offset" });
  });

  it("a key that is another merchant's: pay.auth", async () => {
    const { first, of } = await broken((rig) =>
      copyFile(rig.within("terminal-key.pem"), rig.within("merchant-key.pem")),
    );
    expect(first).toBe("pay.auth fail");
    expect(wordsOf(of("pay.auth"))).toMatch(/签名错误[\s\S]*merchant_serial_no/);
  });

  it("a serial number that is another certificate's: pay.auth", async () => {
    const { first, of } = await broken((rig) => rig.configure({ wechatpay: { merchant_serial_no: "0".repeat(40) } }));
    expect(first).toBe("pay.auth fail");
    expect(textOf(of("pay.auth").remedy).en).toMatch(/^merchant_serial_no is wrong/);
  });

  it.each([
    ["商户证书已过期", 401, "SIGN_ERROR", /has expired/],
    ["商户证书已作废", 401, "SIGN_ERROR", /revoked/],
    ["已更换证书，请使用新证书", 401, "SIGN_ERROR", /replaced/],
    ["商户未申请过证书", 401, "SIGN_ERROR", /no API certificate/],
    ["商户未设置APIv3密钥", 401, "SIGN_ERROR", /APIv3/],
    ["Http头Authorization值格式错误", 401, "SIGN_ERROR", /Authorization header/],
    ["商户号该产品权限未开通", 403, "NO_AUTH", /face-pay product/],
    ["受理关系不存在", 403, "NO_AUTH", /sub-merchant/],
    ["该产品授权已被解除", 403, "NO_AUTH", /withdrawn/],
    ["请求被拦截", 403, "REQUEST_BLOCKED", /rule/],
    ["商户号和appid不匹配", 400, "APPID_MCHID_NOT_MATCH", /bound/],
    ["机构id不匹配", 400, "PARAM_ERROR", /organization_id/],
  ])("%s: pay.auth with a sentence of its own", async (message, status, code, remedy) => {
    const { first, of } = await broken(refusal(status, code, message));
    expect(first).toBe("pay.auth fail");
    expect(textOf(of("pay.auth").remedy).en).toMatch(remedy);
    expect(textOf(of("pay.auth").detail).zh).toContain(message);
  });

  it("a public key id that WeChat Pay does not know: pay.auth", async () => {
    const { first, of } = await broken((rig) =>
      rig.configure({ wechatpay: { public_key_id: `PUB_KEY_ID_${"1".repeat(34)}` } }),
    );
    expect(first).toBe("pay.auth fail");
    expect(textOf(of("pay.auth").remedy).en).toContain("public_key_id is wrong");
  });

  it.each([
    ["signed with another key id", { signature: "unknown-serial" }, /public_key_id/],
    ["whose signature does not fit", { signature: "bad" }, /public_key_file/],
    ["that nobody signed", { signature: "none" }, /Wechatpay-\*/],
  ] as const)("an answer %s: pay.auth", async (_what, fault, remedy) => {
    const { first, of } = await broken(answering(fault));
    expect(first).toBe("pay.auth fail");
    expect(textOf(of("pay.auth").remedy).en).toMatch(remedy);
  });

  it.each([429, 500, 503])("HTTP %d everywhere: pay.reach, busy", async (status) => {
    const { first, of } = await broken(answering({ status }));
    expect(first).toBe("pay.reach fail");
    expect(wordsOf(of("pay.reach"))).toMatch(/繁忙[\s\S]*busy/);
  });

  it("a base URL without a payment interface: pay.auth", async () => {
    const { first, of } = await broken(answering({ status: 404 }));
    expect(first).toBe("pay.auth fail");
    expect(textOf(of("pay.auth").remedy).en).toContain("base_urls");
  });

  it("a backup alone: a warning, and no failure", async () => {
    const { first, of } = await broken((rig) =>
      rig.configure({ wechatpay: { base_urls: ["https://127.0.0.1:1", rig.pay.url] } }),
    );
    expect(first).toBe(nothingElse);
    expect(of("pay.reach").status).toBe("warn");
    expect(of("pay.auth").status).toBe("pass");
  });

  it("no key that could be read: key.file, while the way is judged all the same", async () => {
    const { first, of, status } = await broken((rig) => rm(rig.within("merchant-key.pem")));
    expect(first).toBe("key.file fail");
    expect(status("net.tls")).toBe("pass");
    expect(status("pay.reach")).toBe("pass");
    expect(of("pay.auth")).toMatchObject({ status: "skip", because: "key.file" });
  });

  it("--offline asks nobody", async () => {
    await using rig = await openRig(direct);
    const { of } = await diagnosed(rig.configFile, { offline: true });
    expect(of("pay.reach")).toMatchObject({ status: "skip" });
    expect(rig.pay.requests).toHaveLength(0);
  });
});

describe.concurrent("through a proxy", () => {
  it.each([
    ["wants other credentials", 407, /proxy_auth_file/],
    ["refuses the tunnel", 403, /CONNECT/],
  ])("that %s: net.proxy", async (_what, fault, remedy) => {
    const proxy = await startConnectProxy();
    proxy.fault = fault;
    try {
      const { first, of } = await broken((rig) => rig.configure({ wechatpay: { proxy: proxy.url } }));
      expect(first).toBe("net.proxy fail");
      expect(textOf(of("net.proxy").remedy).en).toMatch(remedy);
    } finally {
      await proxy.stop();
    }
  });

  it("that is not there: net.proxy; one that works: none; one that nobody uses: a warning", async () => {
    const proxy = await startConnectProxy();
    await using rig = await openRig(direct);
    await rig.configure({ wechatpay: { proxy: proxy.url } });
    const good = await examine(rig);
    expect(good.first).toBe(nothingElse);
    expect(good.status("pay.auth")).toBe("pass");
    expect(proxy.requests.length).toBeGreaterThan(0);
    await rig.configure();
    const unused = await diagnosed(rig.configFile, { env: { HTTPS_PROXY: proxy.url, NO_PROXY: "127.0.0.1" } });
    expect(unused.status("net.proxy")).toBe("warn");
    await proxy.stop();
    await rig.configure({ wechatpay: { proxy: proxy.url } });
    expect((await examine(rig)).first).toBe("net.proxy fail");
  });

  it("interception behind it is told by its issuer, too", async () => {
    const { certPem, privateKeyPem } = await createSelfSigned({ commonName: "Proxy Inspection", now: Date.now() });
    const host = await startHttpsHost({ tls: { cert: certPem, key: privateKeyPem }, handle: async () => {} });
    const proxy = await startConnectProxy();
    try {
      const overrides = { ...baseUrl(host.port).wechatpay, proxy: proxy.url };
      const { first, of } = await broken((rig) => rig.configure({ wechatpay: overrides }));
      expect(first).toBe("net.tls fail");
      expect(textOf(of("net.tls").detail).en).toContain("Proxy Inspection");
    } finally {
      await proxy.stop();
      await host.stop();
    }
  });
});

describe.concurrent("in gateway mode", () => {
  it("a wrong token: pay.auth", async () => {
    const { first, of } = await broken((rig) => writeFile(rig.within("bearer-token"), "not-the-token\n"), gateway);
    expect(first).toBe("pay.auth fail");
    expect(textOf(of("pay.auth").remedy).en).toContain("gateway does not know this terminal");
  });

  it("a gateway's own code is shown whole, and has a remedy of its own", async () => {
    const message = "终端证书不是本网关认可的 CA 签发 / the certificate is of no known CA";
    const { first, of } = await broken(refusal(401, "GATEWAY_CERTIFICATE_FOREIGN", message), gateway);
    expect(first).toBe("pay.auth fail");
    expect(textOf(of("pay.auth").detail)).toEqual({
      zh: "被拒绝：HTTP 401 GATEWAY_CERTIFICATE_FOREIGN：终端证书不是本网关认可的 CA 签发",
      en: "refused: HTTP 401 GATEWAY_CERTIFICATE_FOREIGN: the certificate is not issued by an accepted CA",
    });
    expect(textOf(of("pay.auth").remedy).en).toContain("client_cert_file");
  });

  it("a client certificate that TLS asks for is no closed port: pay.auth", async () => {
    const { first, of, status } = await broken(
      (rig) => rig.configure({ wechatpay: { client_cert_file: undefined, client_key_file: undefined } }),
      gateway,
    );
    expect(status("net.tls")).toBe("pass");
    expect(status("pay.reach")).toBe("pass");
    expect(first).toBe("pay.auth fail");
    expect(textOf(of("pay.auth").remedy).en).toContain("set client_cert_file");
  });

  it("nothing at the self-test's path: reached, and no failure as long as nobody knows more", async () => {
    const { first, of } = await broken(answering({ status: 404 }), gateway);
    expect(first).toBe(nothingElse);
    expect(of("pay.reach").status).toBe("pass");
    expect(told(of("pay.auth"))).toMatchObject({
      status: "warn",
      remedy: { en: expect.stringContaining("check the path") },
    });
    expect(wordsOf(of("pay.auth"))).toMatch(/404：\/v3\/security\/echo[\s\S]*does not forward/);
  });

  it("a path that our gateway says it does not have: pay.auth", async () => {
    const { first, of } = await broken(refusal(404, "GATEWAY_NOT_FOUND", "此路径不存在 / There is nothing"), gateway);
    expect(first).toBe("pay.auth fail");
    expect(textOf(of("pay.auth").remedy).en).toContain("base_path");
  });
});

describe("with the agent running", () => {
  it("a permission that is missing for the authinfo alone: pay.auth, by the agent's own words", async () => {
    await using rig = await openRig(direct);
    await rig.serve();
    const healthy = await examine(rig);
    expect(healthy.first).toBe("none");
    rig.pay.faults.next({ status: 403, body: JSON.stringify({ code: "NO_AUTH", message: "商户号该产品权限未开通" }) });
    await rig.refresh();
    const { first, of } = await examine(rig);
    expect(first).toBe("pay.auth fail");
    expect(textOf(of("pay.auth").remedy).zh).toContain("产品中心");
    expect(of("pay.authinfo")).toMatchObject({ status: "warn" });
  });

  it("a gateway that does not forward the self-test, but took the agent's own request, is well", async () => {
    await using rig = await openRig(gateway);
    await rig.serve();
    rig.pay.faults.always = { status: 404, body: JSON.stringify({ code: "NOT_FOUND", message: "no such route" }) };
    const { first, status } = await examine(rig);
    expect(first).toBe("none");
    expect(status("pay.auth")).toBe("pass");
  });
});
