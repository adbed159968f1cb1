import { type Entropy, systemEntropy } from "../../agent/entropy.ts";

/** Contract 9: not even a part. Shorter pieces would be found by chance. */
const PIECE = 8;

/** All secrets of one rig, and whether any piece of them has come out somewhere. */
export class Canaries {
  readonly #pieces = new Map<string, string>();
  readonly #secrets = new Map<string, string[]>();
  /** Each chance draw whose octets become a secret: their base64 is looked at late, since its maker still changes them. */
  readonly #drawn: { name: string; octets: Buffer }[] = [];

  add(name: string, secret: string): void {
    this.#secrets.set(name, [...this.all(name), secret]);
    for (let at = 0; at + PIECE <= secret.length; at++) this.#pieces.set(secret.slice(at, at + PIECE), name);
  }

  /** The lines of a private key but the first, which tells only its kind. */
  addKey(name: string, pem: string): void {
    const lines = pem.split("\n").filter((line) => line !== "" && !line.startsWith("-----"));
    for (const line of lines.slice(1)) this.add(name, line);
  }

  /** Chance for a stand-in: its draws of `length` octets are the secret `name` in base64. */
  entropy(name: string, length: number): Entropy {
    return {
      unit: systemEntropy.unit,
      bytes: (wanted) => {
        const octets = systemEntropy.bytes(wanted);
        if (wanted === length) this.#drawn.push({ name, octets });
        return octets;
      },
    };
  }

  /** The secrets of this name, oldest first. */
  all(name: string): readonly string[] {
    this.#settle();
    return this.#secrets.get(name) ?? [];
  }

  /** The names of the secrets of which a piece occurs in `text`, plain or in base64, base64url, hexadecimal or URL encoding. */
  in(text: string): string[] {
    this.#settle();
    const found = new Set<string>();
    for (const form of [text, ...decodings(text)]) {
      for (let at = 0; at + PIECE <= form.length; at++) {
        const name = this.#pieces.get(form.slice(at, at + PIECE));
        if (name !== undefined) found.add(name);
      }
    }
    return [...found];
  }

  #settle(): void {
    for (const { name, octets } of this.#drawn.splice(0)) this.add(name, octets.toString("base64"));
  }
}

/** What in `text` may be something encoded, decoded. Where an encoding begins within a run is unknown: every phase is tried. */
function* decodings(text: string): Generator<string> {
  for (const run of runs(text, /[0-9a-f]{16,}/gi)) {
    for (const phase of [0, 1]) {
      const octets = Buffer.from(run.slice(phase), "hex");
      yield octets.toString("latin1");
      // A secret that is base64 may also be told by the octets it stands for.
      for (let from = 0; from < 3; from++) yield octets.subarray(from).toString("base64");
    }
  }
  for (const run of runs(text, /[\w+/-]{11,}/g)) {
    for (let phase = 0; phase < 4; phase++) yield Buffer.from(run.slice(phase), "base64").toString("latin1");
  }
  const plain = text.replace(/%[0-9a-f]{2}|\\u00[0-9a-f]{2}|\\\//gi, (code) =>
    code === "\\/" ? "/" : String.fromCharCode(Number.parseInt(code.slice(-2), 16)),
  );
  if (plain !== text) yield plain;
  if (/[-_]/.test(text)) yield text.replaceAll("-", "+").replaceAll("_", "/");
}

/** Each once: a log says most things again and again. */
function runs(text: string, pattern: RegExp): Set<string> {
  return new Set([...text.matchAll(pattern)].map(([run]) => run));
}
