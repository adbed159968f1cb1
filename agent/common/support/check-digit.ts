/** Crockford's base 32: digits and letters that are not mistaken for each other when they are read out. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUP = 4;

/** How people write a digit all the same. */
const ALIASES: Readonly<Record<string, string>> = { O: "0", I: "1", L: "1" };

/**
 * Digits with their check digit, in groups. The check digit is that of a linear code over GF(32): each place has a weight of its own, a power
 * of x, so that any one wrong digit and any two digits in each other's places, neighbours or not, are noticed.
 */
export function textOfDigits(digits: readonly number[]): string {
  const all = [...digits, timesX(remainder(digits))];
  const text = all.map((digit) => ALPHABET[digit]).join("");
  return (text.match(new RegExp(`.{1,${GROUP}}`, "g")) ?? []).join("-");
}

/** In either case, with or without hyphens and blanks, also as a Chinese input method writes letters and digits (full width). */
export function digitsOf(text: string): number[] | { readonly unknown: string } {
  const digits: number[] = [];
  for (const character of text
    .normalize("NFKC")
    .toUpperCase()
    .replace(/[\s\p{Dash}_.]/gu, "")) {
    const digit = ALPHABET.indexOf(ALIASES[character] ?? character);
    if (digit === -1) return { unknown: character };
    digits.push(digit);
  }
  return digits;
}

/** Whether the last digit is the check digit of the others. */
export function isChecked(digits: readonly number[]): boolean {
  return remainder(digits) === 0;
}

/** Horner's rule. It begins with 1, so that nothing but zeros is no code. */
function remainder(digits: readonly number[]): number {
  return digits.reduce((sum, digit) => timesX(sum) ^ digit, 1);
}

/** In GF(32) with x^5 + x^2 + 1, of which x generates the whole: its first 31 powers differ. */
function timesX(element: number): number {
  const shifted = element << 1;
  return shifted < 32 ? shifted : shifted ^ 0b100101;
}
