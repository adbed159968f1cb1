import type { AnyMessage } from "../../messages/message.ts";
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
    return refuse({ id: "serial.more" }, bare.toUpperCase());
  }
  if (/^\d{41,49}$/.test(bare) && BigInt(bare) < OCTETS_TOP) {
    const hexadecimal = BigInt(bare).toString(16).toUpperCase().padStart(DIGITS, "0");
    return refuse({ id: "serial.decimal", params: { digits: bare.length } }, hexadecimal);
  }
  if (/^[0-9A-Fa-f]+$/.test(bare)) {
    return refuse({ id: "serial.digits", params: { digits: bare.length } });
  }
  return refuse({ id: "serial.unfit" });
}

function isSerial(text: string): boolean {
  return new RegExp(`^[0-9A-Fa-f]{${DIGITS}}$`).test(text);
}

function refuse(what: AnyMessage, meant?: string): { ok: false; what: AnyMessage; instead: AnyMessage } {
  const instead: AnyMessage =
    meant === undefined
      ? { id: "serial.read", params: { command: COMMAND } }
      : { id: "serial.write", params: { meant, command: COMMAND } };
  return { ok: false, what, instead };
}
