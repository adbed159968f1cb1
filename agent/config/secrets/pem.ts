import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import type { Fault } from "../../files/guarded-file.ts";
import type { Bilingual } from "../../language.ts";

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: Fault };

const LEAST_BITS = 2048;
const DAY_MS = 86_400_000;
const WARN_DAYS = 30;

/** The merchant's RSA key out of a PEM text. `file` is only for the messages, which never quote the text. */
export function parseMerchantKey(pem: string, file: string): Parsed<KeyObject> {
  const parsed = parsePrivateKey(pem, file, "apiclient_key.pem");
  if (!parsed.ok) return parsed;
  return isStrongRsa(parsed.value) ? parsed : weak(file);
}

/** Any unencrypted private key out of a PEM text. `usual`: how the right file is usually called. */
export function parsePrivateKey(pem: string, file: string, usual: string): Parsed<KeyObject> {
  const labels = labelsOf(pem);
  if (/ENCRYPTED/.test(pem)) {
    return fault(
      [`${file} 中的私钥有密码`, `names ${file}, a key that is encrypted with a password`],
      [
        `请解密：(umask 077; openssl rsa -in ${file} -out ${file}.plain)，并改为指定 ${file}.plain`,
        `decrypt it, (umask 077; openssl rsa -in ${file} -out ${file}.plain), and name ${file}.plain`,
      ],
    );
  }
  if (!labels.some((label) => label.endsWith("PRIVATE KEY")))
    return notThis(labels, file, ["私钥", "a private key"], usual);
  try {
    return { ok: true, value: createPrivateKey(blockOf(pem, "PRIVATE KEY")) };
  } catch {
    return damaged(file);
  }
}

/** WeChat Pay's public key out of a PEM text. */
export function parseWechatPayKey(pem: string, file: string): Parsed<KeyObject> {
  const labels = labelsOf(pem);
  // createPublicKey would take a certificate or even a private key without a word.
  if (!labels.some((label) => label.endsWith("PUBLIC KEY"))) {
    return notThis(labels, file, ["微信支付公钥", "WeChat Pay's public key"], "pub_key.pem");
  }
  try {
    const key = createPublicKey(blockOf(pem, "PUBLIC KEY"));
    return isStrongRsa(key) ? { ok: true, value: key } : weak(file);
  } catch {
    return damaged(file);
  }
}

/** The first certificate of a PEM text (the others are its chain). */
export function parseCertificate(pem: string, file: string, usual: string): Parsed<X509Certificate> {
  const labels = labelsOf(pem);
  if (labels.some((label) => label.endsWith("PRIVATE KEY"))) {
    return fault(
      [`${file} 中含有私钥`, `names ${file}, which holds a private key`],
      ["请只保留证书，把私钥放在自己的文件中", "leave only the certificates in it; a key belongs in a file of its own"],
    );
  }
  if (!labels.includes("CERTIFICATE")) return notThis(labels, file, ["证书", "a certificate"], usual);
  try {
    return { ok: true, value: new X509Certificate(blockOf(pem, "CERTIFICATE")) };
  } catch {
    return damaged(file);
  }
}

/** What there is to say of a certificate at `wallMs`: it has expired, soon will, or is not valid yet. A warning in each case. */
export function judgeValidity(
  certificate: X509Certificate,
  file: string,
  wallMs: number,
  remedy: Bilingual = { zh: "请联系网关管理者更换证书", en: "ask whoever runs the gateway for a new certificate" },
): Fault | undefined {
  const ends = Date.parse(certificate.validTo);
  const begins = Date.parse(certificate.validFrom);
  if (wallMs >= ends) {
    const day = isoDay(ends);
    // No reason to stay down: the kept authinfo is still served, and it may be this clock that is wrong.
    return {
      what: { zh: `${file} 已于 ${day} 过期`, en: `names ${file}, which expired on ${day}` },
      instead: { zh: `${remedy.zh}（并核对本机时间）`, en: `${remedy.en} (and check this machine's clock)` },
    };
  }
  if (wallMs < begins) {
    return {
      what: { zh: `${file} 尚未生效`, en: `names ${file}, which is not valid yet` },
      instead: { zh: "请核对本机时间", en: "check this machine's clock" },
    };
  }
  const days = Math.floor((ends - wallMs) / DAY_MS);
  if (days > WARN_DAYS) return undefined;
  return {
    what: { zh: `${file} 将在 ${days} 天后过期`, en: `names ${file}, which expires in ${days} days` },
    instead: remedy,
  };
}

function isStrongRsa(key: KeyObject): boolean {
  return key.asymmetricKeyType === "rsa" && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= LEAST_BITS;
}

function labelsOf(pem: string): string[] {
  return [...pem.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)].map((match) => match[1] ?? "");
}

/** The first block whose label ends so, as a text of its own: a file may hold parameters or a chain beside it. */
function blockOf(pem: string, label: string): string {
  return new RegExp(`-----BEGIN (?:[A-Z0-9]+ )*${label}-----[^-]*-----END [A-Z0-9 ]+-----`).exec(pem)?.[0] ?? pem;
}

function notThis(
  labels: readonly string[],
  file: string,
  [zh, en]: readonly [string, string],
  usual: string,
): Parsed<never> {
  const [label] = labels;
  const found =
    label === undefined
      ? ["不是 PEM 文本", "is no PEM text"]
      : label === "CERTIFICATE"
        ? ["是证书", "is a certificate"]
        : label.endsWith("PRIVATE KEY")
          ? ["是私钥", "is a private key"]
          : label.endsWith("PUBLIC KEY")
            ? ["是公钥", "is a public key"]
            : ["是别的内容", "is something else"];
  return fault(
    [`${file} ${found[0]}，应为${zh}`, `names ${file}, which ${found[1]}, not ${en}`],
    [`请指定正确的文件（通常是 ${usual}）`, `name the right file, usually ${usual}`],
  );
}

function weak(file: string): Parsed<never> {
  return fault(
    [`${file} 不是 2048 位以上的 RSA 密钥`, `names ${file}, which is no RSA key of at least ${LEAST_BITS} bits`],
    ["请从商户平台重新下载", "download it from the merchant platform again"],
  );
}

function damaged(file: string): Parsed<never> {
  return fault(
    [`${file} 已损坏，无法解析`, `names ${file}, which is damaged and cannot be parsed`],
    ["请重新放入该文件", "put the file there again"],
  );
}

function fault(what: readonly [string, string], instead: readonly [string, string]): Parsed<never> {
  return {
    ok: false,
    fault: { what: { zh: what[0], en: what[1] }, instead: { zh: instead[0], en: instead[1] } },
  };
}

function isoDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
