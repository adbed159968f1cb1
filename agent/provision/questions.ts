import type { Bilingual } from "../common/language.ts";
import { type Field, isTable } from "../config/keys/fields.ts";
import { fieldOf } from "../config/keys/schema.ts";
import type { SecretKey } from "../config/secrets/named-files.ts";
import { textOf } from "../messages/text-of.ts";
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

/** Files that are taken in, by the key that names them: under which name, and whether only the service may read it. */
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

const DIRECT_IF_SET = ["wechatpay.base_urls", "wechatpay.ca_file"];

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
    zh: "微信支付不建议把商户私钥放在终端上。仍要直连吗？请输入 y",
    en: "WeChat Pay advises against a merchant key on a terminal. Go on all the same? Type y",
  },
  "wechatpay.merchant_private_key_file": {
    zh: "商户 API 私钥文件的路径（apiclient_key.pem）",
    en: "path of the merchant's API private key (apiclient_key.pem)",
  },
  "wechatpay.merchant_serial_no": { zh: "商户 API 证书序列号", en: "serial number of the merchant's API certificate" },
  "wechatpay.client_cert_file": {
    zh: "终端证书文件的路径；网关只用令牌时留空",
    en: "path of the client certificate; empty where the gateway takes a bearer token alone",
  },
  "wechatpay.client_key_file": { zh: "终端证书的私钥文件的路径", en: "path of the client certificate's private key" },
  "wechatpay.ca_file": {
    zh: "网关自有根证书的路径；证书由公共机构签发时留空",
    en: "path of the gateway's own root certificate; empty where a public authority has issued its certificate",
  },
  "wechatpay.public_key_id": { zh: "微信支付公钥 ID", en: "id of WeChat Pay's public key" },
  "wechatpay.public_key_file": {
    zh: "微信支付公钥文件的路径（pub_key.pem）",
    en: "path of WeChat Pay's public key (pub_key.pem)",
  },
  "identity.sub_appid": { zh: "子商户 appid", en: "appid of the sub-merchant" },
};

/** Certificate or token: with the one the other may be left out, and without either no gateway knows the terminal. */
function tokenWords(answers: Answers): Bilingual {
  return answers.has("wechatpay.client_cert_file")
    ? {
        zh: "令牌文件的路径；只用终端证书时留空",
        en: "path of the bearer token's file; empty where the certificate is enough",
      }
    : {
        zh: "令牌文件的路径；没有终端证书，因此必填",
        en: "path of the bearer token's file; needed, for there is no client certificate",
      };
}

/** Said of what was neither given nor can be left out. */
export function missing(key: string): Bilingual {
  return key === "wechatpay.bearer_token_file"
    ? {
        zh: "缺少；也可改用 wechatpay.client_cert_file 和 wechatpay.client_key_file",
        en: "is missing; wechatpay.client_cert_file with wechatpay.client_key_file will do instead",
      }
    : { zh: "缺少", en: "is missing" };
}

/** What is asked in words of another mode. */
function wordsFor(key: string, answers: Answers): Bilingual | undefined {
  if (key === "wechatpay.bearer_token_file") return tokenWords(answers);
  if (!isDirect(answers)) return known[key];
  if (key === "wechatpay.base_urls") {
    return {
      zh: "微信支付的地址；输入 - 恢复官方的主备地址",
      en: "WeChat Pay's URLs; - for the official ones, primary and backup",
    };
  }
  return key === "wechatpay.ca_file"
    ? { zh: "额外的根证书；输入 - 去掉", en: "extra root certificate; - takes it away" }
    : known[key];
}

const isDirect = (answers: Answers) => answers.get("wechatpay.mode") === "direct";

/** What is not asked for, because it is seldom needed, and how to have it. */
export function unasked(answers: Answers): Bilingual {
  const keys = isDirect(answers) ? [...DIRECT_IF_SET, "wechatpay.proxy"] : ["wechatpay.proxy"];
  const left = keys.filter((key) => !answers.has(key)).join(", ");
  if (left === "") return { zh: "", en: "" };
  const example = "--set wechatpay.proxy=http://10.0.0.1:3128";
  return {
    zh: `没有询问的设置：${left}，按默认值。需要时加 --set 键=值，例如 ${example}`,
    en: `not asked for, the defaults serve: ${left}. Where they are needed, add --set key=value, as in ${example}`,
  };
}

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
  return isDirect(answers) ? gateway : DIRECT;
}

function credentialsFor(answers: Answers): string[] {
  // A gateway's URLs must not stay behind unseen when a terminal goes over to WeChat Pay itself.
  if (isDirect(answers)) return [...DIRECT, ...DIRECT_IF_SET.filter((key) => answers.has(key))];
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
    text: wordsFor(key, answers) ?? textOf(field.about),
    optional: isOptional(key, answers),
    ...(file === undefined ? {} : { file }),
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

function isOptional(key: string, answers: Answers): boolean {
  if (key === "wechatpay.bearer_token_file") return answers.has("wechatpay.client_cert_file");
  if (key === "wechatpay.base_urls") return isDirect(answers);
  return OPTIONAL_IDENTITY.includes(key) || key === "wechatpay.client_cert_file" || key === "wechatpay.ca_file";
}

/** An answer as a person types it, checked by the configuration's own table. "-" takes a suggested optional value away. */
export function understand(question: Question, typed: string): Understood {
  // A user who thinks of the file's syntax puts quotes around a text.
  const text = typed.trim().replace(/^(["'])(.*)\1$/, "$2");
  if (question.key === ACCEPT) return accepted(text, question.suggestion);
  if (text === "" && question.suggestion !== undefined) return { ok: true, value: question.suggestion };
  if (question.optional && (text === "" || text === "-")) return { ok: true, value: undefined };
  return checked(question.key, text);
}

const ACCEPT = "wechatpay.accept_key_on_device";

/** "y", "yes", "是", and the word of the configuration. */
export function isYes(typed: string): boolean {
  return /^(y|yes|true|是|是的)$/i.test(typed.trim());
}

function accepted(text: string, suggestion: TomlValue | undefined): Understood {
  if (isYes(text) || (text === "" && suggestion === true)) return { ok: true, value: true };
  return {
    ok: false,
    what: {
      zh: "请输入 y（或 是）。不同意则不能直连：按 Ctrl-C 退出，重新运行并选择 gateway",
      en: "type y (or yes). Without it there is no direct mode: leave with Ctrl-C, run this again and choose gateway",
    },
  };
}

/** The value of "section.key" from text, as a flag or a person gives it. */
export function checked(key: string, text: string): Understood {
  const field = mustHave(key);
  const value = field.fromText?.(text) ?? text.split(/[\s,，]+/).filter((one) => one !== "");
  const result = field.check(value);
  if (!result.ok) return { ok: false, what: textOf(result.what) };
  return isTable(value) ? { ok: false, what: textOf(field.expects) } : { ok: true, value: value as TomlValue };
}

function mustHave(key: string): Field {
  const field = fieldOf(key);
  if (field === undefined) throw new Error(`the configuration has no key ${key}`);
  return field;
}
