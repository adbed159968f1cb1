import type { Bilingual } from "../../common/language.ts";
import type { Checked } from "../problem.ts";

/** WeChat Pay's authority gives merchants serial numbers of twenty octets, and the platform shows them so. */
const DIGITS = 40;
const OCTETS_TOP = 2n ** 160n;
const COMMAND = "openssl x509 -in apiclient_cert.pem -noout -serial";

/**
 * The serial number of a merchant's API certificate, in capitals as WeChat Pay writes it, out of what people copy for it. A decimal
 * number is what Java's and Go's own functions print of it; they lose a leading zero of the hexadecimal one as well.
 */
export function readSerialNumber(given: string): Checked<string> {
  if (isSerial(given)) return { ok: true, value: given.toUpperCase() };
  // `openssl x509 -serial` prints it behind "serial=", `-text` and browsers with colons, some with blanks or 0x.
  const bare = given.replace(/^\s*(?:serial(?:\s*number)?\s*[=:])?\s*(?:0x)?/i, "").replace(/[\s:]/g, "");
  if (isSerial(bare)) {
    return refuse(
      "在 40 位十六进制数之外还有别的字符（如 serial=、冒号、空格）",
      "holds more than the 40 hexadecimal digits, such as serial=, colons or blanks",
      bare.toUpperCase(),
    );
  }
  if (/^\d{41,49}$/.test(bare) && BigInt(bare) < OCTETS_TOP) {
    const digits = `${bare.length}`;
    const hexadecimal = BigInt(bare).toString(16).toUpperCase().padStart(DIGITS, "0");
    return refuse(
      `是 ${digits} 位的十进制数，应为 40 位十六进制数`,
      `is a decimal number of ${digits} digits: it must be 40 hexadecimal digits`,
      hexadecimal,
    );
  }
  if (/^[0-9A-Fa-f]+$/.test(bare)) {
    const { length } = bare;
    return refuse(`是 ${length} 位数，应为 40 位十六进制数`, `has ${length} digits: it must be 40 hexadecimal digits`);
  }
  return refuse("格式不对，应为 40 位十六进制数", "does not fit: it must be 40 hexadecimal digits");
}

function isSerial(text: string): boolean {
  return new RegExp(`^[0-9A-Fa-f]{${DIGITS}}$`).test(text);
}

function refuse(zh: string, en: string, meant?: string): { ok: false; what: Bilingual; instead: Bilingual } {
  const read = {
    zh: `请读取商户 API 证书：${COMMAND}，只写 = 后面的部分`,
    en: `read it from the merchant API certificate, ${COMMAND}, and write what stands behind the =`,
  };
  const instead =
    meant === undefined
      ? read
      : { zh: `请写 "${meant}"；核对：${COMMAND}`, en: `write "${meant}"; to check it: ${COMMAND}` };
  return { ok: false, what: { zh, en }, instead };
}
