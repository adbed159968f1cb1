import { createHash } from "node:crypto";
import { type Chance, seeded } from "../support/faults/seeded.ts";

/** A source of chance of its own for every purpose, so that one more draw here moves nothing there. */
export function chanceFor(seed: number, ...purpose: readonly (string | number)[]): Chance {
  const digest = createHash("sha256")
    .update([seed, ...purpose].join("/"))
    .digest();
  return seeded(digest.readInt32BE());
}

export function pick<T>(chance: Chance, among: readonly T[]): T {
  return among[chance.below(among.length)] as T;
}

export const between = (chance: Chance, least: number, most: number): number =>
  Math.floor(least + chance.unit() * (most - least));

/** Between the two, each order of magnitude as likely as the other. */
export const spread = (chance: Chance, least: number, most: number): number =>
  Math.round(least * (most / least) ** chance.unit());

/**
 * Begins a secret's every other pair of characters, so that no piece of eight characters is without it: whoever finds it in an output
 * has found a piece of a secret.
 */
export const MARK = "Qz";
const DIGITS = "ABCDEFGHIJKLMNOPRSTUVWXYabcdefghijklmnopqrstuvwxy0123456789";

/** Base64 in form, of a length that is a multiple of four. The first digits tell it from all others. */
export function secret(chance: Chance, number: number, quads: number): string {
  let text = "";
  let rest = number;
  for (let i = 0; i < quads; i++) {
    const first = i < 4 ? rest % DIGITS.length : chance.below(DIGITS.length);
    rest = Math.floor(rest / DIGITS.length);
    text += MARK + DIGITS[first] + DIGITS[chance.below(DIGITS.length)];
  }
  return text;
}
