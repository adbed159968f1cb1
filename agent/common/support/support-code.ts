import { digitsOf, isChecked, textOfDigits } from "./check-digit.ts";

/** In the order of their numbers, which are never changed. `unknown`: it could not be asked. */
export const supportStates = [
  "unknown",
  "fresh",
  "due",
  "rejected",
  "stale",
  "expired",
  "absent",
  "unprovisioned",
  "not_running",
] as const;
export type SupportState = (typeof supportStates)[number];

/** What goes into a code. Nothing of it is a secret. */
export interface SupportFacts {
  /** Of the agent. */
  readonly version: string;
  readonly state: SupportState;
  /** cause-numbers.ts */
  readonly cause: number;
  /** How long the cause has lasted; undefined where that is not known. */
  readonly lastedS?: number | undefined;
  readonly deviceId?: string | undefined;
}

/** What comes out of it. */
export interface SupportReading {
  readonly format: number;
  /** "or later" where a part of the version is larger than its field. */
  readonly version: { readonly text: string; readonly orLater: boolean };
  readonly cause: number;
  /** The last characters, "?" for one that is no letter or digit. */
  readonly deviceEnd: string;
  /** Undefined in a format or with a number that this version does not know. */
  readonly state: SupportState | undefined;
  readonly lasted: { readonly leastS: number; readonly belowS: number | undefined } | undefined;
}

const FORMAT = 1;
/**
 * Most significant bit first. Of every format: `format`, `cause`, `device` and the three of the version stay where they are, so that an
 * older program can tell what happened; the last eight bits belong to the format.
 */
const FIELDS = [
  ["format", 3],
  ["cause", 10],
  ["device", 21],
  ["major", 3],
  ["minor", 6],
  ["patch", 4],
  ["state", 4],
  ["lasted", 4],
] as const;
type Field = (typeof FIELDS)[number][0];
type Values = Record<Field, number>;

const DIGITS = 11;
const DIGIT_BITS = 5;

/** Seconds from which each step of `lasted` counts; 0 in the code stands for unknown. */
const STEPS = [
  ...[0, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800],
  ...[1, 2, 4, 7, 14, 30].map((days) => days * 86_400),
];

const DEVICE_CHARACTERS = 4;
/** 0: nothing; the last: any other character. */
const DEVICE_SYMBOLS = ["", ..."0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", "?"];

/** "4XYZ-0123-ABCD". */
export function encodeSupportCode({ version, state, cause, lastedS, deviceId = "" }: SupportFacts): string {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.+-]/).map((part) => Number.parseInt(part, 10) || 0);
  const values: Values = {
    ...{ format: FORMAT, cause, device: deviceNumber(deviceId), major, minor, patch },
    state: supportStates.indexOf(state),
    lasted: lastedS === undefined ? 0 : STEPS.filter((from, index) => index === 0 || lastedS >= from).length,
  };
  const bits = FIELDS.map(([name, width]) => Math.min(values[name], largest(width)).toString(2).padStart(width, "0"));
  const digits = Array.from({ length: DIGITS }, (_, at) =>
    Number.parseInt(bits.join("").slice(at * DIGIT_BITS, (at + 1) * DIGIT_BITS), 2),
  );
  return textOfDigits(digits);
}

/** Why a text is no code. */
export type SupportCodeFault =
  | { readonly fault: "length"; readonly characters: number }
  | { readonly fault: "character"; readonly character: string }
  | { readonly fault: "mistyped" };

export function decodeSupportCode(text: string): SupportReading | SupportCodeFault {
  const digits = digitsOf(text);
  if ("unknown" in digits) return { fault: "character", character: digits.unknown };
  if (digits.length !== DIGITS + 1) return { fault: "length", characters: digits.length };
  if (!isChecked(digits)) return { fault: "mistyped" };
  const values = valuesOf(digits.slice(0, DIGITS));
  const { format, cause, major, minor, patch } = values;
  const known = format === FORMAT;
  return {
    ...{ format, cause, deviceEnd: deviceEnd(values.device) },
    version: { text: [major, minor, patch].join("."), orLater: isFull(values) },
    state: known ? supportStates[values.state] : undefined,
    lasted: known ? lastedOf(values.lasted) : undefined,
  };
}

function valuesOf(digits: readonly number[]): Values {
  const bits = digits.map((digit) => digit.toString(2).padStart(DIGIT_BITS, "0")).join("");
  let at = 0;
  const entries = FIELDS.map(([name, width]) => {
    const value = Number.parseInt(bits.slice(at, at + width), 2);
    at += width;
    return [name, value];
  });
  return Object.fromEntries(entries) as Values;
}

function isFull(values: Values): boolean {
  return FIELDS.some(([name, width]) => /^(major|minor|patch)$/.test(name) && values[name] === largest(width));
}

function largest(width: number): number {
  return 2 ** width - 1;
}

function lastedOf(step: number): SupportReading["lasted"] {
  const leastS = STEPS[step - 1];
  return leastS === undefined ? undefined : { leastS, belowS: STEPS[step] };
}

function deviceNumber(deviceId: string): number {
  const other = DEVICE_SYMBOLS.length - 1;
  return [...deviceId.toUpperCase()].slice(-DEVICE_CHARACTERS).reduce((sum, character) => {
    const symbol = DEVICE_SYMBOLS.indexOf(character);
    return sum * DEVICE_SYMBOLS.length + (symbol === -1 ? other : symbol);
  }, 0);
}

function deviceEnd(number: number): string {
  let end = "";
  for (let left = number; left > 0; left = Math.floor(left / DEVICE_SYMBOLS.length)) {
    end = `${DEVICE_SYMBOLS[left % DEVICE_SYMBOLS.length]}${end}`;
  }
  return end;
}
