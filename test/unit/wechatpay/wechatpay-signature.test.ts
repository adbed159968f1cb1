import { generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Formatter, Rsa } from "wechatpay-axios-plugin";
import { isAgentError } from "../../../agent/common/errors.ts";
import { SecretSearch } from "../../../agent/common/log/redact.ts";
import type { HeaderBag } from "../../../agent/wechatpay/headers.ts";
import {
  authorization,
  messageToSign,
  signAside,
  signAtOnce,
  verifyAnswer,
} from "../../../agent/wechatpay/signature.ts";
import { NO_SAMPLES, publishedSamples } from "../../support/checks/published-samples.ts";

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const other = generateKeyPairSync("rsa", { modulusLength: 2048 });
const SERIAL = "PUB_KEY_ID_0000000000000024101100397200000006";
const NOW = 1_780_286_400;
const BODY = Buffer.from('{"authinfo":"abc","说":"明"}');

interface Sample {
  id: string;
  header?: string;
  fields?: Record<string, string>;
  message?: string;
  method: string;
  url: string;
  timestamp: string;
  nonce: string;
  body: string;
}
const samples = publishedSamples<Sample[]>("06-authorization-and-message.json");

/** The five fields as a strict server reads them. */
function fieldsOf(header: string): Record<string, string> | undefined {
  const [, list] = /^WECHATPAY2-SHA256-RSA2048 (\w+="[^"]*"(?:,\w+="[^"]*"){4})$/.exec(header) ?? [];
  return list && Object.fromEntries([...list.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
}

function signed(timestampS: number | string, body = BODY, key = privateKey, extra: HeaderBag = {}): HeaderBag {
  const nonce = "593BEC0C930BF1AFEB40B4A08C8FB242";
  const message = Buffer.concat([Buffer.from(`${timestampS}\n${nonce}\n`), body, Buffer.from("\n")]);
  return {
    "wechatpay-timestamp": String(timestampS),
    "wechatpay-nonce": nonce,
    "wechatpay-serial": SERIAL,
    "wechatpay-signature": sign("RSA-SHA256", message, key).toString("base64"),
    ...extra,
  };
}

function verdict(headers: HeaderBag, options: { rawBody?: Buffer; nowS?: number; newestSignedAtS?: number } = {}) {
  try {
    return verifyAnswer({
      headers,
      rawBody: BODY,
      publicKeys: new Map([[SERIAL, publicKey]]),
      nowS: NOW,
      newestSignedAtS: 0,
      ...options,
    });
  } catch (error) {
    if (!isAgentError(error)) throw error;
    return error.code;
  }
}

describe("the message to sign", () => {
  it("is the published one for each published request", ({ skip }) => {
    if (samples === undefined) return skip(NO_SAMPLES);
    const messages = samples.filter(({ message }) => message !== undefined);
    expect(messages).toHaveLength(3);
    for (const { id, message, method, url: path, timestamp, nonce, body } of messages) {
      expect(messageToSign({ method, path, timestampS: Number(timestamp), nonce, body }), id).toBe(message);
    }
  });

  it("always has five lines, also for an empty body", () => {
    expect(messageToSign({ method: "GET", path: "/a?b=c", timestampS: 1, nonce: "n", body: "" })).toBe(
      "GET\n/a?b=c\n1\nn\n\n",
    );
  });
});

describe("the Authorization header", () => {
  const request = { method: "POST", path: "/base/v3/offlineface/authinfo", timestampS: NOW, nonce: "N1", body: "{}\n" };
  const signature = signAtOnce(messageToSign(request), privateKey);
  const header = authorization(request, { mchid: "1900007291", serialNo: "408B07E7" }, signature);

  it("is the same when another thread has signed it", async () => {
    expect(await signAside(messageToSign(request), privateKey)).toEqual(signature);
    const { publicKey: noPrivateKey } = other;
    await expect(signAside("", noPrivateKey)).rejects.toThrow(/key/i);
  });

  it("is of the documented form, and its signature is one that wechatpay-axios-plugin verifies", () => {
    const fields = fieldsOf(header);
    expect(fields).toMatchObject({
      mchid: "1900007291",
      nonce_str: "N1",
      timestamp: String(NOW),
      serial_no: "408B07E7",
    });
    const message = Formatter.request("POST", request.path, String(NOW), "N1", "{}\n");
    expect(Rsa.verify(message, fields?.signature ?? "", publicKey)).toBe(true);
    expect(Rsa.verify(`${message}x`, fields?.signature ?? "", publicKey)).toBe(false);
  });

  it("reads as the documentation's own sample does", ({ skip }) => {
    expect(fieldsOf(header)).toBeDefined();
    if (samples === undefined) return skip(NO_SAMPLES);
    const sample = samples.find(({ id }) => id === "doc-body-header");
    expect(fieldsOf(sample?.header ?? "")).toEqual(sample?.fields);
    for (const { header: bad } of samples.filter(({ id }) => id.startsWith("malformed"))) {
      expect(fieldsOf(bad ?? "")).toBeUndefined();
    }
  });
});

describe("verifying an answer", () => {
  it("accepts what wechatpay-axios-plugin signs, and tells when it was signed", () => {
    const nonce = Formatter.nonce();
    const signature = Rsa.sign(Formatter.response(String(NOW), nonce, BODY.toString("utf8")), privateKey);
    const headers = signed(NOW, BODY, privateKey, { "wechatpay-nonce": nonce, "wechatpay-signature": signature });
    expect(verdict(headers)).toBe(NOW);
  });

  it("takes the body's bytes, not its meaning", () => {
    const spaced = Buffer.from('{"authinfo": "abc"}');
    expect(verdict(signed(NOW, spaced), { rawBody: spaced })).toBe(NOW);
    expect(verdict(signed(NOW, spaced), { rawBody: Buffer.from('{"authinfo":"abc"}') })).toBe("PAY_SIGNATURE_INVALID");
    const binary = Buffer.from([0xff, 0xfe, 0x00, 0x80]);
    expect(verdict(signed(NOW, binary), { rawBody: binary })).toBe(NOW);
    expect(verdict(signed(NOW, Buffer.alloc(0)), { rawBody: Buffer.alloc(0) })).toBe(NOW);
  });

  it("refuses every single flipped bit of a body", () => {
    const headers = signed(NOW);
    for (let bit = 0; bit < BODY.length * 8; bit++) {
      const rawBody = Buffer.from(BODY);
      rawBody[bit >> 3] = (rawBody[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(verdict(headers, { rawBody })).toBe("PAY_SIGNATURE_INVALID");
    }
  });

  it("refuses another key, a bent signature and one that is not base64", () => {
    expect(verdict(signed(NOW, BODY, other.privateKey))).toBe("PAY_SIGNATURE_INVALID");
    const good = String(signed(NOW)["wechatpay-signature"]);
    for (const bad of [good.slice(0, -4), "abcd"]) {
      expect(verdict({ ...signed(NOW), "wechatpay-signature": bad })).toBe("PAY_SIGNATURE_INVALID");
    }
    for (const odd of [`${good.slice(0, 20)} ${good.slice(20)}`, `${good}!`, "x", "====", good.slice(0, -1)]) {
      expect(verdict({ ...signed(NOW), "wechatpay-signature": odd })).toBe("PAY_SIGNATURE_MALFORMED");
    }
  });

  it("knows a probe before anything else, also without the other headers", () => {
    const probe = "WECHATPAY/SIGNTEST/abc=";
    expect(verdict({ ...signed(NOW), "wechatpay-signature": probe })).toBe("PAY_SIGNATURE_PROBE");
    expect(verdict({ "wechatpay-signature": probe })).toBe("PAY_SIGNATURE_PROBE");
  });

  it.each(["wechatpay-signature", "wechatpay-timestamp", "wechatpay-nonce", "wechatpay-serial"])(
    "calls an answer without %s unsigned, and a page of HTML a login page",
    (name) => {
      const headers = { ...signed(NOW), [name]: undefined };
      expect(verdict(headers)).toBe("PAY_UNSIGNED");
      expect(verdict({ ...headers, "content-type": "text/html; charset=utf-8" })).toBe("PAY_CAPTIVE_PORTAL");
      for (const page of ["<html>", "\r\n <!DOCTYPE html>", "<script src=x>"]) {
        expect(verdict(headers, { rawBody: Buffer.from(page) })).toBe("PAY_CAPTIVE_PORTAL");
      }
      for (const no of ["<xml>", "htm", '{"a":"<html>"}']) {
        expect(verdict(headers, { rawBody: Buffer.from(no) })).toBe("PAY_UNSIGNED");
      }
    },
  );

  it.each(["wechatpay-signature", "wechatpay-timestamp", "wechatpay-nonce", "wechatpay-serial"])(
    "refuses a doubled %s",
    (name) => {
      const value = String(signed(NOW)[name]);
      expect(verdict({ ...signed(NOW), [name]: [value, value] })).toBe("PAY_SIGNATURE_MALFORMED");
    },
  );

  it("asks for the serial before the time, and for the time before the signature", () => {
    expect(verdict({ ...signed(NOW - 9999), "wechatpay-serial": "PUB_KEY_ID_1" })).toBe("PAY_SIGNATURE_SERIAL");
    expect(verdict(signed(NOW - 9999, BODY, other.privateKey))).toBe("PAY_SIGNATURE_EXPIRED");
  });

  it("names both keys, and no serial that is none or that repeats a secret", () => {
    const told = (serial: string, secret: string[] = []) => {
      const publicKeys = new Map([["PUB_KEY_ID_0000000001", publicKey]]);
      const headers = { ...signed(NOW), "wechatpay-serial": serial };
      const answer = {
        headers,
        rawBody: BODY,
        publicKeys,
        nowS: NOW,
        newestSignedAtS: 0,
        secrets: () => new SecretSearch(secret),
      };
      try {
        verifyAnswer(answer);
        return undefined;
      } catch (error) {
        return (error as { params: unknown }).params;
      }
    };
    const ours = "PUB_KEY_ID_0000000001";
    expect(told("PUB_KEY_ID_0000000002")).toEqual({ ours, theirs: "PUB_KEY_ID_0000000002" });
    expect(told("5F".repeat(20))).toEqual({ ours, theirs: "5F".repeat(20) });
    expect(told("5F".repeat(20), ["5F".repeat(20)])).toEqual({ ours });
    expect(told("run this: rm")).toEqual({ ours });
  });

  it("takes timestamps up to 300 s away, either way", () => {
    expect(verdict(signed(NOW - 300))).toBe(NOW - 300);
    expect(verdict(signed(NOW + 300))).toBe(NOW + 300);
    expect(verdict(signed(NOW - 301))).toBe("PAY_SIGNATURE_EXPIRED");
    expect(verdict(signed(NOW + 301))).toBe("PAY_SIGNATURE_EXPIRED");
    for (const odd of ["", "0x6A1C", "1e9", "-1780286400", " 1780286400", "1780286400.5", "17802864000"]) {
      expect(verdict(signed(odd))).toBe(odd === "" ? "PAY_UNSIGNED" : "PAY_SIGNATURE_MALFORMED");
    }
  });

  it("blames our clock when a genuine answer's Date agrees with its timestamp, and believes it no more for that", () => {
    const later = NOW + 3600;
    const date = (s: number) => ({ date: new Date(s * 1000).toUTCString() });
    expect(verdict(signed(later, BODY, privateKey, date(later + 59)))).toBe("CLOCK_WRONG");
    expect(verdict(signed(later, BODY, privateKey, date(later + 61)))).toBe("PAY_SIGNATURE_EXPIRED");
    expect(verdict(signed(later, BODY, other.privateKey, date(later)))).toBe("PAY_SIGNATURE_EXPIRED");
    expect(verdict(signed(later, BODY, privateKey, { date: "later" }))).toBe("PAY_SIGNATURE_EXPIRED");
  });

  it("takes an answer up to 5 s older than the newest one verified, no older", () => {
    expect(verdict(signed(NOW), { newestSignedAtS: NOW + 5 })).toBe(NOW);
    expect(verdict(signed(NOW), { newestSignedAtS: NOW + 6 })).toBe("PAY_SIGNATURE_REPLAYED");
    expect(verdict(signed(NOW, BODY, other.privateKey), { newestSignedAtS: NOW + 6 })).toBe("PAY_SIGNATURE_INVALID");
  });

  it("calls a genuine answer a repetition, not a matter of clocks, when a newer one has been verified", () => {
    const old = NOW - 3600;
    const date = { date: new Date(old * 1000).toUTCString() };
    const known = { newestSignedAtS: NOW - 1800 };
    expect(verdict(signed(old, BODY, privateKey, date), known)).toBe("PAY_SIGNATURE_REPLAYED");
    expect(verdict(signed(old), known)).toBe("PAY_SIGNATURE_REPLAYED");
    expect(verdict(signed(old, BODY, other.privateKey, date), known)).toBe("PAY_SIGNATURE_EXPIRED");
    // Of one that could be new, only our clock says that it is old.
    expect(verdict(signed(old, BODY, privateKey, date), { newestSignedAtS: old - 1 })).toBe("CLOCK_WRONG");
  });

  it("calls the newest answer itself a repetition when it comes again a long while later, whatever Date came with it", () => {
    const old = NOW - 301;
    const date = { date: new Date(old * 1000).toUTCString() };
    expect(verdict(signed(old, BODY, privateKey, date), { newestSignedAtS: old })).toBe("PAY_SIGNATURE_REPLAYED");
    expect(verdict(signed(old), { newestSignedAtS: old })).toBe("PAY_SIGNATURE_REPLAYED");
    expect(verdict(signed(old, BODY, other.privateKey), { newestSignedAtS: old })).toBe("PAY_SIGNATURE_EXPIRED");
  });
});
