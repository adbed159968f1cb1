import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { type Answer, json, PlatformSigner, type SignatureKind, usualRefusal } from "../../agent/simulator/answers.ts";
import { checkAuthinfoBody } from "../../agent/simulator/authinfo-rules.ts";
import { checkSignature } from "../../agent/simulator/merchant-signature.ts";
import type { Chance } from "../support/faults/seeded.ts";
import { secret } from "./chance.ts";
import type { Device } from "./device.ts";

const keyPair = () =>
  generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });

/** Made once for all simulated terminals: what a signature looks like decides nothing. */
export const keys = { platform: keyPair(), merchant: keyPair() };
export const PLATFORM_KEY_ID = "PUB_KEY_ID_0000000000000024101100397200000006";

/** How the answers are wrong; what is not set is as it should be. */
export interface AnswerTrouble {
  readonly status?: number;
  readonly retryAfterS?: number;
  readonly signature?: SignatureKind;
  /** The signed timestamp is this much off, seconds. */
  readonly signedOffS?: number;
  /** The last good answer comes again, or the one before it; nothing happens while there is none. */
  readonly replay?: 1 | 2;
  readonly body?: "portal" | "empty" | "not_json" | "charset" | "other_authinfo" | "same_authinfo";
  readonly expiresIn?: unknown;
  readonly refreshSeconds?: number;
  /** An error body quotes what was sent. */
  readonly quotes?: boolean;
}

export interface Issued {
  readonly number: number;
  readonly authinfo: string;
  readonly deviceId: string;
  readonly atMs: number;
  readonly lifeMs: number;
  /** `expires_in` was in the answer. */
  readonly told: boolean;
  /** The answer is signed this much off, seconds. */
  readonly signedOffS: number;
  /** The terminal has had the whole answer, and may believe it. */
  delivered: boolean;
}

export interface Asked {
  readonly atMs: number;
  readonly origin: string;
  readonly rawData: string;
  readonly deviceId: string;
  /** What WeChat Pay has against it, if anything. */
  readonly reason?: string;
  readonly trouble: AnswerTrouble | undefined;
  readonly issued: Issued | undefined;
  /** What the answer carries and a terminal may believe: also when it comes again, or is dated as the terminal's clock is wrong. */
  readonly carried: Issued | undefined;
  readonly retryAfterS: number | undefined;
  readonly status: number;
}

/** WeChat Pay, and the merchant's gateway before it: the book of what was issued is kept here. */
export class SimulatedPay {
  /** Told of each request that has arrived. */
  onAsked: (asked: Asked) => void = () => undefined;
  /** By authinfo. */
  readonly issued = new Map<string, Issued>();
  trouble: AnswerTrouble | undefined;
  /** Seconds of `expires_in`; undefined: left out. */
  expiresIn: number | undefined;
  readonly #device: Device;
  readonly #chance: Chance;
  readonly #signer: PlatformSigner;
  readonly #nonces = new Set<string>();
  #good: { readonly answer: Answer; readonly issued: Issued }[] = [];
  #number = 0;
  #count = 0;
  #last: Issued | undefined;
  /** What the terminal shows: an error may quote it. */
  shown: () => string | undefined = () => undefined;

  constructor(device: Device, chance: Chance) {
    this.#device = device;
    this.#chance = chance;
    this.expiresIn = device.expiresIn;
    const bytes = (length: number) => Buffer.from(Array.from({ length }, () => chance.below(256)));
    const platform = { keyId: PLATFORM_KEY_ID, privateKeyPem: keys.platform.privateKey };
    this.#signer = new PlatformSigner(platform, { unit: () => chance.unit(), bytes });
  }

  /** One request that has reached it. @param wallMs its own clock */
  answer(
    request: { path: string; headers: Readonly<Record<string, string>>; body: string },
    origin: string,
    at: { readonly ms: number; readonly wallMs: number },
  ): { answer: Answer; asked: Asked } {
    const trouble = this.#troubleNow();
    const body = Buffer.from(request.body);
    const fields = JSON.parse(request.body) as Record<string, string>;
    const refusal = this.#refusal(request, body, Math.floor(at.wallMs / 1_000));
    const { raw_data: rawData = "", device_id: deviceId = "" } = fields;
    let issued: Issued | undefined;
    let answer: Answer;
    if (trouble?.status !== undefined && trouble.status >= 300) {
      answer = this.#error(trouble, fields);
    } else if (refusal !== undefined) {
      answer = refusal.answer;
    } else if (trouble?.body === "portal") {
      answer = { status: 200, headers: { "Content-Type": "text/html" }, body: Buffer.from("<html>login</html>") };
    } else {
      issued = this.#issue(deviceId, trouble, at.ms);
      answer = this.#success(issued, trouble);
    }
    const signature = trouble?.signature ?? (answer.status < 300 && trouble?.body !== "portal" ? "good" : "none");
    const signedAtS = Math.floor(at.wallMs / 1_000) + (trouble?.signedOffS ?? 0);
    const headers = {
      Date: new Date(at.wallMs).toUTCString(),
      "Request-ID": `08${String(this.#count).padStart(8, "0")}`,
      ...this.#signer.headers(answer.body, signedAtS, signature),
      ...(trouble?.refreshSeconds === undefined ? {} : { "Facepay-Refresh-Seconds": String(trouble.refreshSeconds) }),
      ...answer.headers,
    };
    answer = { ...answer, headers };
    const replayed = trouble?.replay === undefined ? undefined : this.#good.at(-trouble.replay);
    if (issued !== undefined && trouble === undefined) this.#good = [...this.#good.slice(-2), { answer, issued }];
    // Nothing that is not signed, or is another answer, has been issued to anybody.
    if (!isBelievable(trouble)) issued = undefined;
    if (issued !== undefined) {
      this.issued.set(issued.authinfo, issued);
      this.#last = issued;
    }
    const asked: Asked = {
      atMs: at.ms,
      ...{ origin, rawData, deviceId, trouble },
      issued: issued && isDatedRight(issued) ? issued : undefined,
      carried: replayed?.issued ?? issued,
      retryAfterS: trouble?.retryAfterS,
      status: replayed?.answer.status ?? answer.status,
      ...(refusal === undefined ? {} : { reason: refusal.reason }),
    };
    this.#count++;
    this.onAsked(asked);
    return { answer: replayed?.answer ?? answer, asked };
  }

  /** A replay is one only if there is something to replay. */
  #troubleNow(): AnswerTrouble | undefined {
    const { trouble } = this;
    return trouble?.replay !== undefined && this.#good.at(-trouble.replay) === undefined ? undefined : trouble;
  }

  #refusal(
    { path, headers }: { path: string; headers: Readonly<Record<string, string>> },
    body: Buffer,
    nowS: number,
  ): { reason: string; answer: Answer } | undefined {
    const { mode, identity, token, deviceId } = this.#device;
    if (mode === "gateway") {
      if (headers.authorization !== `Bearer ${token}`) {
        return { reason: "token", answer: json(401, { code: "GATEWAY_UNAUTHORIZED", message: "unknown token" }) };
      }
    } else {
      const signed = { method: "POST", target: path, body, authorization: headers.authorization };
      const merchant = { mchid: identity.sp_mchid, serialNo: this.#device.merchantSerial, publicKey: merchantKey };
      const verdict = checkSignature(signed, merchant, nowS, (nonce) => isNew(this.#nonces, nonce));
      if ("refusal" in verdict) {
        const { reason, message } = verdict.refusal;
        return { reason, answer: json(401, { code: "SIGN_ERROR", message }) };
      }
    }
    const expected = {
      spAppid: identity.sp_appid,
      subMchid: identity.sub_mchid,
      organizationId: identity.organization_id,
      deviceId,
    };
    // Whether it has been used before is judged elsewhere: a repetition on the backup is as it should be.
    const { refusal } = checkAuthinfoBody(body, expected, () => true);
    return refusal;
  }

  #issue(deviceId: string, trouble: AnswerTrouble | undefined, atMs: number): Issued {
    const expiresIn = trouble !== undefined && "expiresIn" in trouble ? trouble.expiresIn : this.expiresIn;
    const told = expiresIn !== undefined;
    const lifeMs = Math.min(Number(expiresIn ?? this.#device.lifetimeS), 86_400) * 1_000;
    if (trouble?.body === "same_authinfo" && this.#last?.deviceId === deviceId) {
      // The same one once more: without a new term it ends when it would have ended.
      const before = this.#last;
      // Where both are believed for a while, the later end counts.
      const from = Math.max(atMs, before.atMs + before.lifeMs - lifeMs);
      const again = { ...before, signedOffS: 0 };
      return told ? { ...again, atMs: from, lifeMs, told } : again;
    }
    const number = this.#number++;
    const { signedOffS = 0 } = trouble ?? {};
    const authinfo = secret(this.#chance, number, 60);
    return { number, authinfo, deviceId, atMs, lifeMs, told, signedOffS, delivered: false };
  }

  #success(issued: Issued, trouble: AnswerTrouble | undefined): Answer {
    const expiresIn = trouble !== undefined && "expiresIn" in trouble ? trouble.expiresIn : this.expiresIn;
    const value = { authinfo: issued.authinfo, ...(expiresIn === undefined ? {} : { expires_in: expiresIn }) };
    switch (trouble?.body) {
      case "empty":
        return { ...json(trouble.status ?? 200, null), body: Buffer.alloc(0) };
      case "not_json":
        return { ...json(200, null), body: Buffer.from(`${JSON.stringify(value)}}`) };
      case "charset":
        return json(200, value, { "Content-Type": "application/json; charset=gbk" });
      case "other_authinfo":
        return json(200, { ...value, authinfo: ["a", "list"] });
      default:
        return json(200, value);
    }
  }

  #error({ status = 500, retryAfterS, quotes }: AnswerTrouble, fields: Readonly<Record<string, string>>): Answer {
    const usual = usualRefusal(status);
    const wait = retryAfterS === undefined ? {} : { "Retry-After": String(retryAfterS) };
    // Pieces that are short enough to pass for words. A direct terminal has no token.
    const token = this.#device.mode === "gateway" ? this.#device.token : "";
    const told = `${fields.raw_data?.slice(3, 15)} ${this.shown()?.slice(5, 17)} ${token.slice(0, 12)}`;
    const answer = quotes ? json(status, { code: "PARAM_ERROR", message: `wrong: ${told}` }) : usual;
    return {
      ...answer,
      headers: { ...answer.headers, ...wait, ...(status < 400 ? { Location: "http://portal.example/" } : {}) },
    };
  }
}

const merchantKey = createPublicKey(keys.merchant.publicKey);

/** An answer that a terminal may believe, as far as its clock does not speak against it. */
function isBelievable(trouble: AnswerTrouble | undefined): boolean {
  if (trouble === undefined) return true;
  const { signature = "good", body = "same_authinfo", replay } = trouble;
  if (signature !== "good" || body !== "same_authinfo" || replay !== undefined) return false;
  return !("expiresIn" in trouble) || isTerm(trouble.expiresIn);
}

/** Signed when it was sent: a terminal whose clock is right believes no other. */
export const isDatedRight = ({ signedOffS }: Issued): boolean => Math.abs(signedOffS) <= 1;

function isTerm(value: unknown): boolean {
  return value === undefined || (Number.isInteger(Number(value)) && Number(value) >= 60);
}

function isNew(seen: Set<string>, value: string): boolean {
  if (seen.has(value)) return false;
  seen.add(value);
  return true;
}
