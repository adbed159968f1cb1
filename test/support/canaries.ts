import { type Entropy, systemEntropy } from "../../agent/entropy.ts";

/** Contract 9: not even a part. Shorter pieces would be found by chance. */
const PIECE = 12;

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

  /** The names of the secrets of which a piece occurs in `text`. */
  in(text: string): string[] {
    this.#settle();
    const found = new Set<string>();
    for (let at = 0; at + PIECE <= text.length; at++) {
      const name = this.#pieces.get(text.slice(at, at + PIECE));
      if (name !== undefined) found.add(name);
    }
    return [...found];
  }

  #settle(): void {
    for (const { name, octets } of this.#drawn.splice(0)) this.add(name, octets.toString("base64"));
  }
}
