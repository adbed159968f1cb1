import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { checkSignature, messageToSign } from "../../../agent/simulator/merchant-signature.ts";
import { NO_SAMPLES, publishedSamples } from "../../support/checks/published-samples.ts";

const known = publishedSamples<Record<string, string>[]>("06-authorization-and-message.json");

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const merchant = { mchid: "1900000100", serialNo: "5AFF94646DC79698A080BAFC324E4F6C3D881D7C", publicKey };
const body = Buffer.from('{"a":"刷脸"}');
const request = { method: "POST", target: "/v3/x?y=1", body };
const now = 1_780_000_000;

function authorization(change: Record<string, string> = {}, scheme = "WECHATPAY2-SHA256-RSA2048"): string {
  const timestamp = change.timestamp ?? String(now);
  const nonce = change.nonce_str ?? "593BEC0C930BF1AFEB40B4A08C8FB242";
  const message = `POST\n/v3/x?y=1\n${timestamp}\n${nonce}\n{"a":"刷脸"}\n`;
  const fields: Record<string, string> = {
    mchid: merchant.mchid,
    nonce_str: nonce,
    signature: sign("RSA-SHA256", Buffer.from(message), privateKey).toString("base64"),
    timestamp,
    serial_no: merchant.serialNo,
    ...change,
  };
  return `${scheme} ${Object.entries(fields)
    .map(([name, value]) => `${name}="${value}"`)
    .join(",")}`;
}

const reasonOf = (header: string | undefined, fresh = true) => {
  const result = checkSignature({ ...request, authorization: header }, merchant, now, () => fresh);
  return "refusal" in result ? result.refusal.reason : "accepted";
};

describe("the simulated WeChat Pay's signature rules", () => {
  it("build the published messages", ({ skip }) => {
    if (known === undefined) return skip(NO_SAMPLES);
    const messages = known.filter((one) => one.message !== undefined);
    expect(messages).toHaveLength(3);
    for (const { method = "", url = "", timestamp = "", nonce = "", body: text = "", message } of messages) {
      expect(messageToSign({ method, target: url, body: Buffer.from(text) }, timestamp, nonce).toString()).toBe(
        message,
      );
    }
  });

  it("read the published headers as the manual says", ({ skip }) => {
    if (known === undefined) return skip(NO_SAMPLES);
    const readable = known.find(({ id }) => id === "doc-body-header");
    expect(reasonOf(readable?.header)).toBe("timestamp_skew");
    for (const { header, expect: expected } of known) {
      if (expected?.includes("值格式错误")) expect(reasonOf(header)).toBe("authorization_format");
    }
  });

  it("accept a good request with the fields in any order", () => {
    expect(reasonOf(authorization())).toBe("accepted");
    const [scheme, fields = ""] = authorization().split(" ");
    expect(reasonOf(`${scheme} ${fields.split(",").reverse().join(",")}`)).toBe("accepted");
  });

  it.each([
    ["no header", undefined, "authorization_format"],
    ["another scheme", authorization({}, "WECHATPAY2-SM2-WITH-SM3"), "authorization_scheme"],
    ["a space after a comma", authorization().replace(",", ", "), "authorization_format"],
    ["single quotes", authorization().replaceAll('"', "'"), "authorization_format"],
    ["a field twice", `${authorization()},mchid="1900000100"`, "authorization_format"],
    ["a further field", `${authorization()},more="1"`, "authorization_format"],
    ["milliseconds", authorization({ timestamp: `${now}000` }), "authorization_format"],
    ["a clock 301 s behind", authorization({ timestamp: String(now - 301) }), "timestamp_skew"],
    ["a clock 301 s ahead", authorization({ timestamp: String(now + 301) }), "timestamp_skew"],
    ["a clock 300 s behind", authorization({ timestamp: String(now - 300) }), "accepted"],
    ["another serial number", authorization({ serial_no: "00" }), "serial_unknown"],
    ["another merchant", authorization({ mchid: "1900000109" }), "mchid_unknown"],
    ["another signature", authorization({ signature: "AAAA" }), "signature_wrong"],
  ])("judge %s", (_name, header, reason) => {
    expect(reasonOf(header)).toBe(reason);
  });

  it("look at the clock before the signature, and at the nonce last", () => {
    expect(reasonOf(authorization({ timestamp: String(now - 301), signature: "AAAA" }))).toBe("timestamp_skew");
    expect(reasonOf(authorization({ signature: "AAAA" }), false)).toBe("signature_wrong");
    expect(reasonOf(authorization(), false)).toBe("nonce_reused");
  });

  it("notice a changed body, path or key", () => {
    const header = authorization();
    const check = (change: object, other = merchant) =>
      checkSignature({ ...request, ...change, authorization: header }, other, now, () => true);
    expect(check({})).toHaveProperty("fields");
    expect(check({ body: Buffer.from('{"a": "刷脸"}') })).toHaveProperty("refusal");
    expect(check({ target: "/v3/x" })).toHaveProperty("refusal");
    expect(check({ method: "PUT" })).toHaveProperty("refusal");
    const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey;
    expect(
      check({}, { ...merchant, publicKey: createPublicKey(stranger.export({ type: "spki", format: "pem" })) }),
    ).toHaveProperty("refusal");
  });
});
