import { describe, expect, it } from "vitest";
import { redactSecrets, tells } from "../../../agent/common/log/redact.ts";
import { sanitizeUntrusted } from "../../../agent/common/log/sanitize-untrusted.ts";
import { type Chance, seeded } from "../../support/faults/seeded.ts";

function randomBytes(chance: Chance, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => chance.below(256)));
}

function base32(bytes: Buffer): string {
  const bits = [...bytes].map((octet) => octet.toString(2).padStart(8, "0")).join("");
  const symbol = (group: string) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[Number.parseInt(group.padEnd(5, "0"), 2)];
  return (bits.match(/.{1,5}/g) ?? []).map(symbol).join("");
}

const each = (piece: string, form: (code: number) => string) =>
  [...piece].map((char) => form(char.charCodeAt(0))).join("");
const hex = (code: number) => code.toString(16).padStart(2, "0");

/** What a sloppy or a hostile server may make of a piece. */
const manglings: Readonly<Record<string, (piece: string) => string>> = {
  plain: (piece) => piece,
  "in capitals": (piece) => piece.toUpperCase(),
  "in small letters": (piece) => piece.toLowerCase(),
  "spaced out": (piece) => [...piece].join(" "),
  "in lines": (piece) => piece.replace(/.{3}/g, "$&\n"),
  "between dots": (piece) => piece.replace(/../g, "$&."),
  "in Chinese words": (piece) => piece.replace(/../g, "$&的"),
  "with invisible characters": (piece) => [...piece].join("\u200b"),
  "in full width": (piece) => each(piece, (code) => String.fromCharCode(code + 0xfee0)),
  "per cent": (piece) => each(piece, (code) => `%${hex(code)}`),
  "per cent twice": (piece) => each(piece, (code) => `%25${hex(code).toUpperCase()}`),
  "as in a URL": (piece) => encodeURIComponent(piece),
  "as in JSON": (piece) => each(piece, (code) => `\\u00${hex(code)}`),
  "as in HTML": (piece) => each(piece, (code) => `&#x${hex(code)};`),
  "as in HTML, in decimals": (piece) => each(piece, (code) => `&#${code};`),
  "as in C": (piece) => each(piece, (code) => `\\x${hex(code)}`),
  "as in C, in octal": (piece) => each(piece, (code) => `\\${code.toString(8).padStart(3, "0")}`),
  "as in mail": (piece) => each(piece, (code) => `=${hex(code).toUpperCase()}`),
  "in base64": (piece) => Buffer.from(`${piece}-`).toString("base64"),
  "in base64url, after a word": (piece) => Buffer.from(`id ${piece}`).toString("base64url"),
  "in base64, cut up": (piece) => Buffer.from(piece).toString("base64").replace(/.{4}/g, "$& "),
  "in base32": (piece) => base32(Buffer.from(piece)),
  "in hexadecimal": (piece) => Buffer.from(piece).toString("hex"),
  "as a dump": (piece) => each(piece, (code) => `${hex(code)} `).trim(),
  "as octets of C": (piece) => each(piece, (code) => `0x${hex(code)}, `).replace(/, $/, ""),
  "in numbers": (piece) => each(piece, (code) => `${code} `).trim(),
};

const kinds: Readonly<Record<string, (chance: Chance) => string>> = {
  raw_data: (chance) => randomBytes(chance, 90 + 3 * chance.below(700)).toString("base64"),
  "a token": (chance) => randomBytes(chance, 24).toString("base64url"),
  "a token in hexadecimal": (chance) => randomBytes(chance, 32).toString("hex"),
};

describe("a piece of a secret in the words of a peer", () => {
  it.each(Object.keys(manglings))("is withheld %s", (name) => {
    const chance = seeded(name.length * 7919);
    for (const kind of Object.values(kinds)) {
      for (let round = 0; round < 12; round++) {
        const secret = kind(chance);
        // Letters and digits alone: what else there is may be lost in what cuts a piece up.
        const starts = [...secret.matchAll(/(?=([A-Za-z0-9]{6,30}))/g)];
        const whole = starts[chance.below(starts.length)]?.[1] ?? "";
        const piece = whole.slice(0, 6 + chance.below(whole.length - 5));
        const text = `参数错误：${manglings[name]?.(piece)}，请重试`;
        expect(redactSecrets(text, { secret: ["hunter2", secret] }), `${piece} as ${text}`).toMatch(
          /^参数错误：(…[^A-Za-z0-9…]*)+，请重试$/,
        );
        expect(tells(text, { secret: [secret] })).toBe(true);
      }
    }
  });

  it("is withheld in the octets that raw_data stands for, and from the capitals of a code or a Request-ID", () => {
    const octets = randomBytes(seeded(5), 300);
    const known = { secret: [octets.toString("base64")] };
    const some = octets.subarray(100, 112);
    for (const form of [some.toString("hex"), some.toString("base64"), base32(some)]) {
      expect(redactSecrets(`bad ${form}!`, known)).toBe("bad …!");
    }
    expect(tells(`08D799FE${some.toString("hex").toUpperCase()}-270924360`, known)).toBe(true);
    expect(tells(base32(Buffer.from(known.secret[0]?.slice(30, 40) ?? "")), known)).toBe(true);
  });

  it("is withheld when it comes in shorter pieces among other words", () => {
    const secret = "x8Kq2Zv9LmT4wRb7";
    expect(redactSecrets("first x8Kq then 2Zv9 or LmT4.", { secret: [secret] })).toBe("first … then … or ….");
    // Less than that is chance.
    expect(redactSecrets("the word wRb alone", { secret: [secret] })).toBe("the word wRb alone");
  });

  it("takes the word around it along, and what is longer than anybody reads is not looked at", () => {
    const secret = "x8Kq2Zv9LmT4wRb7";
    expect(redactSecrets("id=ax8Kq2Zv9b, 设备", { secret: [secret] })).toBe("id=…, 设备");
    const long = `${"字".repeat(995)}${secret}`;
    expect(redactSecrets(long, { secret: [secret] })).toHaveLength(1_000);
    expect(redactSecrets("字".repeat(70_000), { secret: [secret] })).toHaveLength(1_000);
    expect(tells("字".repeat(1_001), { secret: [] })).toBe(true);
  });
});

describe("what is no piece of a secret", () => {
  // Of the reference: what WeChat Pay's documentation shows, and what was observed.
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
        expect(redactSecrets(text, { secret })).toBe(text);
        expect(tells(text, { secret })).toBe(false);
      }
    }
    for (const text of messages) expect(sanitizeUntrusted(text, 200)).toBe(text);
  });

  it("stays when a secret has only a few characters, but where it stands by itself", () => {
    const known = { secret: ["de", "", "a1", "1234"] };
    expect(redactSecrets("device code 0012345, mode", known)).toBe("device code 0012345, mode");
    expect(redactSecrets("token de, a1: 1234", known)).toBe("token …, …: …");
  });

  it("is the terminal's own number, though the token contains it", () => {
    const known = { secret: ["term-LTA0P18937F13053200001-9fK2mQx7"], open: ["LTA0P18937F13053200001", "1900000109"] };
    const text = "no LTA0P18937F13053200001 of 1900000109 here";
    expect(redactSecrets(text, known)).toBe(text);
    expect(redactSecrets("no 9fK2mQx7 here", known)).toBe("no … here");
    expect(redactSecrets(text, { ...known, open: [] })).not.toContain("P18937");
  });
});
