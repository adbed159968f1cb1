/** A secret of this terminal, as octets; its name is for people and is no secret. */
export interface Secret {
  readonly name: string;
  readonly octets: Buffer;
}

/** Specification 9: not even a part. Shorter pieces would be found by chance. */
const PIECE = 8;
/** A secret that is shorter than a piece is looked for as a whole; one of fewer characters is in every text. */
const SHORTEST = 5;

export const DROPPED = "[dropped]";

/** Every piece of every secret in the forms in which it might come out, with the secret's name. */
export type Pieces = ReadonlyMap<string, string>;

/** Plain, base64 in each of its three alignments, hexadecimal, and as in a URL. */
export function piecesOf(secrets: readonly Secret[]): Pieces {
  const pieces = new Map<string, string>();
  for (const { name, octets } of secrets) {
    for (const form of formsOf(octets)) {
      if (form.length >= SHORTEST && form.length < PIECE) pieces.set(form, name);
      for (let at = 0; at + PIECE <= form.length; at++) pieces.set(form.slice(at, at + PIECE), name);
    }
  }
  return pieces;
}

function formsOf(octets: Buffer): string[] {
  const text = octets.toString("utf8");
  // Not the first and last characters of a shifted one: they depend on what stands beside it.
  const base64 = [0, 1, 2].map((shift) => Buffer.concat([Buffer.alloc(shift), octets]).toString("base64"));
  const inner = base64.map((form, shift) => form.slice(shift === 0 ? 0 : shift + 1).replace(/.?=+$/, ""));
  const hex = octets.toString("hex");
  const forms = [
    ...inner,
    ...inner.map((form) => form.replaceAll("+", "-").replaceAll("/", "_")),
    hex,
    hex.toUpperCase(),
  ];
  // Binary octets have no plain form in a text.
  return text.includes("\ufffd") ? forms : [text, encodeURIComponent(text), ...forms];
}

/** The names of the secrets of which a piece occurs in the text. */
export function findPieces(text: string, pieces: Pieces): string[] {
  const found = new Set<string>();
  for (const [, name] of hits(text, pieces)) found.add(name);
  return [...found];
}

/** The text without any piece of a secret; pieces that overlap or touch go as one. */
export function dropPieces(text: string, pieces: Pieces): string {
  let out = "";
  let end = 0;
  for (const [at, , length] of hits(text, pieces)) {
    if (at > end || end === 0) out += text.slice(end, at) + DROPPED;
    end = Math.max(end, at + length);
  }
  return out + text.slice(end);
}

/** The pieces that are no words of our own: what stands in every bundle gives nothing away. */
export function withoutWords(pieces: Pieces, words: string): Pieces {
  return new Map([...pieces].filter(([piece]) => !words.includes(piece)));
}

function* hits(text: string, pieces: Pieces): Generator<readonly [at: number, name: string, length: number]> {
  const lengths = [...new Set([...pieces.keys()].map(({ length }) => length))];
  for (let at = 0; at < text.length; at++) {
    for (const length of lengths) {
      const name = pieces.get(text.slice(at, at + length));
      if (name !== undefined) yield [at, name, length];
    }
  }
}

/** What looks like a secret wherever it comes from: also one that this program was never told. */
const SUSPICIOUS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, DROPPED],
  [/(\w+:\/\/)[^\s/@"']+@/g, `$1${DROPPED}@`],
  [/\b(Bearer|Basic) +[\w+/=.~-]{6,}/g, `$1 ${DROPPED}`],
  [
    /("?\b(?:authinfo|raw_?data|authorization|proxy[-_]authorization|bearer_?token|token|passwd|password|secret|private_?key)"?\s*[:=]\s*)("(?:[^"\\]|\\.)*"|[^\s,"'{}[\]]+)/gi,
    `$1"${DROPPED}"`,
  ],
  [/(SetCredential(?:Encrypted)?=[^:\n]*:).*/g, `$1${DROPPED}`],
  // As long as nothing but a key, a signature or an authinfo is.
  [/[\w+/=-]{64,}/g, DROPPED],
];

export function dropSuspicious(text: string): string {
  return SUSPICIOUS.reduce((left, [pattern, instead]) => left.replace(pattern, instead), text);
}
