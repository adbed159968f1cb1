import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { systemRandom } from "../../../agent/common/random.ts";
import { failureInEnglish } from "../../../agent/messages/failure-text.ts";
import { failure, request, WechatPayRig } from "../../support/fixtures/wechatpay-rig.ts";

let rig: WechatPayRig;
beforeAll(async () => {
  rig = await WechatPayRig.create();
});
afterEach(() => rig.stop());

const TOKEN = "term-7Qm2xZk9Wv4RbT8n";

async function terminal() {
  const server = await rig.gateway({ bearerToken: TOKEN });
  const client = rig.client([server.url], { mode: "gateway", secrets: { bearerToken: TOKEN } });
  const id = () => client.status().baseUrls[0]?.lastRequestId;
  return { server, client, id };
}

const hex = (text: string) => Buffer.from(text).toString("hex").toUpperCase();

describe("a gateway that repeats what it was given", () => {
  const ways: readonly (readonly [string, (piece: string) => string])[] = [
    ["in short pieces", (piece) => `${piece.slice(0, 8)} 和 ${piece.slice(6, 14)}`],
    ["escaped", (piece) => piece.replace(/./g, (char) => `%${hex(char)}`)],
    ["in base64url", (piece) => Buffer.from(piece).toString("base64url").slice(0, 22)],
    ["in hexadecimal", (piece) => hex(piece).slice(0, 22)],
  ];
  it.each(ways)("gets nothing of it told %s", async (_, mangle) => {
    const { server, client } = await terminal();
    const rawData = systemRandom.bytes(300).toString("base64").replaceAll(/\W/g, "A");
    for (const secret of [rawData.slice(60, 80), TOKEN.slice(5)]) {
      const message = `参数错误：${mangle(secret)}，请重试`;
      server.faults.next({ status: 400, body: JSON.stringify({ code: "PARAM_ERROR", message }) });
      const error = await failure(request(client, { rawData }));
      expect(error.params.answerMessage).toMatch(/^参数错误：…( 和 …)?，请重试$/);
      expect(failureInEnglish(error)).toBe(`HTTP 400 PARAM_ERROR: ${String(error.params.answerMessage)}`);
    }
  });

  it("gets nothing of it into the code nor the Request-ID of a refusal", async () => {
    const { server, client, id } = await terminal();
    const rawData = systemRandom.bytes(300).toString("base64");
    for (const piece of [rawData.slice(40, 50), TOKEN.slice(5, 15)]) {
      const body = JSON.stringify({ code: `A${hex(piece)}`, message: "x" });
      server.faults.next({ status: 400, body, headers: { "Request-ID": `08D7${hex(piece)}-0` } });
      const { context } = await failure(request(client, { rawData }));
      expect([context.answerCode, context.requestId, id()]).toEqual([undefined, undefined, undefined]);
    }
  });

  it("gets nothing of it into the Request-ID of a success, but a true one is shown", async () => {
    const { server, client, id } = await terminal();
    const rawData = systemRandom.bytes(300).toString("base64").replaceAll(/\W/g, "A");
    for (const bad of [rawData.slice(20, 30), hex(TOKEN.slice(5)), "a b", "x".repeat(97), "08D7/1"]) {
      server.faults.next({ headers: { "Request-ID": bad } });
      await request(client, { rawData: systemRandom.bytes(300).toString("base64") }).catch(() => undefined);
      server.faults.next({ headers: { "Request-ID": bad } });
      await request(client, { rawData }).catch(() => undefined);
      expect(id()).toBeUndefined();
    }
    const good = "08D799FEFC0510DA071885CBEEA30620F26028FBBA04-0";
    server.faults.next({ headers: { "Request-ID": good } });
    await request(client);
    expect(id()).toBe(good);
  });

  it("gets nothing told of the request before, of the authinfo it gave, nor of the one that is held", async () => {
    const { server, client, id } = await terminal();
    const rawData = systemRandom.bytes(300).toString("base64").replaceAll(/\W/g, "A");
    const held = systemRandom.bytes(300).toString("base64").replaceAll(/\W/g, "A");
    const { authinfo } = await request(client, { rawData });
    for (const secret of [rawData, authinfo, held]) {
      const message = `系统繁忙：${secret.slice(30, 42)}，请重试`;
      server.faults.next({
        status: 503,
        body: JSON.stringify({ message }),
        headers: { "Request-ID": hex(secret.slice(9, 18)) },
      });
      const error = await failure(request(client, { held }));
      expect(error.params.answerMessage).toBe("系统繁忙：…，请重试");
      expect(id()).toBeUndefined();
    }
  });

  it("gets nothing of it told later either, when other requests have gone another way", async () => {
    const backup = await rig.gateway({ bearerToken: TOKEN });
    const primary = await rig.gateway({ bearerToken: TOKEN });
    const urls = [primary.url, backup.url];
    const client = rig.client(urls, { mode: "gateway", secrets: { bearerToken: TOKEN } });
    const rawData = systemRandom.bytes(300).toString("base64");
    primary.faults.next({ status: 503 });
    backup.faults.next({ headers: { "Request-ID": hex(rawData.slice(40, 50)) } });
    await request(client, { rawData });
    for (let more = 0; more < 3; more++) await request(client);
    const [, last] = client.status().baseUrls;
    expect([last?.lastOutcome, last?.lastRequestId]).toEqual(["ok", undefined]);
  });

  it("gets nothing told of the authinfo that is held, however many attempts have failed", async () => {
    const { server, client } = await terminal();
    const held = systemRandom.bytes(300).toString("base64").replaceAll(/\W/g, "A");
    const message = `系统繁忙：${held.slice(30, 42)}，请重试`;
    for (let attempt = 0; attempt < 9; attempt++) {
      server.faults.next({ status: 500, body: JSON.stringify({ message }) });
      const rawData = systemRandom.bytes(300).toString("base64");
      const error = await failure(request(client, { held, rawData }));
      expect(error.params.answerMessage).toBe("系统繁忙：…，请重试");
    }
  });

  it("may name the terminal, though the token does so too", async () => {
    const token = "term-1900000109-LTA0P18937F130532000001-7Qm2xZk9";
    const server = await rig.gateway({ bearerToken: token });
    const client = rig.client([server.url], { mode: "gateway", secrets: { bearerToken: token } });
    const message = "no terminal LTA0P18937F130532000001 of 1900000109";
    server.faults.next({ status: 403, body: JSON.stringify({ code: "NO_AUTH", message }) });
    expect((await failure(request(client))).params.answerMessage).toBe(message);
  });
});
