import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import type { Fault } from "../../common/files/guarded-file.ts";
import type { Bilingual } from "../../common/language.ts";

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: Fault };

const LEAST_BITS = 2048;
const LEAST_CURVE_BITS = 256;
/** The strong curves that TLS has signatures for (RFC 8446 4.2.3, RFC 8734). With a key of another one no certificate is sent at all. */
const TLS_CURVES = ["prime256v1", "secp384r1", "secp521r1", "brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1"];
const DAY_MS = 86_400_000;
const WARN_DAYS = 30;

const NEW_PAIR: Words = [
  "请重新生成 RSA 2048 位以上或 EC P-256 的密钥，申请新证书，一并下发",
  "make a key of RSA 2048 bits or more, or of EC P-256, have a new certificate issued for it, and deploy both together",
];

/** The merchant's RSA key out of a PEM text. `file` is only for the messages, which never quote the text. */
export function parseMerchantKey(pem: string, file: string): Parsed<KeyObject> {
  const parsed = parsePrivateKey(pem, file, "apiclient_key.pem");
  if (!parsed.ok) return parsed;
  const weakness = notStrongRsa(parsed.value);
  if (weakness === undefined) return parsed;
  // WeChat Pay never has this key: it is made where the certificate is applied for (WeChat Pay APIv3: certificates).
  return isRsa(parsed.value)
    ? unfit(file, weakness, [
        "请用微信支付证书工具重新生成密钥并申请 API 证书，再放入新的 apiclient_key.pem 和 merchant_serial_no",
        "make a new key and apply for a new API certificate with WeChat Pay's certificate tool; put its apiclient_key.pem there and its serial number into merchant_serial_no",
      ])
    : unfit(file, weakness, [
        "请指定证书工具生成的 apiclient_key.pem",
        "name the apiclient_key.pem that WeChat Pay's certificate tool has made",
      ]);
}

/** The key that goes with a TLS certificate, of a terminal or of a gateway. OpenSSL takes no weaker one, and says so only when it is used. */
export function parseTlsKey(pem: string, file: string, usual: string): Parsed<KeyObject> {
  const parsed = parsePrivateKey(pem, file, usual);
  const weakness = parsed.ok ? notStrong(parsed.value) : undefined;
  return weakness === undefined ? parsed : unfit(file, weakness, NEW_PAIR);
}

/** What is too weak about the key in a TLS certificate. */
export function judgeCertificateKey(certificate: X509Certificate, file: string): Fault | undefined {
  const weakness = notStrong(certificate.publicKey);
  if (weakness === undefined) return undefined;
  const [zh, en] = weakness;
  const fitting = unfit(file, [`中证书的密钥${zh}`, `a certificate whose key ${en.replace(/^which /, "")}`], NEW_PAIR);
  return fitting.ok ? undefined : fitting.fault;
}

/** Any unencrypted private key out of a PEM text. `usual`: how the right file is usually called. */
function parsePrivateKey(pem: string, file: string, usual: string): Parsed<KeyObject> {
  const labels = labelsOf(pem);
  if (/ENCRYPTED/.test(pem)) {
    return fault(
      [`${file} 中的私钥有密码`, `names ${file}, a key that is encrypted with a password`],
      [
        `请解密：(umask 077; openssl pkey -in ${file} -out ${file}.plain)，并改为指定 ${file}.plain`,
        `decrypt it, (umask 077; openssl pkey -in ${file} -out ${file}.plain), and name ${file}.plain`,
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
    const weakness = notStrongRsa(key);
    if (weakness === undefined) return { ok: true, value: key };
    return unfit(file, weakness, [
      "请从商户平台重新下载微信支付公钥",
      "download WeChat Pay's public key from the merchant platform again",
    ]);
  } catch {
    return damaged(file);
  }
}

/**
 * What is wrong with a public key that is the other half of one of our own: then no answer would ever verify. `ours`: by the key that
 * names the file.
 */
export function judgeOrigin(
  publicKey: KeyObject,
  ours: ReadonlyMap<string, KeyObject>,
  file: string,
): Fault | undefined {
  // Not by KeyObject.equals: with keys of two kinds Node 24 leaves an error in OpenSSL's queue, and the next key read fails of it.
  const octets = (key: KeyObject) => key.export({ type: "spki", format: "der" });
  const shown = octets(publicKey);
  const [own] = [...ours].find(([, key]) => octets(createPublicKey(key)).equals(shown)) ?? [];
  if (own === undefined) return undefined;
  const unfitting = unfit(
    file,
    [`是 ${own} 中自己私钥的公钥，不是微信支付公钥`, `which is the public half of ${own}, not WeChat Pay's public key`],
    [
      "请从商户平台“API 安全”下载微信支付公钥（pub_key.pem），连同其 public_key_id 一起写入",
      "download WeChat Pay's public key (pub_key.pem) from the merchant platform, under API security, and name it with its public_key_id",
    ],
  );
  return unfitting.ok ? undefined : unfitting.fault;
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

type Words = readonly [zh: string, en: string];

function isRsa(key: KeyObject): boolean {
  return key.asymmetricKeyType === "rsa";
}

/** Why this is no RSA key that signs or verifies for WeChat Pay. */
function notStrongRsa(key: KeyObject): Words | undefined {
  if (isRsa(key)) return tooShort(key);
  const kind = key.asymmetricKeyType?.toUpperCase() ?? "?";
  return [`是 ${kind} 密钥，不是 RSA 密钥`, `which is an ${kind} key, not an RSA key`];
}

/** Why TLS takes no such key: RSA of 2048 bits, and a curve of 256, are the least. */
function notStrong(key: KeyObject): Words | undefined {
  const { asymmetricKeyType: kind, asymmetricKeyDetails: details } = key;
  if (kind === "rsa" || kind === "rsa-pss") return tooShort(key);
  if (kind === "ec") {
    const curve = details?.namedCurve ?? "?";
    if (TLS_CURVES.includes(curve)) return undefined;
    const bits = Number(/\d{3}/.exec(curve)?.[0] ?? 0);
    return bits < LEAST_CURVE_BITS
      ? [`是曲线 ${curve} 的密钥，太弱，至少要用 P-256`, `which is a key of the curve ${curve}, weaker than P-256`]
      : [`是曲线 ${curve} 的密钥，不能用于 TLS`, `which is a key of the curve ${curve}, of no use to TLS`];
  }
  if (kind === "ed25519" || kind === "ed448") return undefined;
  return [`是 ${kind ?? "?"} 密钥，不能用于 TLS`, `which is a key of the kind ${kind ?? "?"}, of no use to TLS`];
}

function tooShort({ asymmetricKeyDetails: details }: KeyObject): Words | undefined {
  const bits = details?.modulusLength ?? 0;
  if (bits >= LEAST_BITS) return undefined;
  return [
    `是 ${bits} 位的 RSA 密钥，太短，至少 ${LEAST_BITS} 位`,
    `which is an RSA key of ${bits} bits, too short: it takes at least ${LEAST_BITS}`,
  ];
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

function unfit(file: string, [zh, en]: Words, instead: Words): Parsed<never> {
  return fault([`${file} ${zh}`, `names ${file}, ${en}`], instead);
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
