import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { readGuarded } from "../../common/files/guarded-file.ts";
import type { LoadedConfig } from "../../config/load.ts";
import { parseCertificate, parseMerchantKey } from "../../config/secrets/pem.ts";
import type { Text } from "../../messages/message.ts";
import { checkRemedy } from "../../messages/remedies/remedies.ts";
import type { Check, DiagnoseContext, Outcome } from "../check.ts";
import { secretsOf } from "../facts.ts";
import { needsSudo, withoutConfig } from "../outcomes.ts";
import { failed } from "./key-checks.ts";

const DAY_MS = 86_400_000;
const WARN_DAYS = 30;
const FAIL_DAYS = 7;
/** How the merchant platform names the certificate that comes with the key; often it is put beside it. */
const MERCHANT_CERTIFICATE = "apiclient_cert.pem";
const LARGEST_CERTIFICATE = 64 * 1024;

/** The certificate that came with the merchant's key, if somebody has put it beside. */
function merchantCertificate(keyFile: string): X509Certificate | undefined {
  const file = path.join(path.dirname(keyFile), MERCHANT_CERTIFICATE);
  const guard = { secret: false, most: LARGEST_CERTIFICATE, uid: undefined, credentialsDirectory: undefined };
  const read = readGuarded(file, guard);
  const parsed = read.ok ? parseCertificate(read.bytes.toString("utf8"), file, MERCHANT_CERTIFICATE) : undefined;
  // Not there, not readable or no certificate: nothing can be learned from it.
  return parsed?.ok ? parsed.value : undefined;
}

async function merchantMatch(context: DiagnoseContext, { config }: LoadedConfig): Promise<Outcome> {
  const { merchantPrivateKeyFile: file, merchantSerialNo: serial = "" } = config.wechatpay;
  const certificate = file === undefined ? undefined : merchantCertificate(file);
  if (file === undefined || certificate === undefined) {
    return {
      status: "skip",
      detail: { id: "certificates.none_beside_key", params: { file: MERCHANT_CERTIFICATE } },
    };
  }
  if (!context.privileged) return needsSudo;
  const value = { serial_configured: serial, serial_certificate: certificate.serialNumber };
  if (certificate.serialNumber.toUpperCase() !== serial.toUpperCase()) {
    return {
      status: "fail",
      value,
      detail: {
        id: "certificates.other_serial",
        params: { certificate: certificate.serialNumber, configured: serial },
      },
    };
  }
  const key = parseMerchantKey(await readFile(file, "utf8"), file);
  if (key.ok && certificate.checkPrivateKey(key.value)) {
    return { status: "pass", value, detail: { id: "certificates.all_fit" } };
  }
  return { status: "fail", value, detail: { id: "certificates.other_key" } };
}

/** Pure. `ends`, `begins`: Unix ms. */
export function judgeExpiry(name: string, begins: number, ends: number, wallMs: number): Outcome {
  const day = new Date(ends).toISOString().slice(0, 10);
  const days = Math.floor((ends - wallMs) / DAY_MS);
  const value = { certificate: name, valid_until: new Date(ends).toISOString(), days_left: days };
  if (wallMs < begins) {
    return {
      status: "fail",
      value,
      detail: { id: "certificates.not_yet_valid", params: { name } },
      remedy: { id: "certificates.check_clock" },
    };
  }
  const left: Text =
    days < 0
      ? { id: "certificates.expired", params: { name, day } }
      : { id: "certificates.valid_until", params: { name, day, days } };
  return { status: days > WARN_DAYS ? "pass" : days > FAIL_DAYS ? "warn" : "fail", value, detail: left };
}

async function expiry(context: DiagnoseContext, { config }: LoadedConfig): Promise<Outcome> {
  const { clientCertFile, merchantPrivateKeyFile } = config.wechatpay;
  const certificate = clientCertFile
    ? await readFile(clientCertFile).then(
        (pem) => new X509Certificate(pem),
        () => undefined,
      )
    : merchantPrivateKeyFile && merchantCertificate(merchantPrivateKeyFile);
  const file = clientCertFile ?? MERCHANT_CERTIFICATE;
  if (!certificate) return { status: "skip", detail: { id: "certificates.none" } };
  const [begins, ends] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  return judgeExpiry(file, begins, ends, context.clock.wall());
}

export const certificateChecks: readonly Check[] = [
  {
    id: "key.match",
    code: 305,
    section: "config",
    title: { id: "title.key.match" },
    dependsOn: ["key.file"],
    threshold: { fail: { id: "limit.key.match.fail" } },
    remedy: checkRemedy("key.match"),
    async run(context) {
      const { loaded } = context;
      if (loaded === undefined) return withoutConfig();
      const { problems } = await secretsOf(context);
      const mismatch = problems.find(({ check }) => check === "key.match");
      if (mismatch !== undefined) return failed(mismatch);
      const { mode, clientCertFile } = loaded.config.wechatpay;
      if (mode === "direct") return await merchantMatch(context, loaded);
      if (clientCertFile === undefined) {
        return { status: "skip", detail: { id: "certificates.no_client" } };
      }
      if (!context.privileged) return needsSudo;
      return { status: "pass", detail: { id: "certificates.client_fits" } };
    },
  },
  {
    id: "cert.expiry",
    code: 306,
    section: "config",
    title: { id: "title.cert.expiry" },
    dependsOn: ["time.rtc", "key.file"],
    threshold: { warn: { id: "limit.cert.expiry.warn" }, fail: { id: "limit.cert.expiry.fail" } },
    remedy: checkRemedy("cert.expiry"),
    async run(context) {
      const { loaded } = context;
      if (loaded === undefined) return withoutConfig();
      return await expiry(context, loaded);
    },
  },
];
