import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from "node:crypto";

/**
 * One sealed file: magic 8 | format version 1 | header length 2 | header (JSON, in the clear) | iv 12 | tag 16 | AES-256-GCM
 * ciphertext. Everything before the iv is authenticated with the ciphertext, so a header cannot be exchanged.
 * What it protects: a copied card or backup without the key. What it does not: root on the running terminal.
 */
export interface SealHeader {
  /** SHA-256 of the identity tuple, hexadecimal. */
  readonly identity: string;
  /** The device the credential inside belongs to, "" without a credential. */
  readonly device_id: string;
  /** The highest generation inside. */
  readonly generation: number;
  /** Grows with every write, so that of two files the newer is known. */
  readonly seq: number;
  /** Tells a file of another key from a damaged one. */
  readonly key_id: string;
}

export interface SealKey {
  readonly key: KeyObject;
  readonly id: string;
}

export type Opened =
  | { readonly ok: true; readonly header: SealHeader; readonly content: Buffer }
  | { readonly ok: false; readonly reason: string; readonly header?: SealHeader };

/** No envelope is longer; a longer file is refused before it is read. */
export const LARGEST_ENVELOPE = 64 * 1024;

const MAGIC = Buffer.from("FACEPAY\x1a", "latin1");
const VERSION = 1;
const PREFIX_LENGTH = MAGIC.length + 3;
const IV_LENGTH = 12;
// Node takes a tag of four octets when it is not told the length; a forgery would then need 2^32 tries only.
const TAG_LENGTH = 16;
const CIPHER = { authTagLength: TAG_LENGTH } as const;
const SALT = "facepay-agent";

/** The sealing key and its id from a key file's octets (HKDF-SHA256, RFC 5869). */
export function deriveKey(material: Buffer): SealKey {
  const key = Buffer.from(hkdfSync("sha256", material, SALT, "state seal v1", 32));
  const id = Buffer.from(hkdfSync("sha256", material, SALT, "state seal key id v1", 8));
  return { key: createSecretKey(key), id: id.toString("hex") };
}

/** `iv`: twelve octets that this key has never been used with. Throws RangeError when the envelope would be too long. */
export function seal(content: Buffer, key: SealKey, header: Omit<SealHeader, "key_id">, iv: Buffer): Buffer {
  const text = Buffer.from(JSON.stringify({ ...header, key_id: key.id }));
  const length = PREFIX_LENGTH + text.length + IV_LENGTH + TAG_LENGTH + content.length;
  if (length > LARGEST_ENVELOPE) throw new RangeError(`the state takes ${length} octets, ${LARGEST_ENVELOPE} at most`);
  const prefix = Buffer.alloc(PREFIX_LENGTH);
  MAGIC.copy(prefix);
  prefix.writeUInt8(VERSION, MAGIC.length);
  prefix.writeUInt16BE(text.length, MAGIC.length + 1);
  const clear = Buffer.concat([prefix, text]);
  const cipher = createCipheriv("aes-256-gcm", key.key, iv, CIPHER).setAAD(clear);
  const sealed = Buffer.concat([cipher.update(content), cipher.final()]);
  return Buffer.concat([clear, iv, cipher.getAuthTag(), sealed]);
}

/** `reason` names no content. The header of a refused file is not authenticated. */
export function open(bytes: Buffer, key: SealKey): Opened {
  if (bytes.length > LARGEST_ENVELOPE) return { ok: false, reason: "too_long" };
  if (bytes.length < PREFIX_LENGTH || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    return { ok: false, reason: "not_sealed" };
  }
  const version = bytes.readUInt8(MAGIC.length);
  if (version !== VERSION) return { ok: false, reason: "format_version" };
  const ivAt = PREFIX_LENGTH + bytes.readUInt16BE(MAGIC.length + 1);
  const sealedAt = ivAt + IV_LENGTH + TAG_LENGTH;
  if (bytes.length < sealedAt) return { ok: false, reason: "truncated" };
  const header = parseHeader(bytes.subarray(PREFIX_LENGTH, ivAt));
  if (header === undefined) return { ok: false, reason: "header" };
  if (header.key_id !== key.id) return { ok: false, reason: "other_key", header };
  try {
    const decipher = createDecipheriv("aes-256-gcm", key.key, bytes.subarray(ivAt, ivAt + IV_LENGTH), CIPHER)
      .setAAD(bytes.subarray(0, ivAt))
      .setAuthTag(bytes.subarray(ivAt + IV_LENGTH, sealedAt));
    return { ok: true, header, content: Buffer.concat([decipher.update(bytes.subarray(sealedAt)), decipher.final()]) };
  } catch {
    // final() throws when the tag does not fit: that is the answer, and there is nothing more to say about it.
    return { ok: false, reason: "tampered", header };
  }
}

function parseHeader(bytes: Buffer): SealHeader | undefined {
  let header: Partial<Record<keyof SealHeader, unknown>> | null;
  try {
    header = JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
  if (typeof header !== "object" || header === null) return undefined;
  const { identity, device_id, generation, seq, key_id } = header;
  if (typeof identity !== "string" || typeof device_id !== "string" || typeof key_id !== "string") return undefined;
  if (!isCount(generation) || !isCount(seq)) return undefined;
  return { identity, device_id, generation, seq, key_id };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
