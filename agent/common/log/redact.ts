import { type Reading, readingsOf } from "./readings.ts";

/** What a peer was given or has given, and might repeat. */
export interface Known {
  /** Keys, tokens, raw_data, authinfo: no part of one may come out (specification 9). */
  readonly secret: readonly string[];
  /** What is no secret wherever it stands: a token may well contain the terminal's own number. */
  readonly open?: readonly string[];
}

/** So many characters in a row of a secret are a part of it. Fewer are met by chance: of six letters and digits there are 2e9. */
const PIECE = 6;
/** Shorter words than a piece that stand in a secret are counted together: so many characters of them are no chance any more. */
const SCATTERED = 8;
const SCATTERED_WORD = /(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{3,5}(?![A-Za-z0-9+/])/g;
/** Of a longer text no more is looked at, nor shown. */
const LONGEST = 1_000;
const REMOVED = "…";
/** A piece goes with the word around it: its first and last characters are of no use to anybody but a guesser. */
const OF_A_WORD = /[\w+/%\\-]/;

/**
 * The text without any piece of what is secret, be it plain, in other letters, escaped, hexadecimal, base32 or base64, whole or cut up by
 * anything but letters and digits. What it cannot find is a cipher, and scraps that are glued to other letters.
 */
export function redactSecrets(text: string, known: Known): string {
  const head = text.slice(0, LONGEST);
  const marks = mark(head, known);
  if (marks === undefined) return head;
  let shown = "";
  for (let at = 0; at < head.length; at++) {
    if (marks[at] !== 1) shown += head[at];
    else if (marks[at - 1] !== 1) shown += REMOVED;
  }
  return shown;
}

/** Whether any of it would be withheld. */
export function tells(text: string, known: Known): boolean {
  return text.length > LONGEST || mark(text, known) !== undefined;
}

/** 1 for every character to be withheld; undefined when there is none. */
function mark(text: string, known: Known): Uint8Array | undefined {
  const { secret, open = [] } = known;
  if (secret.length === 0) return undefined;
  const marks = new Uint8Array(text.length);
  const pieces = piecesOf(known);
  if (pieces.letters.size + pieces.literal.size > 0) {
    for (const reading of readingsOf(text)) {
      markPieces(reading, pieces.literal, marks);
      markPieces(lettersOf(reading), pieces.letters, marks);
    }
  }
  markScattered(text, secret, open, marks);
  for (const short of secret) if (short.length < PIECE) markShort(text, short, marks);
  if (!marks.includes(1)) return undefined;
  widen(text, marks);
  return marks;
}

interface Pieces {
  /** Of letters and digits alone, in lower case: for what was cut up, or went through something that knows no case. */
  readonly letters: ReadonlySet<string>;
  /** As it stands, and of the octets that it stands for where it is itself an encoding. */
  readonly literal: ReadonlySet<string>;
}

/** Thousands of short texts: several words of one peer are looked through with the same. */
const made = new WeakMap<Known, Pieces>();

function piecesOf(known: Known): Pieces {
  const pieces = made.get(known) ?? makePieces(known);
  made.set(known, pieces);
  return pieces;
}

function makePieces({ secret, open = [] }: Known): Pieces {
  const letters = new Set(secret.flatMap((text) => gramsOf(onlyLetters(text))));
  const literal = new Set(secret.flatMap((text) => literalForms(text).flatMap(gramsOf)));
  // An octet may begin within a character's bits, whatever stands before it.
  for (const { chars } of open.flatMap((text) => [...readingsOf(`AAAAAAA${text}`)])) {
    for (const gram of gramsOf(onlyLetters(chars))) letters.delete(gram);
    for (const gram of gramsOf(chars)) literal.delete(gram);
  }
  return { letters, literal };
}

function literalForms(text: string): string[] {
  const octets = Buffer.from(text).toString("latin1");
  const encoded = text.length % 4 === 0 && /^[\w+/-]{12,}={0,2}$/.test(text) ? Buffer.from(text, "base64") : undefined;
  const hex = text.length % 2 === 0 && /^[\da-f]{12,}$/i.test(text) ? Buffer.from(text, "hex") : undefined;
  const inner = [encoded, hex].map((bytes) => bytes?.toString("latin1") ?? "");
  return [text, ...(octets === text ? [] : [octets]), ...inner];
}

function gramsOf(text: string): string[] {
  const grams: string[] = [];
  for (let at = 0; at + PIECE <= text.length; at++) grams.push(text.slice(at, at + PIECE));
  return grams;
}

function onlyLetters(text: string): string {
  return text.replace(/[^A-Za-z0-9]/g, "").toLowerCase();
}

function lettersOf({ chars, from, to }: Reading): Reading {
  const kept = [...chars.matchAll(/[A-Za-z0-9]/g)].map(({ index }) => index);
  return {
    chars: onlyLetters(chars),
    from: kept.map((index) => from[index] ?? 0),
    to: kept.map((index) => to[index] ?? 0),
  };
}

function markPieces({ chars, from, to }: Reading, pieces: ReadonlySet<string>, marks: Uint8Array): void {
  for (let at = 0; at + PIECE <= chars.length; at++) {
    if (pieces.has(chars.slice(at, at + PIECE))) marks.fill(1, from[at], to[at + PIECE - 1]);
  }
}

function markScattered(text: string, secret: readonly string[], open: readonly string[], marks: Uint8Array): void {
  const stands = (word: string) => (whole: string) => whole.includes(word);
  const words = [...text.matchAll(SCATTERED_WORD)].filter(
    ([word]) => secret.some(stands(word)) && !open.some(stands(word)),
  );
  if (words.reduce((sum, [word]) => sum + word.length, 0) < SCATTERED) return;
  for (const { 0: word, index } of words) marks.fill(1, index, index + word.length);
}

/** A secret that is shorter than a piece: where it stands by itself, or every text would be full of it. */
function markShort(text: string, secret: string, marks: Uint8Array): void {
  if (secret === "") return;
  for (let at = text.indexOf(secret); at !== -1; at = text.indexOf(secret, at + 1)) {
    const end = at + secret.length;
    const apart = [text[at - 1], text[end]].every((beside) => !/[A-Za-z0-9]/.test(beside ?? ""));
    if (apart) marks.fill(1, at, end);
  }
}

function widen(text: string, marks: Uint8Array): void {
  const inWord = (at: number) => OF_A_WORD.test(text[at] ?? "");
  for (let at = 1; at < marks.length; at++) if (marks[at - 1] === 1 && inWord(at) && inWord(at - 1)) marks[at] = 1;
  for (let at = marks.length - 2; at >= 0; at--) {
    if (marks[at + 1] === 1 && inWord(at) && inWord(at + 1)) marks[at] = 1;
  }
}
