import { type Field, isTable } from "../config/keys/fields.ts";
import { fieldOf } from "../config/keys/schema.ts";
import type { SecretKey } from "../config/secrets/named-files.ts";
import type { Bilingual } from "../language.ts";
import type { TomlValue } from "./edit-toml.ts";

/** What is known so far, by "section.key": from the file that is there, from flags, from the technician. */
export type Answers = ReadonlyMap<string, TomlValue>;

export interface Question {
  /** "section.key". */
  readonly key: string;
  readonly text: Bilingual;
  /** An empty answer to an optional question leaves the key out. */
  readonly optional: boolean;
  /** A file that is taken into the directory of the configuration, under this name and with these rights. */
  readonly file?: { readonly name: string; readonly secret: boolean };
  readonly suggestion?: TomlValue;
}

export type Understood =
  | { readonly ok: true; readonly value: TomlValue | undefined }
  | { readonly ok: false; readonly what: Bilingual };

/** Files that are taken in, by the key that names them: under which name, and whether nobody but the service may read it. */
export const keyFiles: ReadonlyMap<string, { readonly name: string; readonly secret: boolean }> = new Map(
  Object.entries({
    "wechatpay.public_key_file": { name: "pub_key.pem", secret: false },
    "wechatpay.merchant_private_key_file": { name: "apiclient_key.pem", secret: true },
    "wechatpay.ca_file": { name: "ca.pem", secret: false },
    "wechatpay.client_cert_file": { name: "client.pem", secret: false },
    "wechatpay.client_key_file": { name: "client.key", secret: true },
    "wechatpay.bearer_token_file": { name: "token", secret: true },
  } satisfies Partial<Record<SecretKey, unknown>>),
);

const IDENTITY = ["identity.sp_mchid", "identity.sp_appid", "identity.sub_mchid", "identity.organization_id"];
const OPTIONAL_IDENTITY = ["identity.sub_appid"];
const PUBLIC_KEY = ["wechatpay.public_key_id", "wechatpay.public_key_file"];
const DIRECT = [
  "wechatpay.accept_key_on_device",
  "wechatpay.merchant_private_key_file",
  "wechatpay.merchant_serial_no",
];

/** Names that technicians know, where the schema's own words are not theirs. */
const known: Readonly<Record<string, Bilingual>> = {
  "identity.organization_id": { zh: "机构ID（O 开头）", en: "organization id (begins with O)" },
  "identity.device_id": { zh: "设备SN（机身铭牌）", en: "device id (on the nameplate)" },
  "wechatpay.mode": {
    zh: "接入方式：gateway 经商户网关（推荐），direct 直连微信支付",
    en: "mode: gateway, through the merchant's server (advised), or direct",
  },
  "wechatpay.base_urls": { zh: "网关地址，多个用逗号分隔", en: "the gateway's URLs, separated by commas" },
  "wechatpay.accept_key_on_device": {
    zh: "微信支付不建议把商户私钥放在终端上。仍要直连请输入 true",
    en: "WeChat Pay advises against a merchant key on a terminal. To go on all the same, type true",
  },
};

/**
 * What has to be asked, given what is known, in the order in which a technician has it at hand. Changes with the answers: the mode
 * decides about the credentials.
 */
export function questionsFor(answers: Answers): Question[] {
  const keys = [...IDENTITY, ...OPTIONAL_IDENTITY, "wechatpay.mode", ...credentialsFor(answers), ...PUBLIC_KEY];
  return keys.map((key) => question(key, answers));
}

/** Asked when the bridge names no device, or there is no bridge to ask. */
export function deviceIdQuestion(answers: Answers): Question {
  return { ...question("identity.device_id", answers), optional: true };
}

/** Keys of the other mode, which the configuration would complain of. */
export function outdatedKeys(answers: Answers): string[] {
  const gateway = ["wechatpay.client_cert_file", "wechatpay.client_key_file", "wechatpay.bearer_token_file"];
  return answers.get("wechatpay.mode") === "direct" ? gateway : DIRECT;
}

function credentialsFor(answers: Answers): string[] {
  if (answers.get("wechatpay.mode") === "direct") return DIRECT;
  const key = answers.has("wechatpay.client_cert_file") ? ["wechatpay.client_key_file"] : [];
  return [
    "wechatpay.base_urls",
    "wechatpay.client_cert_file",
    ...key,
    "wechatpay.bearer_token_file",
    "wechatpay.ca_file",
  ];
}

function question(key: string, answers: Answers): Question {
  const field = mustHave(key);
  const file = keyFiles.get(key);
  const suggestion = answers.get(key) ?? (key === "wechatpay.mode" ? "gateway" : undefined);
  return {
    key,
    text: known[key] ?? field.about,
    optional: isOptional(key, answers),
    ...(file === undefined ? {} : { file }),
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

function isOptional(key: string, answers: Answers): boolean {
  if (key === "wechatpay.bearer_token_file") return answers.has("wechatpay.client_cert_file");
  return OPTIONAL_IDENTITY.includes(key) || key === "wechatpay.client_cert_file" || key === "wechatpay.ca_file";
}

/** An answer as a person types it, checked by the configuration's own table. "-" takes a suggested optional value away. */
export function understand(question: Question, typed: string): Understood {
  const text = typed.trim();
  if (text === "" && question.suggestion !== undefined) return { ok: true, value: question.suggestion };
  if (question.optional && (text === "" || text === "-")) return { ok: true, value: undefined };
  return checked(question.key, text);
}

/** The value of "section.key" from text, as a flag or a person gives it. */
export function checked(key: string, text: string): Understood {
  const field = mustHave(key);
  const value = field.fromText?.(text) ?? text.split(/[\s,，]+/).filter((one) => one !== "");
  const result = field.check(value);
  if (!result.ok) return { ok: false, what: result.what };
  return isTable(value) ? { ok: false, what: field.expects } : { ok: true, value: value as TomlValue };
}

function mustHave(key: string): Field {
  const field = fieldOf(key);
  if (field === undefined) throw new Error(`the configuration has no key ${key}`);
  return field;
}
