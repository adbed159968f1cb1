import net from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import tls from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAuthority, createSelfSigned } from "../../../agent/simulator/certificates.ts";
import { revocationList } from "../../support/faults/revocation-list.ts";
import { AUTHINFO, codeOf, GatewayRig, pairOf, removeFactory, sha256 } from "../../support/fixtures/gateway-rig.ts";

let rig: GatewayRig;
afterAll(removeFactory);
const DAY_MS = 86_400_000;
const secondTerminal = { token: "0123456789abcdef" };

beforeAll(async () => {
  rig = await GatewayRig.create();
  await rig.writeRegister([
    rig.line(),
    rig.line({
      device_id: "D2",
      sub_mchid: "1900000222",
      certificate_cn: undefined,
      token_sha256: sha256(secondTerminal.token),
    }),
  ]);
  await rig.write("terminal-ca.crl", await revocationList(rig.playground.ca, []));
  await rig.start({
    devices: { crl_file: '"terminal-ca.crl"' },
    limits: { burst: "1000", connections: "16" },
    wechatpay: { attempt_timeout_ms: "60000" },
  });
});
afterAll(() => rig[Symbol.asyncDispose]());

const refusedWith = async (wanted: Parameters<GatewayRig["ask"]>[0]) => {
  const before = rig.pay.requests.length;
  const answer = await rig.ask(wanted);
  expect(rig.pay.requests.length, "nothing reaches WeChat Pay").toBe(before);
  return `${answer.status} ${codeOf(answer)}`;
};

/** Octets over TLS, as they stand; all that comes back until the end. */
function raw(octets: string | Buffer, terminal: { cert?: string; key?: string } = rig.terminal): Promise<string> {
  return new Promise((resolve) => {
    const socket = tls.connect({ port: rig.port, host: "127.0.0.1", ca: rig.playground.ca.certPem, ...terminal });
    let text = "";
    socket.once("secureConnect", () => socket.write(octets));
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      text += chunk;
    });
    socket.on("error", () => undefined);
    socket.once("close", () => resolve(text));
  });
}

const statuses = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));

describe("a terminal that reaches for another", () => {
  it("gets no authinfo of another device, shop, organisation or service provider", async () => {
    for (const change of [
      { device_id: "D2" },
      { sub_mchid: "1900000222" },
      { sub_appid: "wxother" },
      { organization_id: "Oother" },
      { sp_appid: "wxother" },
    ]) {
      expect(await refusedWith({ body: rig.body(change) })).toBe("403 GATEWAY_NOT_THIS_DEVICE");
    }
    // With the other's identity as a whole, but its own certificate.
    expect(await refusedWith({ body: rig.body({ device_id: "D2", sub_mchid: "1900000222" }) })).toContain("403");
  });

  it("gains nothing by replaying what another has sent, nor by sending its own twice", async () => {
    const body = rig.body();
    expect((await rig.ask({ body })).status).toBe(200);
    expect(await refusedWith({ body, terminal: secondTerminal })).toBe("403 GATEWAY_NOT_THIS_DEVICE");
    // Its own goes on with a signature of its own time; what raw_data is worth a second time WeChat Pay decides.
    const again = await rig.ask({ body });
    expect([again.status, codeOf(again)]).toEqual([400, "PARAM_ERROR"]);
    const nonces = rig.pay.requests.slice(-2).map(({ nonce }) => nonce);
    expect(new Set(nonces).size).toBe(2);
  });
});

describe("credentials", () => {
  it("have to be there and be right", async () => {
    expect(await refusedWith({ terminal: {} })).toBe("401 GATEWAY_CREDENTIALS_MISSING");
    expect(await refusedWith({ terminal: { token: "wrong" } })).toBe("401 GATEWAY_TOKEN_UNKNOWN");
    expect(await refusedWith({ terminal: { ...rig.terminal, token: "wrong" } })).toBe("401 GATEWAY_TOKEN_UNKNOWN");
    expect(await refusedWith({ terminal: { ...rig.terminal, ...secondTerminal } })).toBe(
      "401 GATEWAY_CREDENTIALS_DIFFER",
    );
    const basic = Buffer.from(`x:${secondTerminal.token}`).toString("base64");
    const merchant = 'WECHATPAY2-SHA256-RSA2048 mchid="1900000100"';
    for (const authorization of [`Basic ${basic}`, `bearer ${secondTerminal.token}`, "Bearer ", merchant]) {
      expect(await refusedWith({ terminal: {}, headers: { authorization } })).toBe("401 GATEWAY_TOKEN_UNKNOWN");
    }
    const twice = [`Bearer ${secondTerminal.token}`, "Bearer x"];
    expect(await refusedWith({ terminal: {}, headers: { authorization: twice } })).toBe("401 GATEWAY_TOKEN_UNKNOWN");
  });

  it("by certificate are none when it is expired, foreign, self-signed, of another name or no client's", async () => {
    const now = Date.now();
    const { ca, identity, server } = rig.playground;
    const commonName = identity.deviceId;
    const past = { commonName, notBefore: now - 3 * DAY_MS, notAfter: now - DAY_MS };
    const stranger = await createAuthority({ now, commonName: "facepay-agent simulation CA" });
    const cases = [
      [await ca.issueClient(past), "CERTIFICATE_EXPIRED"],
      [
        await ca.issueClient({ commonName, notBefore: now + DAY_MS, notAfter: now + 2 * DAY_MS }),
        "CERTIFICATE_EXPIRED",
      ],
      [await stranger.issueClient({ commonName }), "CERTIFICATE_FOREIGN"],
      [await createSelfSigned({ commonName, now }), "CERTIFICATE_FOREIGN"],
      [await ca.issueClient({ commonName: "D2" }), "DEVICE_UNKNOWN"],
      [server, "CERTIFICATE_FOREIGN"],
    ] as const;
    for (const [certificate, code] of cases) {
      expect(await refusedWith({ terminal: pairOf(certificate) })).toBe(`401 GATEWAY_${code}`);
      if (code === "DEVICE_UNKNOWN") continue;
      // Not even with a good token beside it.
      expect(await refusedWith({ terminal: { ...pairOf(certificate), ...secondTerminal } })).toContain("401");
    }
  });

  it("end while a connection is open", async () => {
    const notAfter = Date.now() + 2_500;
    const short = await rig.playground.ca.issueClient({ commonName: rig.playground.identity.deviceId, notAfter });
    const agent = rig.keptConnection(pairOf(short));
    expect((await rig.ask({ agent })).status).toBe(200);
    await delay(notAfter + 1_100 - Date.now());
    expect(await refusedWith({ agent })).toBe("401 GATEWAY_CERTIFICATE_EXPIRED");
  });

  it("are revoked by the list, by the register, and on connections that are open", async () => {
    const { ca, identity } = rig.playground;
    const lost = await ca.issueClient({ commonName: identity.deviceId });
    const agent = rig.keptConnection(pairOf(lost));
    expect((await rig.ask({ agent })).status).toBe(200);
    await rig.write("terminal-ca.crl", await revocationList(ca, [lost]));
    const revoked = async () => {
      const answer = await rig.ask({ agent });
      return answer.status === 401 && codeOf(answer);
    };
    expect(await rig.until("the open connection is refused", revoked)).toBe("GATEWAY_CERTIFICATE_REVOKED");
    expect(await refusedWith({ terminal: pairOf(lost) })).toBe("401 GATEWAY_CERTIFICATE_REVOKED");
    // The terminal's other certificate is still good.
    expect((await rig.ask()).status).toBe(200);

    // A request under way is not answered either.
    const taken = Promise.withResolvers<void>();
    rig.pay.faults.next({ until: taken.promise });
    const underWay = rig.ask({
      body: rig.body({ device_id: "D2", sub_mchid: "1900000222" }),
      terminal: secondTerminal,
    });
    await rig.until("it has arrived", async () => rig.pay.requests.at(-1)?.deviceId === "D2");
    await rig.writeRegister([rig.line()]);
    await rig.until("the register is taken", async () => (await rig.metric("devices"))[""] === 1);
    taken.resolve();
    expect(codeOf(await underWay)).toBe("GATEWAY_TOKEN_UNKNOWN");
  });

  it("are not revoked by a list of somebody else, which is refused", async () => {
    const { ca } = rig.playground;
    const stranger = await createAuthority({ now: Date.now(), commonName: "facepay-agent simulation CA" });
    await rig.write("terminal-ca.crl", await revocationList(stranger, [rig.playground.client]));
    await rig.until("it is refused", async () => (await rig.metric("authorities_invalid"))[""] === 1);
    expect((await rig.health("/readyz")).text).toContain("TRUST_REFUSED");
    expect((await rig.ask()).status).toBe(200);
    await rig.write("terminal-ca.crl", await revocationList(ca, []));
    await rig.until("the next one is taken", async () => (await rig.metric("authorities_invalid"))[""] === 0);
  });

  it("are refused while the list is out of date, and the revoked ones are told so", async () => {
    const { ca, identity } = rig.playground;
    const gone = await ca.issueClient({ commonName: identity.deviceId });
    await rig.write("terminal-ca.crl", await revocationList(ca, [gone], { nextUpdate: Date.now() - 60_000 }));
    await rig.until("the warning stands", async () => (await rig.health("/readyz")).text.includes("CRL_OUTDATED"));
    expect(await refusedWith({ terminal: pairOf(gone) })).toBe("401 GATEWAY_CERTIFICATE_REVOKED");
    expect(await refusedWith({})).toBe("503 GATEWAY_REVOCATION_UNKNOWN");
    // Nor is the connection admitted, which others could be turned away for.
    expect((await rig.ask()).headers.connection).toBe("close");
    await rig.write("terminal-ca.crl", await revocationList(ca, [gone]));
    await rig.until("the newer list is in force", async () => (await rig.ask()).status === 200);
    expect((await rig.health("/readyz")).text).not.toContain("CRL_");
  });
});

describe("bodies", () => {
  it.each([
    ["nothing", "", "400 GATEWAY_BODY_INVALID"],
    ["null", "null", "400 GATEWAY_BODY_INVALID"],
    ["a list", "[]", "400 GATEWAY_BODY_INVALID"],
    ["half an object", "{", "400 GATEWAY_BODY_INVALID"],
    ["a byte order mark", "\ufeff{}", "400 GATEWAY_BODY_INVALID"],
    ["a deep nest", `{"a":${"[".repeat(9_000)}`, "400 GATEWAY_BODY_INVALID"],
    ["a name twice", '{"device_id":"D1","device_id":"D2"}', "400 GATEWAY_BODY_INVALID"],
    ["a prototype", '{"__proto__":{"device_id":"D2"}}', "400 GATEWAY_BODY_INVALID"],
    ["no UTF-8", Buffer.from([0x7b, 0xff, 0x7d]), "400 GATEWAY_BODY_INVALID"],
    ["16 KiB and one octet", "x".repeat(16 * 1024 + 1), "413 GATEWAY_BODY_TOO_LARGE"],
  ])("of %s are refused", async (_what, body, expected) => {
    const headers = body === "" ? { "content-type": [] } : {};
    expect(await refusedWith({ body, headers })).toBe(expected);
  });

  it("of another type, compressed, or endless are refused", async () => {
    const unsupported = "415 GATEWAY_UNSUPPORTED_MEDIA_TYPE";
    expect(await refusedWith({ headers: { "content-type": "text/plain" } })).toBe(unsupported);
    expect(await refusedWith({ headers: { "content-encoding": "gzip" } })).toBe(unsupported);
    const head = `POST ${AUTHINFO} HTTP/1.1\r\nHost: g\r\nContent-Type: application/json\r\n`;
    const chunk = `1000\r\n${"x".repeat(0x1000)}\r\n`;
    expect(statuses(await raw(`${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(8)}`))).toEqual([413]);
    const answer = await rig.ask({ body: rig.body({ raw_data: "a".repeat(12_000) }) });
    expect(answer.body.toString()).not.toContain("aaaa");
  });
});

describe("smuggling", () => {
  const body = '{"echo_message":"x"}';
  const length = `Content-Length: ${body.length}\r\n`;
  const head = (lines: string, target = "/v3/security/echo") =>
    `POST ${target} HTTP/1.1\r\n${lines}Content-Type: application/json\r\n`;

  it.each([
    ["both lengths", head("Host: g\r\n"), `Content-Length: 20\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["two lengths", head("Host: g\r\n"), `${length}Content-Length: 1\r\n\r\n${body}`],
    ["an unknown coding", head("Host: g\r\n"), `Transfer-Encoding: xchunked\r\n\r\n${body}`],
    ["two hosts", head("Host: g\r\nHost: h\r\n"), `${length}\r\n${body}`],
    ["no host", head(""), `${length}\r\n${body}`],
    ["an absolute target", head("Host: g\r\n", "http://g/v3/security/echo"), `${length}\r\n${body}`],
    ["a folded header", head("Host: g\r\nX: a\r\n b\r\n"), `${length}\r\n${body}`],
    ["a bare line feed", head("Host: g\r\nX: a\n"), `${length}\r\n${body}`],
    ["no HTTP at all", "\u0016\u0003\u0001 nonsense\r\n\r\n", ""],
  ])("by %s is refused and the connection closed", async (_what, start, rest) => {
    const before = rig.pay.requests.length;
    // Nothing at all when the head was in order and what follows is not.
    expect([[400], []]).toContainEqual(statuses(await raw(start + rest)));
    expect(rig.pay.requests.length).toBe(before);
  });

  it("hides no second request behind a refused one", async () => {
    const before = rig.pay.requests.length;
    const second = `${head("Host: g\r\n")}Content-Length: ${body.length}\r\n\r\n${body}`;
    const refused = `POST /nowhere HTTP/1.1\r\nHost: g\r\nContent-Type: application/json\r\nContent-Length: ${second.length}\r\n\r\n`;
    expect(statuses(await raw(refused + second))).toEqual([404]);
    expect(rig.pay.requests.length).toBe(before);
  });

  it("of headers, methods and web pages gets nowhere", async () => {
    expect(await refusedWith({ headers: { "wechatpay-serial": "PUB_KEY_ID_1\u00e9" } })).toContain("400");
    expect(await refusedWith({ headers: { "wechatpay-serial": ["PUB_KEY_ID_1", "PUB_KEY_ID_2"] } })).toContain("400");
    expect(await refusedWith({ headers: { origin: "https://evil.example" } })).toBe("403 GATEWAY_BROWSER_REFUSED");
    // The refusal names the header, for who wonders at what his client sends.
    const fetched = await rig.ask({ headers: { "sec-fetch-site": "none" } });
    expect(JSON.parse(fetched.body.toString())).toMatchObject({ field: "Sec-Fetch-Site" });
    // Ignored, as RFC 9110 section 7.8 allows: clients offer HTTP/2 so by themselves.
    expect((await rig.ask({ headers: { upgrade: "h2c", connection: "upgrade" } })).status).toBe(200);
    expect(statuses(await raw("CONNECT api.mch.weixin.qq.com:443 HTTP/1.1\r\nHost: g\r\n\r\n"))).toEqual([405]);
    expect(statuses(await raw(`GET / HTTP/1.1\r\nHost: g\r\nX: ${"x".repeat(9_000)}\r\n\r\n`))).toEqual([431]);
  });
});

describe("strangers", () => {
  const strangerHead = (target: string, ...more: string[]) =>
    `${[`GET ${target} HTTP/1.1`, "Host: g", ...more].join("\r\n")}\r\n\r\n`;

  it("lose their connection with the first refusal, whatever that is", async () => {
    const cases = [
      [strangerHead("/x"), 404],
      [strangerHead(AUTHINFO), 405],
      [`POST ${AUTHINFO} HTTP/1.1\r\nHost: g\r\n\r\n`, 401],
      [strangerHead("/x", "Origin: http://x"), 403],
    ] as const;
    for (const [octets, status] of cases) expect(statuses(await raw(octets.repeat(3), {}))).toEqual([status]);
    // A terminal's own mistakes do not cost it its connection.
    const agent = rig.keptConnection();
    for (const path of ["/x", AUTHINFO]) {
      const answer = await rig.ask({ agent, path, method: "GET", body: "", headers: { "content-type": [] } });
      expect([path === "/x" ? 404 : 405, "keep-alive"]).toEqual([answer.status, answer.headers.connection]);
    }
    agent.destroy();
  });

  it("go before a terminal whose handshake takes long, however many they are and whatever they send", async () => {
    const cut = async () => (await rig.metric("refused_connections_total"))['reason="crowded"'] ?? 0;
    const before = await cut();
    const strangers: tls.TLSSocket[] = [];
    const stranger = async () => {
      const socket = tls.connect({ port: rig.port, host: "127.0.0.1", ca: rig.playground.ca.certPem });
      strangers.push(socket.resume().on("error", () => undefined));
      await new Promise((resolve) => socket.once("secureConnect", resolve).once("close", resolve));
      if (strangers.length % 2) socket.write("GET /x HTTP/1.1\r\nHost: g\r\nX: ");
    };
    while (strangers.length < 16) await stranger();
    // TCP stands, and TLS is still on its slow way. Few more come, so that its own 7 s are not over on a busy machine.
    const slow = net.connect(rig.port, "127.0.0.1");
    slow.on("error", () => undefined);
    await new Promise((resolve) => slow.once("connect", resolve));
    await rig.until("it has its place", async () => (await cut()) > before);
    while (strangers.length < 20) await stranger();
    await rig.until("they are thinned", async () => (await cut()) - before >= 5);
    if (slow.destroyed) throw new Error("the terminal has been cut");
    const socket = tls.connect({
      socket: slow,
      ca: rig.playground.ca.certPem,
      servername: "localhost",
      ...rig.terminal,
    });
    const status = await new Promise<string>((resolve, reject) => {
      socket
        .once("error", reject)
        .once("close", reject)
        .once("data", (octets) => resolve(octets.toString("latin1", 9, 12)));
      socket.once("secureConnect", () => socket.write(`GET ${AUTHINFO} HTTP/1.1\r\nHost: g\r\n\r\n`));
    });
    expect(status).toBe("405");
    for (const one of [...strangers, socket]) one.destroy();
  });
});

describe("a pipeline", () => {
  const get = "GET /x HTTP/1.1\r\nHost: g\r\n\r\n";

  it("of a terminal is answered in order until four answers are unsent; the next one is refused, and nothing is malformed", async () => {
    const cut = async () => await rig.metric("refused_connections_total");
    const before = await cut();
    expect(statuses(await raw(get.repeat(2_000)))).toEqual([...Array(4).fill(404), 429]);
    const after = await cut();
    expect(after['reason="malformed"']).toBe(before['reason="malformed"']);
    expect(after['reason="pipeline"']).toBe(1);
  });

  it("of a stranger gets one answer, which it can read although it is still sending", async () => {
    expect(statuses(await raw(get.repeat(3_000), {}))).toEqual([404]);
  });
});

describe("slow and silent clients", () => {
  it("do not keep others out, and are cut", async () => {
    const silent = Array.from({ length: 40 }, () =>
      net
        .connect(rig.port, "127.0.0.1")
        .resume()
        .on("error", () => undefined),
    );
    const half = Array.from({ length: 10 }, () => {
      const socket = tls.connect({ port: rig.port, host: "127.0.0.1", ca: rig.playground.ca.certPem, ...rig.terminal });
      socket.once("secureConnect", () => socket.write(`POST ${AUTHINFO} HTTP/1.1\r\nHost: g\r\n`));
      return socket.resume().on("error", () => undefined);
    });
    await delay(500);
    expect((await rig.metric("connections"))[""]).toBeLessThanOrEqual(16);
    for (let i = 0; i < 5; i++) expect((await rig.ask()).status).toBe(200);
    const began = performance.now();
    const open = () => [...silent, ...half].filter((socket) => !socket.destroyed).length;
    await rig.until("all are cut", async () => open() === 0, 120_000);
    expect(performance.now() - began).toBeLessThan(12_000);
    expect((await rig.metric("connections"))[""]).toBe(0);
    const cut = await rig.metric("refused_connections_total");
    expect(cut['reason="crowded"']).toBeGreaterThan(20);
  });
});
