import { describe, expect, it } from "vitest";
import { SecretSearch } from "../../../agent/common/log/redact.ts";
import { sanitizeUntrusted } from "../../../agent/common/log/sanitize-untrusted.ts";
import { type Chance, seeded } from "../../support/faults/seeded.ts";

function randomBytes(chance: Chance, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => chance.below(256)));
}

const each = (piece: string, form: (code: number) => string) =>
  [...piece].map((char) => form(char.charCodeAt(0))).join("");
const hex = (code: number) => code.toString(16).padStart(2, "0");

/** The forms of specification 9. */
const forms: Readonly<Record<string, (piece: string) => string>> = {
  plain: (piece) => piece,
  "as in a URL": (piece) => encodeURIComponent(piece),
  "in a URL, each character": (piece) => each(piece, (code) => `%${hex(code)}`),
  "in JSON": (piece) => JSON.stringify(piece).slice(1, -1),
  "in JSON, each character": (piece) => each(piece, (code) => `\\u00${hex(code)}`),
  "in base64": (piece) => Buffer.from(`${piece}-`).toString("base64"),
  "in base64url, after a word": (piece) => Buffer.from(`id ${piece}`).toString("base64url"),
  "in base64 in a URL": (piece) => encodeURIComponent(Buffer.from(`~${piece}`).toString("base64")),
  "in hexadecimal": (piece) => Buffer.from(piece).toString("hex"),
  "in hexadecimal, in capitals, after a digit": (piece) => `0${Buffer.from(piece).toString("hex").toUpperCase()}`,
};

const kinds: Readonly<Record<string, (chance: Chance) => string>> = {
  raw_data: (chance) => randomBytes(chance, 90 + 3 * chance.below(700)).toString("base64"),
  "a token": (chance) => randomBytes(chance, 24).toString("base64url"),
  "a token in hexadecimal": (chance) => randomBytes(chance, 32).toString("hex"),
  "a password": (chance) => each("x".repeat(24), () => String.fromCharCode(33 + chance.below(94))),
};

describe("a piece of a secret", () => {
  it.each(Object.keys(forms))("is found and removed %s", (name) => {
    const chance = seeded(name.length * 7919);
    for (const kind of Object.values(kinds)) {
      for (let round = 0; round < 12; round++) {
        const secret = kind(chance);
        const from = chance.below(secret.length - 8);
        const piece = secret.slice(from, from + 8 + chance.below(22));
        const text = `参数错误：${forms[name]?.(piece)}，请重试`;
        const search = new SecretSearch(["hunter2", secret]);
        expect(search.find(text), `${piece} as ${text}`).toBe(1);
        expect(search.redact(text), `${piece} as ${text}`).toMatch(/^参数错误：[0=]?…(=|%3D)*，请重试$/);
      }
    }
  });

  it("is found in a secret of octets, as they come", () => {
    const octets = randomBytes(seeded(5), 32);
    const search = new SecretSearch([octets]);
    for (let from = 0; from + 8 <= octets.length; from++) {
      const piece = octets.subarray(from, from + 8);
      for (const form of ["hex", "base64", "base64url", "latin1"] as const) {
        expect(search.find(`a ${piece.toString(form)} b`), form).toBe(0);
      }
    }
  });

  it("is found in a code or a Request-ID", () => {
    const secret = "x8Kq2Zv9LmT4wRb7";
    const search = new SecretSearch([secret]);
    expect(search.find(`08D799FE${Buffer.from(secret.slice(3, 11)).toString("hex").toUpperCase()}-270924360`)).toBe(0);
  });

  it("is found in text of other characters", () => {
    const search = new SecretSearch(["我的密码是一二三四五"]);
    expect(search.redact("（我的密码是一二三四五）")).toBe("（…）");
    expect(search.find(Buffer.from("密码是一二").toString("base64"))).toBe(0);
  });

  it("leaves what is around it, and several of one secret go as one", () => {
    const search = new SecretSearch(["x8Kq2Zv9LmT4wRb7"]);
    expect(search.redact("id=ax8Kq2Zv9b, 设备")).toBe("id=a…b, 设备");
    expect(search.redact('{"a":"1\\n\\u0078\\u0038Kq2Zv9\\n2"}', "[dropped]")).toBe('{"a":"1\\n[dropped]\\n2"}');
    expect(search.redact("x8Kq2Zv9 and 2Zv9LmT4")).toBe("… and …");
    expect(search.redact("first x8Kq2Zv then LmT4wRb.")).toBe("first x8Kq2Zv then LmT4wRb.");
  });
});

describe("what is no piece of a secret", () => {
  // What WeChat Pay's documentation shows, and what was observed.
  const messages = [
    "Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》",
    "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟",
    "Http头缺少Accept或User-Agent",
    "签名信息错误，验签失败",
    "商户证书序列号有误",
    "http header中的mchid与post payload中的mchid不匹配",
    "平台证书序列号Wechatpay-Serial错误",
    "sub_mch_id与sub_appid不匹配",
    "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥。",
    "Currency code is invalid",
    "the bearer token is missing or wrong",
    "terminal LTA0P18937F13053200001 of merchant 1900000109 is not known to this gateway",
  ];
  const others = [
    "08D799FEFC0510DA071885CBEEA30620F26028FBBA04-270924360",
    "APPID_MCHID_NOT_MATCH",
    "FREQUENCY_LIMIT_EXCEED",
    "6f1e4c0a-9d0b-4b43-a1f4-2f8f1f9f7c11",
  ];

  it("stays as it is, whatever the secrets are", () => {
    const chance = seeded(11);
    for (let round = 0; round < 40; round++) {
      const secret = Object.values(kinds).map((kind) => kind(chance));
      for (const text of [...messages, ...others]) {
        expect(new SecretSearch(secret).redact(text)).toBe(text);
      }
    }
    for (const text of messages) expect(sanitizeUntrusted(text, 200)).toBe(text);
  });

  it("stays when a secret has only a few characters, except where it stands by itself", () => {
    const search = new SecretSearch(["de", "", "a1", "1234"]);
    expect(search.redact("device code 0012345, mode")).toBe("device code 0012345, mode");
    expect(search.redact("token de, a1: 1234")).toBe("token …, …: …");
  });

  it("is the terminal's own number, though the token contains it", () => {
    const token = "term-LTA0P18937F13053200001-9fK2mQx7";
    const search = new SecretSearch([token], ["LTA0P18937F13053200001", "1900000109"]);
    const text = "no LTA0P18937F13053200001 of 1900000109 here";
    expect(search.redact(text)).toBe(text);
    expect(search.redact("no -9fK2mQx7 here")).toBe("no … here");
    expect(new SecretSearch([token]).redact(text)).toBe("no … of 1900000109 here");
  });
});
