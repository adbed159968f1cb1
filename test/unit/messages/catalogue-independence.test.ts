import { afterEach, describe, expect, it } from "vitest";
import { failureRules } from "../../../agent/common/failures.ts";
import { type Catalogue, catalogues } from "../../../agent/messages/catalogue.ts";
import { failureText } from "../../../agent/messages/failure-text.ts";
import type { AnyMessage } from "../../../agent/messages/message.ts";
import { failureIn, remedyOf } from "../../../agent/messages/remedies/remedies.ts";
import { textIn } from "../../../agent/messages/text-of.ts";
import { texts } from "../../../agent/messages/texts.ts";

/** Parameters that every text can be made of. */
const params = {
  ...{ path: "/dev/ttyUSB0", usb: "1a86:7523", candidates: ["/dev/a", "/dev/b"], error: "EIO: i/o error", ms: 10_000 },
  ...{ method: "hello", count: 3, theirs: "2.0", ours: "1.0", member: "session", longest: 256, rpcCode: -32_603 },
  ...{ said: "no such thing", octets: 9_000, most: 8_192, library: "libsdk.so", built: "ARM", board: "x86-64" },
  ...{ symbol: "wxpayCallFaceService", status: 193, ended: "SIGSEGV", returnCode: "ERROR", errCode: 271378577 },
  ...{
    characters: 9_000,
    bridge: "A",
    configured: "B",
    httpStatus: 403,
    answerCode: "NO_AUTH",
    answerField: "sub_mchid",
  },
  ...{ answerMessage: "受理关系不存在", seconds: 41, missing: ["wechatpay-nonce"], aheadS: -301, errno: "ENOSPC" },
  ...{ syscall: "write", directory: "/var/lib/x", mode: "0777", owner: 1, self: 2, file: "/k", fault: "tampered" },
  ...{ text: true, echo: true, wrong: "nul", keys: ["wechatpay.client_key_file"] },
  ...{ pid: 7, own: true, least: 16, problems: "x", group: "g", fd: 3, where: "/s", host: "::", port: 443 },
  ...{ holders: [{ pid: 8, name: "facepay-agent", config: "/etc/b.toml", unit: "b.service" }] },
  ...{ broker: "mqtt.example.com:8883", topic: "facepay/v1/1/D/state", reason: "protocol" },
  ...{ addresses: ["0.0.0.0"], ours: "PUB_KEY_ID_1", at: "login.shop.example" },
};

const failures = Object.keys(catalogues.en.failures).map((id) => {
  const [code = "", variant] = id.split(".");
  return { code, params: variant === undefined ? params : { variant, ...params }, http_status: 403, reason: "NO_AUTH" };
});

const place = { mode: "direct", base_urls: [{ base_url: "https://api.mch.weixin.qq.com" }] } as const;
const seen = (language: "zh" | "en") => failures.map((failure) => failureText(failure)[language]);
const remedies = () => failures.map((failure) => remedyOf(failureIn(failure, place)));

/** A language in which every text is its own id. */
function withIds(catalogue: Catalogue): Catalogue {
  const ids = <T extends object>(texts: T): T =>
    Object.fromEntries(
      Object.entries(texts).map(([id, text]) => [id, typeof text === "function" ? () => id : id]),
    ) as T;
  return Object.fromEntries(
    Object.entries(catalogue).map(([area, texts]) => [area, ids(texts)]),
  ) as unknown as Catalogue;
}

const original = { ...catalogues };
const originalTexts = { ...texts };
afterEach(() => {
  Object.assign(catalogues, original);
  Object.assign(texts, originalTexts);
});

describe("no decision depends on a text:", () => {
  it.each([
    ["en", "zh"],
    ["zh", "en"],
  ] as const)("with every text of %s replaced by its id, %s and every remedy stay the same", (replaced, other) => {
    const before = { texts: seen(other), remedies: remedies() };
    catalogues[replaced] = withIds(original[replaced]);
    expect(seen(replaced).every((text) => Object.hasOwn(original[replaced].failures, text))).toBe(true);
    expect({ texts: seen(other), remedies: remedies() }).toEqual(before);
  });

  it("every failure has a text in both languages, with all its parameters", () => {
    for (const language of ["zh", "en"] as const) {
      for (const [index, text] of seen(language).entries()) {
        expect(text, `${language} ${failures[index]?.code}`).not.toMatch(/undefined|\[object|^$/);
      }
    }
    for (const text of seen("zh")) expect(text).toMatch(/[\u4e00-\u9fff]|^HTTP/);
    for (const text of seen("en")) expect(text.replace(params.answerMessage, "")).not.toMatch(/[\u4e00-\u9fff]/);
  });

  it("every code has a text", () => {
    const codes = new Set(failures.map(({ code }) => code));
    expect(Object.keys(failureRules).filter((code) => !codes.has(code))).toEqual([]);
  });

  it("a failure of another version keeps its English text, in 「」 on a Chinese screen", () => {
    const later = { code: "BRIDGE_TIMEOUT", params: { variant: "of_tomorrow" }, detail: "the bridge is asleep" };
    expect(failureText(later)).toEqual({ zh: "「the bridge is asleep」", en: "the bridge is asleep" });
    const short = { code: "BRIDGE_TIMEOUT", params: {}, detail: "no answer to hello" };
    expect(failureText(short)).toEqual({ zh: "「no answer to hello」", en: "no answer to hello" });
  });
});

/** Values that every text of the commands can be made of: a failure and a message for words, which are rendered in the same language. */
const lists = ["values", "files", "names", "others", "counts", "limits", "hosts", "reasons", "commands"];
const nested: AnyMessage = { id: "agent.running" };
const wordsOf = (id: string) => {
  const text: unknown = texts.en[id as keyof typeof texts.en];
  const names = typeof text === "function" ? (/^\(?\{([^}]*)\}/.exec(String(text))?.[1] ?? "") : "";
  const given = names
    .split(",")
    .map((part) => part.split(/[:=]/)[0]?.trim() ?? "")
    .filter((name) => name !== "");
  const plain = (name: string) => (lists.includes(name) ? [`<${name}>`] : `<${name}>`);
  return Object.fromEntries(
    given.map((name) => [name, name === "detail" || name === "failure" ? nested : plain(name)]),
  );
};
const messages = Object.keys(texts.en).map((id) => ({ id, params: wordsOf(id) }) as unknown as AnyMessage);
const said = (language: "zh" | "en") => messages.map((message) => textIn(message, language));

describe("the texts of the commands", () => {
  it.each([
    ["en", "zh"],
    ["zh", "en"],
  ] as const)("with every text of %s replaced by its id, %s and every remedy stay the same", (replaced, other) => {
    const before = { texts: said(other), remedies: remedies() };
    const ids = Object.keys(texts[replaced]).map((id) => [id, () => id]);
    texts[replaced] = Object.fromEntries(ids) as unknown as (typeof texts)["en"];
    expect(said(replaced)).toEqual(Object.keys(texts.en));
    expect({ texts: said(other), remedies: remedies() }).toEqual(before);
  });

  it("have all their values, each in its own language", () => {
    for (const language of ["zh", "en"] as const) {
      for (const [index, text] of said(language).entries()) {
        expect(text, `${language} ${messages[index]?.id}`).not.toMatch(/undefined|\[object/);
      }
    }
    // The two names by which technicians know a device and a shop stand in English texts as well.
    for (const text of said("en")) expect(text.replaceAll(/设备SN|机构ID/g, "")).not.toMatch(/[\u4e00-\u9fff]/);
  });
});
