import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../agent/common/clock.ts";
import { type Act, says, type Wording } from "../../support/fakes/raw-peer.ts";
import { besieged, expectRefused } from "../../support/fixtures/kept-terminal.ts";
import { WechatPayRig } from "../../support/fixtures/wechatpay-rig.ts";

let rig: WechatPayRig;
beforeAll(async () => {
  rig = await WechatPayRig.create();
});
afterEach(() => rig.stop());

const nowS = () => Math.floor(systemClock().wall() / 1000);
const unsigned = { sign: "none" } as const;
/** Signed by WeChat Pay as it stands. */
const body = (text: string | Buffer | object): Wording => ({ body: text });
const NAMES = ["Timestamp", "Nonce", "Signature", "Serial"].map((name) => `Wechatpay-${name}`);

describe("a signature", () => {
  it.each<[what: string, wording: Wording, code: string]>([
    ["probe", { sign: "probe" }, "PAY_SIGNATURE_PROBE"],
    ["of an unknown serial", { sign: "unknown-serial" }, "PAY_SIGNATURE_SERIAL"],
    ["of other words", { sign: "bad" }, "PAY_SIGNATURE_INVALID"],
    ["that is not base64", { headers: { "Wechatpay-Signature": "not*base64=" } }, "PAY_SIGNATURE_MALFORMED"],
    ["of an hour that is no number", { headers: { "Wechatpay-Timestamp": "0x6A1C2B3D" } }, "PAY_SIGNATURE_MALFORMED"],
    ["of 310 s ahead", { signedAtS: 310, headers: { Date: undefined } }, "PAY_SIGNATURE_EXPIRED"],
    ["of 310 s ahead, and a Date of the same", { signedAtS: 310 }, "CLOCK_WRONG"],
    ["of 310 s ago", { signedAtS: -310 }, "PAY_SIGNATURE_REPLAYED"],
    ["of 10 s ago", { signedAtS: -10 }, "PAY_SIGNATURE_REPLAYED"],
    ["of other words, 310 s ago", { signedAtS: -310, sign: "bad" }, "PAY_SIGNATURE_EXPIRED"],
    ["that is not there", unsigned, "PAY_UNSIGNED"],
  ])("%s is refused", async (_what, { signedAtS, ...wording }, code) => {
    const act: Act = (socket, peer) =>
      void socket.write(
        peer.good({ ...wording, ...(signedAtS === undefined ? {} : { signedAtS: nowS() + signedAtS }) }),
      );
    await expectRefused(rig, act, code);
  });

  it.each(NAMES)("without %s is none, and says what is missing", async (name) => {
    const { error } = await expectRefused(rig, says({ headers: { [name]: undefined } }), "PAY_UNSIGNED");
    expect(error.message).toContain(name.toLowerCase());
  });

  it.each(NAMES)("with two of %s is not guessed at", async (name) => {
    const twice: Act = (socket, peer) => {
      const text = peer.good().toString("latin1");
      const [line = ""] = new RegExp(`${name}: .*\r\n`).exec(text) ?? [];
      socket.write(Buffer.from(text.replace(line, line + line), "latin1"));
    };
    await expectRefused(rig, twice, "PAY_SIGNATURE_MALFORMED");
  });
});

describe("an answer once more", () => {
  it("is refused when a newer one has been verified, however old it is", async () => {
    let first: Buffer | undefined;
    const { peer, terminal } = await besieged(rig, (socket, from) => {
      first = from.good({ signedAtS: nowS() - 200 });
      socket.write(from.good());
    });
    await using held = terminal;
    const { authinfo } = (await held.renew()).credential ?? {};
    peer.act = (socket) => void socket.write(first ?? "");
    expect((await held.refused()).code).toBe("PAY_SIGNATURE_REPLAYED");
    expect(held.view()).toMatchObject({ state: "due", credential: { authinfo, generation: 2 } });
  });

  it("of the authinfo that is held is the same authinfo: same generation, same expiry, nothing written", async () => {
    const same = "the-same-authinfo";
    const { peer, terminal } = await besieged(rig, says({ body: { authinfo: same } }));
    await using held = terminal;
    const { credential } = await held.renew();
    expect(credential?.authinfo).toBe(same);
    const requests = peer.requests;
    const again = await held.renew();
    expect(peer.requests).toBe(requests + 1);
    expect(again).toMatchObject({ state: "fresh", persisted: true });
    expect(again.credential).toEqual(credential);
  });

  // What no signature tells (specification 4): for whom an answer was. The SDK's refusal heals it.
  it("or another's, of these seconds, cannot be known from a good one", async () => {
    const anothers = "of-another-terminal";
    const { peer, terminal } = await besieged(rig, says({ body: { authinfo: anothers } }));
    await using held = terminal;
    expect((await held.renew()).credential).toMatchObject({ authinfo: anothers, generation: 2 });
    peer.act = says({ body: { authinfo: "one-of-3-s-ago" }, signedAtS: nowS() - 3 });
    expect((await held.renew()).credential?.generation).toBe(3);
  });
});

describe("a signed body", () => {
  const withLifetime = (text: string) => body(`{"authinfo":"abc","expires_in":${text}}`);
  it.each<[what: string, wording: Wording, code: string]>([
    ["of another charset", { headers: { "Content-Type": "application/json; charset=GBK" } }, "PAY_ANSWER_CHARSET"],
    [
      "of octets that are no UTF-8",
      body(Buffer.from('{"authinfo":"abc","x":"\xc4\xe3"}', "latin1")),
      "PAY_ANSWER_CHARSET",
    ],
    ["that is text", body("authinfo"), "PAY_ANSWER_NOT_JSON"],
    ["that is a list", body('["authinfo"]'), "PAY_ANSWER_NOT_JSON"],
    ["that is cut off", body('{"authinfo":"abc"'), "PAY_ANSWER_NOT_JSON"],
    ["of 30 000 levels that never end", body("[".repeat(30_000)), "PAY_ANSWER_NOT_JSON"],
    ["of nothing (200)", body(""), "PAY_ANSWER_NOT_JSON"],
    ["of nothing (204)", { status: 204, body: "", headers: { "Content-Length": undefined } }, "PAY_ANSWER_NOT_JSON"],
    ["of nothing (206)", { status: 206, body: "" }, "PAY_ANSWER_NOT_JSON"],
    ["without authinfo", body("{}"), "PAY_AUTHINFO_MISSING"],
    ["with authinfo in its prototype", body('{"__proto__":{"authinfo":"abc"}}'), "PAY_AUTHINFO_MISSING"],
    [
      "with authinfo in its constructor",
      body('{"constructor":{"prototype":{"authinfo":"abc"}}}'),
      "PAY_AUTHINFO_MISSING",
    ],
    ["with authinfo null", body('{"authinfo":null}'), "PAY_AUTHINFO_INVALID"],
    ["with authinfo 1", body('{"authinfo":1}'), "PAY_AUTHINFO_INVALID"],
    ["with authinfo [..]", body('{"authinfo":["abc"]}'), "PAY_AUTHINFO_INVALID"],
    ["with authinfo {..}", body('{"authinfo":{"length":3}}'), "PAY_AUTHINFO_INVALID"],
    ["with an authinfo of 0 characters", body('{"authinfo":""}'), "PAY_AUTHINFO_INVALID"],
    ["with an authinfo of 16 385 characters", body({ authinfo: "x".repeat(16_385) }), "PAY_AUTHINFO_INVALID"],
    ["with an authinfo of 1 000 000 characters", body({ authinfo: "x".repeat(1e6) }), "PAY_ANSWER_TOO_LARGE"],
    ["with a line feed in authinfo", body('{"authinfo":"abc\\n"}'), "PAY_AUTHINFO_INVALID"],
    ["with ESC in authinfo", body('{"authinfo":"a\\u001bbc"}'), "PAY_AUTHINFO_INVALID"],
    ["with NUL in authinfo", body('{"authinfo":"a\\u0000bc"}'), "PAY_AUTHINFO_INVALID"],
    ["with a space in authinfo", body('{"authinfo":"a bc"}'), "PAY_AUTHINFO_INVALID"],
    ...["-1", "0", "59", '"x"', "null", "60.5", "true", "{}", "1e999"].map(
      (text) => [`with expires_in ${text}`, withLifetime(text), "PAY_EXPIRES_IN_INVALID"] as [string, Wording, string],
    ),
  ])("%s is refused", async (_what, wording, code) => {
    const { error } = await expectRefused(rig, says(wording), code);
    expect(`${error.message} ${JSON.stringify(error.context)} ${String(error.cause)}`).not.toContain("abc");
    expect(Object.hasOwn(Object.prototype, "authinfo")).toBe(false);
  });

  it.each<[what: string, text: string, lifetimeMs: number, expirySource: string]>([
    ["expires_in 1e9: a day", '"expires_in":1e9', 86_400_000, "response"],
    ["no expires_in: the configured life", '"x":0', 3_600_000, "assumed"],
    ["60, the least", '"expires_in":60', 60_000, "response"],
    ["30 000 levels of what nobody reads", `"x":${"[".repeat(30_000)}${"]".repeat(30_000)}`, 3_600_000, "assumed"],
    ["the same key twice: the last one", '"expires_in":-1,"expires_in":120', 120_000, "response"],
    ["a key that is a prototype", '"__proto__":{"expires_in":-1}', 3_600_000, "assumed"],
  ])("may hold %s", async (_what, text, lifetimeMs, expirySource) => {
    const { terminal } = await besieged(rig, says(body(`{"authinfo":"abcd",${text}}`)));
    await using held = terminal;
    expect((await held.renew()).credential).toMatchObject({ authinfo: "abcd", lifetimeMs, expirySource });
  });
});

describe("a refusal without headers or body", () => {
  it.each<[status: number, code: string]>([
    [400, "PAY_BAD_REQUEST"],
    [401, "PAY_UNAUTHORIZED"],
    [403, "PAY_FORBIDDEN"],
    [404, "PAY_NOT_FOUND"],
    [405, "PAY_CLIENT_ERROR"],
    [407, "PAY_PROXY_AUTH"],
    [429, "PAY_RATE_LIMITED"],
    [500, "PAY_SERVER_ERROR"],
    [503, "PAY_UNAVAILABLE"],
    [304, "PAY_STATUS_UNEXPECTED"],
    [200, "PAY_UNSIGNED"],
    [204, "PAY_UNSIGNED"],
    [206, "PAY_UNSIGNED"],
  ])("(%i) is told by its status", async (status, code) => {
    await expectRefused(rig, (socket) => void socket.end(`HTTP/1.1 ${status} \r\n\r\n`), code);
  });
});
