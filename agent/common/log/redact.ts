/** Specification 9: a part of a secret is eight characters in a row. Fewer are met by chance. */
const PIECE = 8;

/** Names whose values are secrets, wherever they occur (specification 9). Compared without case and underscores. */
const secretNames: ReadonlySet<string> = new Set([
  "authinfo",
  "rawdata",
  "authorization",
  "token",
  "bearertoken",
  "passwd",
  "password",
  "key",
  "privatekey",
  "secret",
]);

export function isSecretName(name: string): boolean {
  return secretNames.has(name.toLowerCase().replaceAll("_", ""));
}

/** `secret` is the index of the secret of which text[from, to) is a part. */
interface Hit {
  readonly from: number;
  readonly to: number;
  readonly secret: number;
}

/**
 * Finds pieces of secrets in text: eight characters in a row, as they stand or in JSON, URL, hexadecimal or base64 form. The text is
 * decoded, not the secrets encoded: it is the shorter of the two, and a piece may begin anywhere in an encoded run.
 */
export class SecretSearch {
  readonly #secrets: readonly (string | Buffer)[];
  readonly #open: readonly string[];
  #pieces: ReadonlyMap<string, number> | undefined;

  /** @param open texts that are no secret, even where a secret contains them: a token may hold the terminal's own number */
  constructor(secrets: readonly (string | Buffer)[], open: readonly string[] = []) {
    this.#secrets = secrets;
    this.#open = open;
  }

  /** The text without any piece of a secret. An encoded run with a piece in it goes as a whole. */
  redact(text: string, replacement = "…"): string {
    let shown = "";
    let end = 0;
    for (const { from, to } of [...this.#hits(text)].sort((one, other) => one.from - other.from)) {
      if (from > end || end === 0) shown += text.slice(end, from) + replacement;
      end = Math.max(end, to);
    }
    return shown + text.slice(end);
  }

  /** The index of a secret of which the text holds a piece. */
  find(text: string): number | undefined {
    const [hit] = this.#hits(text);
    return hit?.secret;
  }

  *#hits(text: string): Generator<Hit> {
    this.#pieces ??= piecesOf(this.#secrets, this.#open);
    yield* this.#shortHits(text);
    if (this.#pieces.size === 0) return;
    yield* this.#plainHits(text, (index) => index);
    const { chars, at } = unescaped(text);
    if (chars !== text) yield* this.#plainHits(chars, at);
    for (const { 0: run, index } of chars.matchAll(ENCODED)) {
      for (const octets of decodings(run)) {
        const [hit] = this.#plainHits(octets, (place) => place);
        if (hit !== undefined) yield { from: at(index), to: at(index + run.length), secret: hit.secret };
      }
    }
  }

  *#plainHits(chars: string, at: (index: number) => number): Generator<Hit> {
    for (let index = 0; index + PIECE <= chars.length; index++) {
      const secret = this.#pieces?.get(chars.slice(index, index + PIECE));
      if (secret !== undefined) yield { from: at(index), to: at(index + PIECE), secret };
    }
  }

  /** A secret that is shorter than a piece counts where it stands by itself: every text is full of its parts. */
  *#shortHits(text: string): Generator<Hit> {
    for (const [secret, value] of this.#secrets.entries()) {
      if (value.length === 0 || value.length >= PIECE) continue;
      const short = typeof value === "string" ? value : value.toString("latin1");
      for (let from = text.indexOf(short); from !== -1; from = text.indexOf(short, from + 1)) {
        const to = from + short.length;
        if ([text[from - 1], text[to]].every((beside) => !/[A-Za-z0-9]/.test(beside ?? ""))) yield { from, to, secret };
      }
    }
  }
}

function piecesOf(secrets: readonly (string | Buffer)[], open: readonly string[]): Map<string, number> {
  const pieces = new Map<string, number>();
  for (const [index, value] of secrets.entries()) {
    const octets = Buffer.from(value).toString("latin1");
    for (const piece of piecesIn(octets)) pieces.set(piece, index);
    // What is decoded comes as octets, what stands in a text as characters.
    const text = value.toString();
    if (text !== octets) for (const piece of piecesIn(text)) pieces.set(piece, index);
  }
  for (const text of open) for (const piece of piecesIn(text)) pieces.delete(piece);
  return pieces;
}

function* piecesIn(text: string): Generator<string> {
  for (let index = 0; index + PIECE <= text.length; index++) yield text.slice(index, index + PIECE);
}

/** One character as an escape of a URL or of JSON. */
const ESCAPE = /%([0-9a-f]{2})|\\u([0-9a-f]{4})|\\(["\\/bfnrt])/gi;
const jsonEscapes: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/** The text with its escapes resolved; `at` tells where in the text a character begins. */
function unescaped(text: string): { readonly chars: string; readonly at: (index: number) => number } {
  let chars = "";
  let end = 0;
  /** Of each escape: its place among `chars`, and how much further on what follows stands in the text. */
  const shifts: { readonly index: number; readonly shift: number }[] = [];
  for (const { 0: sequence, 1: url, 2: json, 3: letter = "", index } of text.matchAll(ESCAPE)) {
    const code = url ?? json;
    chars += text.slice(end, index);
    chars += code === undefined ? (jsonEscapes[letter] ?? letter) : String.fromCharCode(Number.parseInt(code, 16));
    end = index + sequence.length;
    shifts.push({ index: chars.length, shift: end - chars.length });
  }
  if (shifts.length === 0) return { chars: text, at: (index) => index };
  const at = (index: number) => index + (shifts.findLast((shift) => shift.index <= index)?.shift ?? 0);
  return { chars: chars + text.slice(end), at };
}

/** Eight octets or more in base64; in hexadecimal they are longer. */
const ENCODED = /[\w+/-]{11,}/g;

/** What a run may stand for. Where an encoding begins within it is unknown: every phase is tried. */
function* decodings(run: string): Generator<string> {
  for (let phase = 0; phase < 4; phase++) yield Buffer.from(run.slice(phase), "base64").toString("latin1");
  for (const [digits] of run.matchAll(/[0-9a-f]{16,}/gi)) {
    for (const phase of [0, 1]) yield Buffer.from(digits.slice(phase), "hex").toString("latin1");
  }
}
