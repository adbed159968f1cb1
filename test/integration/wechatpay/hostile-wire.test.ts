import { setTimeout as delay } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Act, pour, says, type Wording } from "../../support/fakes/raw-peer.ts";
import { besieged, expectRefused } from "../../support/fixtures/kept-terminal.ts";
import { failure, request, WechatPayRig } from "../../support/fixtures/wechatpay-rig.ts";

let rig: WechatPayRig;
beforeAll(async () => {
  rig = await WechatPayRig.create();
});
afterEach(() => rig.stop());

const MB = 1024 * 1024;
/** For answers that never end. */
const ATTEMPT_MS = 1_500;
const unsigned = { sign: "none" } as const;
const page = "<!DOCTYPE html><html><body>please log in</body></html>";
const sizeless = { "Content-Length": undefined };
const sized = {};
const chunked = { ...sizeless, "Transfer-Encoding": "chunked" };

function* repeated(chunk: Buffer, octets: number): Generator<Buffer> {
  for (let sent = 0; sent < octets; sent += chunk.length) yield chunk;
}

describe("a page in place of an answer", () => {
  it.each<[what: string, wording: Wording, code: string]>([
    ["200, text/html", { headers: { "Content-Type": "text/html" } }, "PAY_CAPTIVE_PORTAL"],
    ["200, no type", { headers: { "Content-Type": undefined } }, "PAY_CAPTIVE_PORTAL"],
    ["200, called JSON", {}, "PAY_CAPTIVE_PORTAL"],
    ["511", { status: 511 }, "PAY_CAPTIVE_PORTAL"],
    ["500, text/html", { status: 500, headers: { "Content-Type": "text/html" } }, "PAY_SERVER_ERROR"],
    ["503, no type", { status: 503, headers: { "Content-Type": undefined } }, "PAY_UNAVAILABLE"],
  ])("(%s) is told for what it is", async (_what, wording, code) => {
    await expectRefused(rig, says({ body: page, ...unsigned, ...wording }), code);
  });
});

describe("a redirect", () => {
  it.each([301, 302, 303, 307, 308])("(%i) is not followed, to another host or in a circle", async (status) => {
    const other = await rig.raw();
    for (const Location of [`${other.url}/v3/offlineface/authinfo`, "/v3/offlineface/authinfo"]) {
      const { peer } = await expectRefused(rig, says({ status, headers: { Location } }), "PAY_REDIRECTED");
      // The first authinfo, the redirect, and the renewal afterwards.
      expect(peer.requests).toBe(3);
    }
    expect(other.connections).toBe(0);
  });

  it.each([300, 304, 305])("(%i) that leads nowhere is none", async (status) => {
    await expectRefused(rig, says({ status, body: "", ...unsigned }), "PAY_STATUS_UNEXPECTED");
  });
});

describe("too much", () => {
  const spaces = Buffer.alloc(64 * 1024, 0x20);
  const inChunks = Buffer.concat([Buffer.from("10000\r\n"), spaces, Buffer.from("\r\n")]);

  it.each<[what: string, headers: Wording["headers"], piece: Buffer]>([
    ["with Content-Length", { "Content-Length": String(100 * MB) }, spaces],
    ["without", { ...sizeless, Connection: "close" }, spaces],
    ["in chunks", chunked, inChunks],
  ])("body: 100 MB (%s) are cut off in their beginning", async (_what, headers, piece) => {
    const endless: Act = async (socket, peer) => {
      socket.write(peer.parts({ headers }).head);
      await pour(socket, repeated(piece, 100 * MB));
      socket.end();
    };
    const { peer } = await expectRefused(rig, endless, "PAY_ANSWER_TOO_LARGE");
    // What was in the buffers of both sides when the terminal hung up.
    await expect.poll(() => peer.sent).toBeGreaterThan(64 * 1024);
    expect(peer.sent).toBeLessThan(8 * MB);
  });

  it.each<[what: string, lines: string[]]>([
    ["one of 20 KB", [`X-Large: ${"x".repeat(20_000)}`]],
    ["2000 small ones", Array.from({ length: 2_000 }, (_, n) => `X-${n}: x23456`)],
  ])("headers: %s", async (_what, lines) => {
    const { error } = await expectRefused(rig, says({ lines }), "PAY_ANSWER_TOO_LARGE");
    expect(error.code).toBe("PAY_ANSWER_TOO_LARGE");
  });

  it("trailers without end", async () => {
    const trailing: Act = async (socket, peer) => {
      const { head, body } = peer.parts({ headers: chunked, body: { authinfo: "x" } });
      socket.write(
        Buffer.concat([head, Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from("\r\n0\r\n")]),
      );
      await pour(socket, repeated(Buffer.from(`X-Trailer: ${"x".repeat(1000)}\r\n`), 4 * MB));
    };
    await expectRefused(rig, trailing, "PAY_ANSWER_TOO_LARGE");
  });
});

describe("an answer that is compressed, though nobody asked for it", () => {
  const bomb = Buffer.alloc(20 * MB, 0x20);
  const encodings: [encoding: string, body: Buffer][] = [
    ["gzip", gzipSync(bomb)],
    ["deflate", deflateSync(bomb)],
    ["br", brotliCompressSync(bomb)],
    ["gzip, gzip", gzipSync(gzipSync(bomb))],
    ["x-nobody-knows", Buffer.from('{"authinfo":"abc"}')],
  ];
  // Signed as it comes, so that nothing but the encoding is wrong with it.
  it.each(encodings)("(%s) is not unpacked", async (encoding, body) => {
    await expectRefused(rig, says({ body, headers: { "Content-Encoding": encoding } }), "PAY_ANSWER_ENCODED");
  });
});

describe("an answer that is not whole", () => {
  const cutOff =
    (headers: Wording["headers"], from: number, to: number): Act =>
    (socket, peer) => {
      const { head, body } = peer.parts({ headers, body: { authinfo: "x".repeat(100) } });
      const size = headers === sized ? "" : `${body.length.toString(16)}\r\n`;
      socket.end(Buffer.concat([head, Buffer.from(size), body]).subarray(from, to));
    };

  it.each<[what: string, act: Act, code: string]>([
    ["before the headers", (socket) => void socket.end(), "PAY_CONNECTION_LOST"],
    ["within the status line", cutOff(sized, 0, 10), "PAY_CONNECTION_LOST"],
    ["within the headers", cutOff(sized, 0, 100), "PAY_CONNECTION_LOST"],
    ["after the headers", says({ headers: { Connection: "close" } }), "PAY_CONNECTION_LOST"],
    ["within Content-Length", cutOff(sized, 0, -20), "PAY_CONNECTION_LOST"],
    ["within a chunk, as announced", cutOff({ ...chunked, Connection: "close" }, 0, -20), "PAY_CONNECTION_LOST"],
    ["within a chunk", cutOff(chunked, 0, -20), "PAY_CONNECTION_LOST"],
    ["before the last chunk", cutOff(chunked, 0, 1e6), "PAY_CONNECTION_LOST"],
  ])("because the connection ends %s", async (what, act, code) => {
    const afterHeaders: Act = (socket, peer) => void socket.end(peer.parts({ body: "x".repeat(100) }).head);
    await expectRefused(rig, what === "after the headers" ? afterHeaders : act, code);
  });

  /** Writes octet by octet, and far too slowly. */
  const dripping = async (socket: TLSSocket, octets: Buffer) => {
    for (const octet of octets) {
      if (socket.destroyed) return;
      socket.write(Buffer.of(octet));
      await delay(50);
    }
  };
  const pouring = async (socket: TLSSocket, piece: Buffer) => {
    while (!socket.destroyed) {
      await pour(socket, repeated(piece, 64 * 1024));
      await delay(5);
    }
  };
  const endless: [what: string, act: Act][] = [
    ["nothing", () => {}],
    ["headers by drops", (socket, peer) => dripping(socket, peer.good())],
    [
      "a body by drops",
      (socket, peer) => {
        const { head, body } = peer.parts({ body: "x".repeat(1000) });
        socket.write(head);
        return dripping(socket, body);
      },
    ],
    ["100 without an answer", (socket) => void socket.write("HTTP/1.1 100 Continue\r\n\r\n")],
    ["103 without end", (socket) => pouring(socket, Buffer.from("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"))],
    [
      "a status line without end",
      (socket) => {
        socket.write("HTTP/1.1 200 ");
        return pouring(socket, Buffer.alloc(16_384, 0x78));
      },
    ],
  ];

  it("because its time is up: nothing, headers or body by drops, 103 or a status line without end", async () => {
    const startedAt = performance.now();
    const ends = endless.map(([what, act]) =>
      expectRefused(rig, act, "PAY_TIMEOUT", ATTEMPT_MS).catch((error: unknown) => {
        throw new Error(what, { cause: error });
      }),
    );
    await Promise.all(ends);
    expect(performance.now() - startedAt).toBeLessThan(ATTEMPT_MS + 4_000);
  });
});

describe("octets that are not HTTP", () => {
  it.each<[what: string, octets: string]>([
    ["of another protocol", "SSH-2.0-OpenSSH_9.2\r\n"],
    ["a page without a status", page],
    ["a chunk of no size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
    ["a length below nothing", "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}"],
    ["a header without a name", "HTTP/1.1 200 OK\r\n: x\r\n\r\n"],
    ["a header with NUL", "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n"],
  ])("(%s) are told as that", async (_what, octets) => {
    await expectRefused(rig, (socket) => void socket.write(octets), "PAY_ANSWER_NOT_HTTP");
  });

  it.each([
    ["two lengths", "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"],
    ["a length and chunks", "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"],
  ])("of an unclear length (%s) are not taken for an answer", async (_what, octets) => {
    const act: Act = (socket) => void socket.write(`HTTP/1.1 200 OK\r\n${octets}`);
    await expectRefused(rig, act, "PAY_CONNECTION_LOST");
  });

  it("101, which nobody has asked for, ends the connection", async () => {
    const act: Act = (socket) => void socket.write("HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
    await expectRefused(rig, act, "PAY_CONNECTION_LOST");
  });
});

describe("interim answers that nobody has asked for", () => {
  it.each([
    ["100", "HTTP/1.1 100 Continue\r\n\r\n"],
    ["100 with headers, twice", "HTTP/1.1 100 C\r\nVia: 1.1 x\r\nDate: x\r\n\r\n".repeat(2)],
    ["102, 100 and 103", [102, 100, 103].map((status) => `HTTP/1.1 ${status} X\r\n\r\n`).join("")],
  ])("%s: the answer behind them is taken, at once and over a kept connection", async (_what, interim) => {
    const { peer, terminal } = await besieged(rig, (socket, from) => {
      socket.write(Buffer.concat([Buffer.from(interim), from.good()]));
    });
    await using held = terminal;
    const { connections } = peer;
    for (const generation of [2, 3]) {
      expect((await held.renew()).credential).toMatchObject({ authinfo: peer.authinfo, generation });
    }
    expect(peer.connections).toBeLessThanOrEqual(connections + 1);
  });

  it("and one in pieces, long before the answer", async () => {
    const { peer, terminal } = await besieged(rig, async (socket, from) => {
      for (const octet of "HTTP/1.1 100 Continue\r\n\r\n") {
        socket.write(octet);
        await delay(1);
      }
      socket.write(from.good());
    });
    await using held = terminal;
    expect((await held.renew()).credential).toMatchObject({ authinfo: peer.authinfo, generation: 2 });
  });
});

describe("white space around the values of an answer's headers", () => {
  /** The same answer with `space` on both sides of every value. */
  const loosened = (answer: Buffer, space: string) => {
    const [head = "", ...rest] = answer.toString("latin1").split("\r\n\r\n");
    // llhttp, which Node itself reads HTTP with, takes blanks alone around Content-Length.
    const around = (name: string) => (name === "Content-Length" ? space.replaceAll("\t", " ") : space);
    const loose = (_line: string, name: string, value: string) => `${name}:${around(name)}${value}${around(name)}`;
    const lines = head.split("\r\n").map((line) => line.replace(/^([\w-]+): (.*)$/, loose));
    return Buffer.from([lines.join("\r\n"), ...rest].join("\r\n\r\n"), "latin1");
  };
  const anyCase = { "Content-Encoding": "Identity" };

  it.each([" ", "\t", " \t  "])("(%j) is no part of them", async (space) => {
    const { peer, terminal } = await besieged(rig, (socket, from) => {
      socket.write(loosened(from.good({ headers: anyCase }), space));
    });
    await using held = terminal;
    expect((await held.renew()).credential).toMatchObject({ authinfo: peer.authinfo, generation: 2 });
  });

  it("is none of a body in chunks either", async () => {
    const { peer, terminal } = await besieged(rig, (socket, from) => {
      const text = from.good({ headers: chunked }).toString("latin1");
      const at = text.indexOf("\r\n\r\n") + 4;
      const body = `${(text.length - at).toString(16)}\r\n${text.slice(at)}\r\n0\r\n\r\n`;
      socket.write(loosened(Buffer.from(text.slice(0, at) + body, "latin1"), " "));
    });
    await using held = terminal;
    expect((await held.renew()).credential).toMatchObject({ authinfo: peer.authinfo, generation: 2 });
  });

  it("is none of those that steer the next refresh, nor of Date", async () => {
    const peer = await rig.raw();
    const client = rig.client([peer.url], { mode: "gateway" });
    peer.act = (socket, from) => {
      socket.write(loosened(from.good({ headers: { "Facepay-Refresh-Seconds": "900" } }), " "));
    };
    expect(await request(client)).toMatchObject({ refreshAfterS: 900 });
    expect(Math.abs(client.status().skewMs ?? Number.NaN)).toBeLessThan(60_000);
    peer.act = (socket, from) => {
      socket.write(loosened(from.answer({ status: 429, headers: { "Retry-After": "30" }, ...unsigned }), " "));
    };
    expect(await failure(request(client))).toMatchObject({ httpStatus: 429, context: { retryAfterS: 30 } });
  });
});

describe("an answer in odd pieces", () => {
  it("is whole all the same", async () => {
    const { peer, terminal } = await besieged(rig, async (socket, from) => {
      const octets = from.good();
      for (let at = 0; at < octets.length; at += 7) {
        socket.write(octets.subarray(at, at + 7));
        if (at % 210 === 0) await delay(1);
      }
    });
    await using held = terminal;
    expect((await held.renew()).credential).toMatchObject({ authinfo: peer.authinfo, generation: 2 });
  });
});

describe("an answer too many", () => {
  it.each<[what: string, act: Act]>([
    ["in the same breath", (socket, peer) => void socket.write(Buffer.concat([peer.good(), peer.good()]))],
    [
      "a moment later",
      async (socket, peer) => {
        socket.write(peer.good());
        await delay(30);
        socket.write(peer.good());
      },
    ],
  ])("%s is not taken for the next one's", async (_what, act) => {
    const { peer, terminal } = await besieged(rig, act);
    await using held = terminal;
    await held.renew();
    const { authinfo: surplus, connections } = peer;
    await delay(60);
    peer.act = says();
    const { credential } = await held.renew();
    expect(credential?.authinfo).toBe(peer.authinfo);
    expect(credential?.authinfo).not.toBe(surplus);
    expect(peer.connections).toBe(connections + 1);
  });
});
