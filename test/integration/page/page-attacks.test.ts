import { once } from "node:events";
import { describe, expect, it } from "vitest";
import type { StatusDocument } from "../../../agent/api/status-document.ts";
import { statusRows } from "../../../agent/cli/status/status-view-model.ts";
import { visible } from "../../../agent/common/visible.ts";
import { FakeClock } from "../../support/fakes/fake-clock.ts";
import { until } from "../../support/fixtures/api-fixture.ts";
import { answerOf, PageRig } from "../../support/page/page-rig.ts";
import { scenarios, viewOf } from "../../support/page/page-views.ts";

/** Nothing of the page is in an answer to somebody else. */
function expectNothing({ text, headers }: { readonly text: string; readonly headers: Headers }): void {
  expect(text).not.toContain("LTA0P18937F130532000001");
  expect(text).not.toMatch(/csrf/);
  expect(headers.get("set-cookie")).toBeNull();
}

async function entered(changes: Parameters<typeof PageRig.open>[0] = {}): Promise<PageRig> {
  const rig = await PageRig.open(changes);
  await rig.enter();
  return rig;
}

describe.concurrent("who gets in", () => {
  it("is whoever uses the link first, and nobody with the same link after that", async () => {
    await using rig = await entered();
    const second = await rig.request("GET", rig.link);
    expect(second.status).toBe(403);
    expect(second.text).toContain("This link has been used");
    expectNothing(second);
    expect((await rig.request("GET", rig.root, rig.own)).status).toBe(200);
  });

  it("is not another user of this machine: who can connect knows neither path nor cookie", async () => {
    await using rig = await entered();
    for (const target of ["/", "/index.html", "/bundle", `/${"A".repeat(43)}/`, rig.root.slice(0, -2)]) {
      const answer = await rig.request("GET", target, rig.own);
      expect(answer.status, target).toBe(404);
      expectNothing(answer);
    }
    for (const cookie of [
      undefined,
      "facepay=",
      `facepay=${"A".repeat(43)}`,
      "facepay",
      rig.cookie.slice(0, -1),
      `${rig.cookie}A`,
      rig.cookie.toUpperCase(),
    ]) {
      for (const target of [rig.root, `${rig.root}bundle`]) {
        const answer = await rig.request("GET", target, cookie === undefined ? {} : { Cookie: cookie });
        expect(answer.status, `${cookie}`).toBe(403);
        expectNothing(answer);
      }
    }
  });

  it("is not the browser of an earlier run", async () => {
    await using before = await entered();
    await using rig = await entered();
    expect((await rig.request("GET", rig.root, before.own)).status).toBe(403);
    expect((await rig.request("GET", before.root, before.own)).status).toBe(404);
    // Neither is sent to the other: their paths differ, and no port is part of a cookie's place.
    expect(before.root).not.toBe(rig.root);
  });

  it("is still the right one when somebody else has set a cookie of the same name", async () => {
    await using rig = await entered();
    const cookie = `facepay=planted; ${rig.cookie}; other=1`;
    expect((await rig.request("GET", rig.root, { Cookie: cookie })).status).toBe(200);
    // Beyond what is looked at.
    const many = `${"a=1; ".repeat(40)}${rig.cookie}`;
    expect((await rig.request("GET", rig.root, { Cookie: many })).status).toBe(403);
  });

  it("is nobody who guesses: after 20 wrong tokens the link is worth nothing, and the page ends", async () => {
    await using rig = await PageRig.open();
    for (let n = 0; n < 20; n++) {
      const answer = await rig.request("GET", `/open/${`${n}`.padStart(43, "A")}`);
      expect(answer.status).toBe(403);
      expectNothing(answer);
    }
    expect(await rig.server.ended).toBe("void");
    expect((await rig.request("GET", rig.link)).status).toBe(403);
  });

  it("stays in however often others guess after that", async () => {
    await using rig = await entered();
    for (let n = 0; n < 25; n++) await rig.request("GET", `/open/${n}`);
    expect((await rig.request("GET", rig.root, rig.own)).status).toBe(200);
    expect(await Promise.race([rig.server.ended, Promise.resolve("not ended")])).toBe("not ended");
  });

  it("gets a cookie that no script and no other site can use, for this path alone", async () => {
    await using rig = await PageRig.open();
    const { headers } = await rig.request("GET", rig.link);
    expect(headers.get("set-cookie")).toMatch(/^facepay=[\w-]{43}; Path=\/[\w-]{43}\/; HttpOnly; SameSite=Strict$/);
    expect(headers.get("location")).toMatch(/^\/[\w-]{43}\/\?lang=en$/);
  });

  it("does not use the link up by looking: HEAD, POST and a refused request leave it as it is", async () => {
    await using rig = await PageRig.open();
    expect((await rig.request("HEAD", rig.link)).status).toBe(405);
    expect((await rig.request("POST", rig.link, { "Content-Type": "application/x-www-form-urlencoded" })).status).toBe(
      405,
    );
    expect((await rig.request("GET", rig.link, { Host: "evil.example" })).status).toBe(403);
    expect((await rig.request("GET", rig.link, { "Sec-Fetch-Site": "cross-site" })).status).toBe(403);
    expect((await rig.request("GET", `${rig.link}/`)).status).toBe(403);
    expect((await rig.request("GET", rig.link)).status).toBe(303);
  });
});

describe.concurrent("web pages of others", () => {
  it.each(["evil.example", "localhost", "127.0.0.1", "127.0.0.1:1", "127.1", "[::1]", "0.0.0.0", ""])(
    "reach nothing by a name of theirs that leads here: %j (DNS rebinding)",
    async (host) => {
      await using rig = await entered();
      const port = rig.authority.split(":")[1];
      for (const name of [host, `${host}:${port}`]) {
        if (name === rig.authority) continue;
        const answer = await rig.request("GET", rig.root, { ...rig.own, Host: name });
        expect(answer.status, name).toBe(403);
        expectNothing(answer);
      }
    },
  );

  it("reach nothing with two Hosts, or none", async () => {
    await using rig = await entered();
    const head = `GET ${rig.root} HTTP/1.1\r\nCookie: ${rig.cookie}\r\nConnection: close\r\n`;
    for (const hosts of [
      "",
      `Host: ${rig.authority}\r\nHost: evil.example\r\n`,
      `Host: ${rig.authority}, evil.example\r\n`,
    ]) {
      const answer = answerOf(await rig.raw(`${head}${hosts}\r\n`));
      expect(answer.status).toBe(403);
      expectNothing(answer);
    }
  });

  it.each(["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:1", "http://localhost", ""])(
    "press no button from the origin %j",
    async (origin) => {
      await using rig = await entered();
      const csrf = await rig.csrf();
      const answer = await rig.request("POST", `${rig.root}refresh`, ...rig.form({ csrf }, { Origin: origin }));
      expect(answer.status).toBe(403);
      expect(rig.pressed).toEqual([]);
    },
  );

  it.each(["cross-site", "same-site", "other"])("get nothing with Sec-Fetch-Site: %s", async (site) => {
    await using rig = await entered();
    const answer = await rig.request("GET", rig.root, { ...rig.own, "Sec-Fetch-Site": site });
    expect(answer.status).toBe(403);
    expectNothing(answer);
    for (const own of ["none", "same-origin"]) {
      expect((await rig.request("GET", rig.root, { ...rig.own, "Sec-Fetch-Site": own })).status).toBe(200);
    }
  });

  it("press no button without the token of the form, or with a wrong one, or two (CSRF)", async () => {
    await using rig = await entered();
    const csrf = await rig.csrf();
    expect(csrf).toMatch(/^[\w-]{43}$/);
    const bodies = [
      "",
      "csrf=",
      "csrf=wrong",
      `csrf=${csrf}&csrf=${csrf}`,
      `CSRF=${csrf}`,
      `csrf=${csrf}A`,
      JSON.stringify({ csrf }),
    ];
    for (const name of ["refresh", "diagnose"]) {
      for (const body of bodies) {
        const [headers] = rig.form({});
        expect((await rig.request("POST", `${rig.root}${name}`, headers, body)).status, body).toBe(403);
      }
    }
    for (const type of ["application/json", "text/plain", "multipart/form-data; boundary=x"]) {
      const form = rig.form({ csrf }, { "Content-Type": type });
      expect((await rig.request("POST", `${rig.root}refresh`, ...form)).status, type).toBe(403);
    }
    expect(rig.pressed).toEqual([]);
    expect((await rig.request("POST", `${rig.root}refresh`, ...rig.form({ csrf }))).status).toBe(303);
    expect(rig.pressed).toEqual(["refresh"]);
  });

  it("press no button by looking", async () => {
    await using rig = await entered();
    for (const name of ["refresh", "diagnose"]) {
      for (const method of ["GET", "HEAD"]) {
        const answer = await rig.request(method, `${rig.root}${name}`, rig.own);
        expect([answer.status, answer.headers.get("allow")]).toEqual([405, "POST"]);
      }
    }
    expect(rig.pressed).toEqual([]);
  });

  it("neither frame the page nor keep, sniff or style it: the headers are on every answer", async () => {
    await using rig = await PageRig.open();
    const link = rig.link;
    const wrong = await rig.request("GET", "/nothing");
    const opened = await rig.request("GET", link);
    const root = (opened.headers.get("location") ?? "").split("?")[0] ?? "";
    const own = { Cookie: (opened.headers.get("set-cookie") ?? "").split(";")[0] ?? "" };
    const broken = answerOf(await rig.raw("nonsense\r\n\r\n"));
    const large = answerOf(
      await rig.raw(`GET / HTTP/1.1\r\nHost: ${rig.authority}\r\nX: ${"x".repeat(9_000)}\r\n\r\n`),
    );
    const answers = [
      wrong,
      opened,
      broken,
      large,
      await rig.request("GET", root, own),
      await rig.request("GET", `${root}bundle`, own),
      await rig.request("HEAD", root, own),
    ];
    expect(answers.map(({ status }) => status)).toEqual([404, 303, 400, 431, 200, 200, 200]);
    for (const { headers } of answers) {
      const policy = headers.get("content-security-policy") ?? "";
      expect(policy).toMatch(
        /^default-src 'none'; style-src 'sha256-[\w+/=]+'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
      );
      expect(headers.get("x-frame-options")).toBe("DENY");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("referrer-policy")).toBe("same-origin");
      expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
      expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
      expect(headers.get("access-control-allow-origin")).toBeNull();
    }
  });
});

describe.concurrent("requests that are not as a browser sends them", () => {
  it.each(["//", "/../", "/./", "/%2e%2e/", "/..%2f", "/;x", "/%00", "\\..\\", "/etc/passwd", "/.git/config"])(
    "lead nowhere: %s",
    async (trick) => {
      await using rig = await entered();
      for (const target of [trick, `${rig.root}${trick}`, `${rig.root}..${rig.root}`, `/${trick}${rig.root}`]) {
        const answer = await rig.request("GET", target, rig.own);
        expect([400, 404], target).toContain(answer.status);
        expectNothing(answer);
      }
    },
  );

  it("are refused with an absolute target, an authority or an asterisk", async () => {
    await using rig = await entered();
    for (const [method, target] of [
      ["GET", `http://${rig.authority}${rig.root}`],
      ["GET", `http://evil.example${rig.root}`],
      ["CONNECT", "evil.example:443"],
      ["OPTIONS", "*"],
    ] as const) {
      const answer = await rig.request(method, target, rig.own);
      expect([400, 405], target).toContain(answer.status);
      expectNothing(answer);
    }
  });

  it.each(["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "FOO"])(
    "are refused with the method %s",
    async (method) => {
      await using rig = await entered();
      const answer = await rig.request(method, rig.root, rig.own);
      expect(answer.status).toBe(405);
      expectNothing(answer);
    },
  );

  it("are refused in HTTP/1.0 and in anything older", async () => {
    await using rig = await entered();
    const answer = answerOf(
      await rig.raw(`GET ${rig.root} HTTP/1.0\r\nHost: ${rig.authority}\r\nCookie: ${rig.cookie}\r\n\r\n`),
    );
    expect(answer.status).toBe(505);
    expectNothing(answer);
    expect(answerOf(await rig.raw(`GET ${rig.root}\r\n\r\n`)).status).toBe(505);
  });

  it("are refused with headers or bodies that are too large, and with a body that is not wanted", async () => {
    await using rig = await entered();
    const csrf = await rig.csrf();
    const large = rig.form({ csrf, more: "x".repeat(2_000) });
    expect((await rig.request("POST", `${rig.root}refresh`, ...large)).status).toBe(413);
    expect((await rig.request("GET", rig.root, { ...rig.own, "Content-Length": "1000000000" })).status).toBe(413);
    expect((await rig.request("GET", rig.root, rig.own, "x")).status).toBe(413);
    expect((await rig.request("GET", rig.root, { ...rig.own, X: "x".repeat(9_000) })).status).toBe(431);
    // Nothing of it is waited for.
    const [announced] = rig.form({}, { "Content-Length": "1000000" });
    expect((await rig.request("POST", `${rig.root}refresh`, announced)).status).toBe(413);
    // Without a length nobody knows how much there will be.
    const [headers] = rig.form({});
    const head = Object.entries({ ...headers, Host: rig.authority, "Transfer-Encoding": "chunked" });
    const chunk = `400\r\n${"x".repeat(1_024)}\r\n`;
    const text = `POST ${rig.root}refresh HTTP/1.1\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
    expect(answerOf(await rig.raw(`${text}${chunk}${chunk}0\r\n\r\n`)).status).toBe(413);
    expect(rig.pressed).toEqual([]);
  });

  it("are judged one by one in a pipeline, and cannot pile up", async () => {
    await using rig = await entered();
    const head = (cookie: string, more = "") =>
      `GET ${rig.root} HTTP/1.1\r\nHost: ${rig.authority}\r\n${cookie}${more}\r\n`;
    const own = `Cookie: ${rig.cookie}\r\n`;
    const both = await rig.raw(head(own) + head("", "Connection: close\r\n"));
    expect(both.match(/^HTTP\/1\.1 \d+/gm)).toEqual(["HTTP/1.1 200", "HTTP/1.1 403"]);
    const many = await rig.raw(head(own).repeat(50));
    const statuses = many.match(/^HTTP\/1\.1 \d+/gm) ?? [];
    expect(statuses.length).toBeLessThanOrEqual(5);
    expect(statuses.at(-1)).toBe("HTTP/1.1 429");
  });

  it("get no part of it by Range, and nothing but the head by HEAD", async () => {
    await using rig = await entered();
    const ranged = await rig.request("GET", `${rig.root}bundle`, { ...rig.own, Range: "bytes=0-1" });
    expect([ranged.status, ranged.headers.get("content-length"), ranged.headers.get("content-range")]).toEqual([
      200,
      "4",
      null,
    ]);
    const head = await rig.request("HEAD", rig.root, rig.own);
    expect([head.status, head.text]).toEqual([200, ""]);
    expect(Number(head.headers.get("content-length"))).toBeGreaterThan(1_000);
  });

  it("cannot hold a connection by sending slowly, or by sending nothing (slowloris)", async () => {
    await using rig = await entered({ limits: { requestTimeoutMs: 600, keepAliveMs: 300 } });
    const [headers] = rig.form({});
    const head = Object.entries({ ...headers, Host: rig.authority, "Content-Length": "50" });
    const starts = [
      "",
      `GET ${rig.root} HTTP/1.1\r\nHost: ${rig.authority}\r\n`,
      `POST ${rig.root}refresh HTTP/1.1\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\ncsrf=`,
    ];
    const answers = await Promise.all(starts.map((octets) => rig.raw(octets)));
    for (const answer of answers) expect(answer === "" || answerOf(answer).status === 408).toBe(true);
    expect(rig.pressed).toEqual([]);
  });

  it("cannot shut the technician out by their number: a new connection is answered, an open one stays", async () => {
    await using rig = await entered({ limits: { connections: 8, strangers: 4, keepAliveMs: 60_000 } });
    const head = (more: string) =>
      `GET ${rig.root} HTTP/1.1\r\nHost: ${rig.authority}\r\nCookie: ${rig.cookie}\r\n${more}\r\n`;
    const open = rig.connect();
    let text = "";
    open.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    open.write(head(""));
    await until(() => text.includes("</html>"), "the first answer");
    const others = Array.from({ length: 40 }, () => rig.connect());
    for (const socket of others) socket.on("error", () => undefined);
    await Promise.all(others.map((socket) => once(socket, "connect")));
    expect((await rig.request("GET", rig.root, rig.own)).status).toBe(200);
    open.write(head("Connection: close\r\n"));
    await once(open, "close");
    expect(text.match(/^HTTP\/1\.1 200/gm)).toHaveLength(2);
    for (const socket of others) socket.destroy();
  });

  it("cannot keep an answer for ever by not reading it", async () => {
    const archive = Buffer.alloc(64 * 1024 * 1024);
    const clock = new FakeClock();
    const asked = Promise.withResolvers<void>();
    const bundle = async () => {
      asked.resolve();
      return { name: "b.tar.gz", archive };
    };
    await using rig = await entered({ bundle, clock });
    const socket = rig.connect();
    socket.on("error", () => undefined);
    socket.pause();
    socket.write(`GET ${rig.root}bundle HTTP/1.1\r\nHost: ${rig.authority}\r\nCookie: ${rig.cookie}\r\n\r\n`);
    await asked.promise;
    // Others are answered meanwhile.
    expect((await rig.request("GET", rig.root, rig.own)).status).toBe(200);
    await clock.advance(60_000);
    // Cut off: what has been sent by then is read, and it is not all.
    let octets = 0;
    socket.on("data", (chunk: Buffer) => {
      octets += chunk.length;
    });
    socket.resume();
    await once(socket, "close");
    expect(octets).toBeLessThan(archive.length);
  });
});

describe.concurrent("what others have said", () => {
  const hostile = `"><script>alert(1)</script><img src=x onerror=alert(2)>'\u202e\u0007&lt;`;

  it("stays text: the name of a bridge, a message of WeChat Pay, a file, a warning, a code", async () => {
    const status: StatusDocument = {
      ...scenarios.refusing,
      version: hostile,
      authinfo: { ...scenarios.refusing.authinfo, device_id: hostile, state: hostile },
      bridge: { bridge: hostile, path: hostile, state: hostile, problem: null },
      last_error: {
        ...scenarios.refusing.last_error,
        params: { httpStatus: 403, answerCode: hostile, answerMessage: hostile },
        since: hostile,
      },
      warnings: [{ code: hostile, since: hostile, detail: hostile }],
    };
    const healthy = viewOf("healthy");
    const history = {
      ...(healthy.look.kind === "running" && healthy.look.history ? healthy.look.history : undefined),
      attempts: [{ outcome: hostile, from: hostile, seconds: 1, count: 1 }],
      bridge_outages: [{ from: hostile, seconds: 1, ongoing: true, code: hostile }],
      states: [{ state: hostile, from: hostile, seconds: 5, code: hostile }],
    };
    await using rig = await entered({
      view: async () => ({
        ...healthy,
        look: {
          kind: "running",
          status,
          facts: statusRows(status, undefined, 0, undefined),
          setUp: undefined,
          history,
        } as never,
        refresh: { running: false, outcome: { good: false, text: { id: "plain", params: { text: hostile } } } },
      }),
    });
    const { status: code, text } = await rig.request("GET", rig.root, rig.own);
    expect(rig.failures).toEqual([]);
    expect(code).toBe(200);
    expect(text).not.toMatch(/<script|<img|onerror=alert\(2\)>/);
    for (const character of ["\u202e", "\u0007"]) expect(text).not.toContain(character);
    expect(text.split("&lt;script&gt;alert(1)").length).toBeGreaterThan(8);
    // Every tag is one of ours.
    const tags = new Set([...text.matchAll(/<\/?([a-z0-9]+)/gi)].map(([, tag]) => tag));
    const ours =
      "html head meta title style body header b span time nav a main section h1 h2 h3 p pre div form input button dl dt dd svg path details summary ul li footer";
    expect([...tags].filter((tag) => !ours.split(" ").includes(tag ?? ""))).toEqual([]);
    expect(visible(hostile)).toContain("\\u202e");
  });

  it("is nowhere in a refusal: nothing of the request is repeated", async () => {
    await using rig = await entered();
    const marker = "MARKER-7f3a";
    for (const answer of [
      await rig.request("GET", `/${marker}`, rig.own),
      await rig.request("GET", `/open/${marker}`, { "User-Agent": marker }),
      await rig.request("GET", rig.root, { ...rig.own, Host: marker }),
      await rig.request("GET", `${rig.root}?lang=${marker}`, { "Accept-Language": marker }),
      answerOf(await rig.raw(`${marker} / HTTP/1.1\r\n\r\n`)),
    ]) {
      expect(answer.text).not.toContain(marker);
    }
  });

  it("shows no defect to a browser", async () => {
    await using rig = await entered({ view: () => Promise.reject(new Error("CANARY")) });
    const answer = await rig.request("GET", rig.root, rig.own);
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain("CANARY");
    expect(rig.failures).toHaveLength(1);
  });
});
