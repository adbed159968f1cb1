import type { Form } from "./fields.ts";

export const merchantNumber: Form = {
  pattern: /^[0-9]{1,32}$/,
  zh: "带引号的商户号（纯数字）",
  en: "a merchant number: digits, in quotes",
};
export const appId: Form = {
  pattern: /^[0-9A-Za-z_-]{1,32}$/,
  zh: "1 到 32 个字母或数字，例如 wx 开头的 appid",
  en: "1 to 32 letters and digits, such as wx...",
};
export const organizationId: Form = {
  pattern: /^[\x21-\x7e]{1,64}$/,
  zh: "1 到 64 个可见 ASCII 字符",
  en: "1 to 64 visible ASCII characters",
};
/** Contract 3: what a bridge may report. */
export const deviceId: Form = {
  pattern: /^[\x20-\x7e]{1,32}$/,
  zh: "1 到 32 个可打印 ASCII 字符",
  en: "1 to 32 printable ASCII characters",
};
export const usbId: Form = {
  pattern: /^(0[xX])?[0-9A-Fa-f]{4}$/,
  zh: "带引号的 4 位十六进制数",
  en: "four hexadecimal digits in quotes",
};
export const usbSerial: Form = {
  pattern: /^[\x20-\x7e]{1,126}$/,
  zh: "1 到 126 个可打印 ASCII 字符",
  en: "1 to 126 printable ASCII characters",
};
export const proxyUrl: Form = { pattern: /^\S+$/, zh: "http://host:port", en: "http://host:port" };
export const publicKeyId: Form = {
  pattern: /^PUB_KEY_ID_[0-9A-Za-z_-]{1,80}$/,
  zh: "PUB_KEY_ID_ 开头的公钥 id",
  en: "an id that begins with PUB_KEY_ID_",
};
export const serialNo: Form = {
  pattern: /^[0-9A-Fa-f]{8,64}$/,
  zh: "8 到 64 位十六进制数",
  en: "8 to 64 hexadecimal digits",
};
export const group: Form = {
  pattern: /^[0-9A-Za-z_][0-9A-Za-z_.-]{0,63}\$?$/,
  zh: "组名或组编号",
  en: "the name or number of a group",
};
