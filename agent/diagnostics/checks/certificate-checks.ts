import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { readGuarded } from "../../common/files/guarded-file.ts";
import type { LoadedConfig } from "../../config/load.ts";
import { parseCertificate, parseMerchantKey } from "../../config/secrets/pem.ts";
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
      detail: {
        zh: `私钥旁没有 ${MERCHANT_CERTIFICATE}，由 pay.auth 在线核对`,
        en: `no ${MERCHANT_CERTIFICATE} beside the key: pay.auth finds out online`,
      },
    };
  }
  if (!context.privileged) return needsSudo;
  const value = { serial_configured: serial, serial_certificate: certificate.serialNumber };
  if (certificate.serialNumber.toUpperCase() !== serial.toUpperCase()) {
    return {
      status: "fail",
      value,
      detail: {
        zh: `证书序列号是 ${certificate.serialNumber}，配置写的是 ${serial}`,
        en: `the certificate's serial is ${certificate.serialNumber}, the configuration says ${serial}`,
      },
    };
  }
  const key = parseMerchantKey(await readFile(file, "utf8"), file);
  if (key.ok && certificate.checkPrivateKey(key.value)) {
    return { status: "pass", value, detail: { zh: "证书、序列号与私钥一致", en: "certificate, serial and key fit" } };
  }
  const detail = { zh: "私钥与证书不匹配", en: "the key does not belong to the certificate" };
  return { status: "fail", value, detail };
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
      detail: { zh: `${name} 尚未生效`, en: `${name} is not valid yet` },
      remedy: {
        zh: "请核对本机时间；时间正确时请联系总部。",
        en: "Check this machine's clock; if it is right, call headquarters.",
      },
    };
  }
  const left =
    days < 0
      ? { zh: `${name} 已于 ${day} 过期`, en: `${name} expired on ${day}` }
      : { zh: `${name} 有效至 ${day}（${days} 天）`, en: `${name} is valid until ${day} (${days} d)` };
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
  if (!certificate)
    return { status: "skip", detail: { zh: "没有可查看的证书", en: "there is no certificate to look at" } };
  const [begins, ends] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  return judgeExpiry(file, begins, ends, context.clock.wall());
}

export const certificateChecks: readonly Check[] = [
  {
    id: "key.match",
    code: 305,
    section: "config",
    title: { zh: "证书与私钥", en: "Certificate and key" },
    dependsOn: ["key.file"],
    threshold: { fail: "key, certificate and configured serial number do not belong together" },
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
        return { status: "skip", detail: { zh: "未使用终端证书", en: "no client certificate is in use" } };
      }
      if (!context.privileged) return needsSudo;
      return { status: "pass", detail: { zh: "终端证书与私钥一致", en: "client certificate and key fit" } };
    },
  },
  {
    id: "cert.expiry",
    code: 306,
    section: "config",
    title: { zh: "证书有效期", en: "Certificate validity" },
    dependsOn: ["time.rtc", "key.file"],
    threshold: { warn: "<= 30 d", fail: "<= 7 d, expired or not valid yet" },
    remedy: checkRemedy("cert.expiry"),
    async run(context) {
      const { loaded } = context;
      if (loaded === undefined) return withoutConfig();
      return await expiry(context, loaded);
    },
  },
];
