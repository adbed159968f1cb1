import { createHash } from "node:crypto";
import { type Answer, json } from "./answers.ts";

/** Whom the request has to name. A field that is not given here may have any value. */
export interface ExpectedIdentity {
  readonly spAppid?: string;
  readonly subAppid?: string;
  readonly subMchid?: string;
  readonly deviceId?: string;
  readonly organizationId?: string;
}

/** What the request log keeps of a body: nothing that is a secret. */
export interface AuthinfoFacts {
  readonly deviceId?: string;
  /** Names of the fields, in their order. */
  readonly fields?: readonly string[];
  readonly rawDataLength?: number;
  /** SHA-256: tells whether two attempts carried the same raw_data. */
  readonly rawDataDigest?: string;
}

export interface Refusal {
  readonly reason: string;
  readonly answer: Answer;
}

/** `sub_appid` is the only one that may be missing. WeChat Pay does not mind their order. */
const FIELDS = ["sp_appid", "sub_appid", "sub_mchid", "device_id", "raw_data", "organization_id"];
const OPTIONAL = "sub_appid";
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** `string(32)` and `string(2048)` of the API's predecessor; nothing is published for this one, so they are doubled. */
const LONGEST = 64;
const LONGEST_RAW_DATA = 4096;

/** Checks the body of POST /v3/offlineface/authinfo, field by field, in the words of an API v3 error. */
export function checkAuthinfoBody(
  body: Buffer,
  expected: ExpectedIdentity,
  isRawDataFresh: (digest: string) => boolean,
): { readonly facts: AuthinfoFacts; readonly refusal?: Refusal } {
  const fields = parseObject(body);
  if (fields === undefined) return { facts: {}, refusal: wrong("body_not_json", "", "请求报文格式错误") };
  const { device_id: deviceId, raw_data: rawData } = fields;
  const digest = typeof rawData === "string" ? createHash("sha256").update(rawData).digest("hex") : undefined;
  const facts = {
    fields: Object.keys(fields),
    ...(typeof deviceId === "string" ? { deviceId } : {}),
    ...(typeof rawData === "string" ? { rawDataLength: rawData.length } : {}),
    ...(digest === undefined ? {} : { rawDataDigest: digest }),
  };
  const refusal = checkShape(fields) ?? checkIdentity(fields, expected);
  if (refusal !== undefined) return { facts, refusal };
  if (digest === undefined || !isRawDataFresh(digest)) {
    return { facts, refusal: wrong("raw_data_reused", "/raw_data", "无效的RawData数据") };
  }
  return { facts };
}

function checkShape(fields: Readonly<Record<string, unknown>>): Refusal | undefined {
  const names = Object.keys(fields);
  for (const name of FIELDS) {
    const value = fields[name];
    if (value === undefined && name === OPTIONAL) continue;
    const longest = name === "raw_data" ? LONGEST_RAW_DATA : LONGEST;
    if (typeof value !== "string" || value === "" || value.length > longest) {
      return wrong(`${name}_missing`, `/${name}`, `输入源“/body/${name}”映射到值字段“${name}”字符串规则校验失败`);
    }
  }
  const unknown = names.find((name) => !FIELDS.includes(name));
  if (unknown !== undefined) return wrong("unknown_field", `/${unknown}`, "传入非法额外参数");
  if (!BASE64.test(String(fields.raw_data))) return wrong("raw_data_not_base64", "/raw_data", "无效的RawData数据");
  return undefined;
}

function checkIdentity(
  fields: Readonly<Record<string, unknown>>,
  { spAppid, subAppid, subMchid, deviceId, organizationId }: ExpectedIdentity,
): Refusal | undefined {
  if (spAppid !== undefined && fields.sp_appid !== spAppid) {
    const answer = json(400, { code: "APPID_MCHID_NOT_MATCH", message: "商户号和appid不匹配" });
    return { reason: "sp_appid_wrong", answer };
  }
  if (subMchid !== undefined && fields.sub_mchid !== subMchid) {
    return { reason: "sub_mchid_wrong", answer: json(403, { code: "NO_AUTH", message: "受理关系不存在" }) };
  }
  if (subAppid !== undefined && fields.sub_appid !== subAppid) {
    return wrong("sub_appid_wrong", "/sub_appid", "sub_mch_id与sub_appid不匹配");
  }
  if (deviceId !== undefined && fields.device_id !== deviceId) {
    return wrong("device_id_wrong", "/device_id", "设备未经过出厂检测,请联系设备供应商");
  }
  if (organizationId !== undefined && fields.organization_id !== organizationId) {
    return wrong("organization_id_wrong", "/organization_id", "机构id不匹配");
  }
  return undefined;
}

export function parseObject(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    // Not JSON, or not UTF-8: the caller refuses it.
    return undefined;
  }
}

/** A 400 as API v3 words it. The value itself is left out: it may be a secret. */
function wrong(reason: string, field: string, issue: string): Refusal {
  const detail = field === "" ? { location: "body", issue } : { field, location: "body", issue };
  return { reason, answer: json(400, { code: "PARAM_ERROR", message: `参数错误：${issue}`, detail }) };
}
