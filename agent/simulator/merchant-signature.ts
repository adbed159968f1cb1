import { type KeyObject, verify } from "node:crypto";

/**
 * How WeChat Pay reads a merchant's `Authorization` (WeChat Pay APIv3: request signature). Written apart from the agent's
 * signer, from the published rules alone, so that one misreading cannot pass on both sides.
 */
export interface SignedRequest {
  readonly method: string;
  /** Path and query, octet for octet as on the wire. */
  readonly target: string;
  readonly body: Uint8Array;
  readonly authorization: string | undefined;
}

export interface KnownMerchant {
  readonly mchid: string;
  readonly serialNo: string;
  readonly publicKey: KeyObject;
}

export interface SignatureFields {
  readonly mchid: string;
  readonly nonce_str: string;
  readonly signature: string;
  readonly timestamp: string;
  readonly serial_no: string;
}

/** `reason` is for the request log of the simulator; `message` is what WeChat Pay answers. */
export interface SignatureRefusal {
  readonly reason: string;
  readonly message: string;
}

const SCHEME = "WECHATPAY2-SHA256-RSA2048";
const FIELDS = ["mchid", "nonce_str", "serial_no", "signature", "timestamp"];
const LONGEST_SKEW_S = 300;

const refusals = {
  authorization_format: "Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》",
  authorization_scheme: "Http头Authorization认证类型不正确",
  timestamp_skew: "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟",
  serial_unknown: "商户证书序列号有误",
  mchid_unknown: "商户证书序列号有误",
  signature_wrong: "签名错误",
  nonce_reused: "签名错误",
} as const;

/** The fields of a good request, or why it is refused, in WeChat Pay's order: the clock before the signature. */
export function checkSignature(
  request: SignedRequest,
  merchant: KnownMerchant,
  nowS: number,
  isNonceFresh: (nonce: string) => boolean,
): { readonly fields: SignatureFields } | { readonly refusal: SignatureRefusal } {
  if (request.authorization === undefined) return refuse("authorization_format");
  const [scheme] = request.authorization.split(" ", 1);
  if (scheme !== SCHEME) return refuse("authorization_scheme");
  const fields = parseFields(request.authorization.slice(SCHEME.length + 1));
  if (fields === undefined) return refuse("authorization_format");
  if (Math.abs(nowS - Number(fields.timestamp)) > LONGEST_SKEW_S) return refuse("timestamp_skew");
  if (fields.serial_no !== merchant.serialNo) return refuse("serial_unknown");
  if (fields.mchid !== merchant.mchid) return refuse("mchid_unknown");
  const message = messageToSign(request, fields.timestamp, fields.nonce_str);
  if (!verify("RSA-SHA256", message, merchant.publicKey, Buffer.from(fields.signature, "base64"))) {
    return refuse("signature_wrong");
  }
  if (!isNonceFresh(fields.nonce_str)) return refuse("nonce_reused");
  return { fields };
}

/** METHOD, path with query, timestamp, nonce and body, each closed by a line feed, also an empty body. */
export function messageToSign(
  request: Pick<SignedRequest, "method" | "target" | "body">,
  timestamp: string,
  nonce: string,
): Buffer {
  const head = [request.method, request.target, timestamp, nonce, ""].join("\n");
  return Buffer.concat([Buffer.from(head, "utf8"), request.body, Buffer.from("\n")]);
}

/** Five fields in any order, double quotes, commas without spaces, one line. */
function parseFields(text: string): SignatureFields | undefined {
  const found = new Map<string, string>();
  for (const part of text.split(",")) {
    const [, name, value] = /^([a-z_]+)="([^"\s]+)"$/.exec(part) ?? [];
    if (name === undefined || value === undefined || found.has(name)) return undefined;
    found.set(name, value);
  }
  if ([...found.keys()].sort().join() !== FIELDS.join()) return undefined;
  const field = (name: string) => found.get(name) ?? "";
  const fields = {
    mchid: field("mchid"),
    nonce_str: field("nonce_str"),
    signature: field("signature"),
    timestamp: field("timestamp"),
    serial_no: field("serial_no"),
  };
  const wellFormed =
    /^[0-9]{10}$/.test(fields.timestamp) &&
    /^[0-9A-Za-z]{1,32}$/.test(fields.nonce_str) &&
    /^[0-9A-Za-z+/]+={0,2}$/.test(fields.signature);
  return wellFormed ? fields : undefined;
}

function refuse(reason: keyof typeof refusals): { refusal: SignatureRefusal } {
  return { refusal: { reason, message: refusals[reason] } };
}
