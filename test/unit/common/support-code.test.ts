import { describe, expect, it } from "vitest";
import { textOfDigits } from "../../../agent/common/support/check-digit.ts";
import { decodeSupportCode, encodeSupportCode, type SupportFacts } from "../../../agent/common/support/support-code.ts";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const facts: SupportFacts = {
  ...{ version: "0.1.0", state: "expired", cause: 728, lastedS: 1_300, deviceId: "FP-TEST-0042" },
};
const CODE = encodeSupportCode(facts);
const plainOf = (code: string) => code.replaceAll("-", "");
const faultOf = (text: string) => {
  const reading = decodeSupportCode(text);
  return "fault" in reading ? reading.fault : undefined;
};

/** Codes whose digits run through all values at all places. */
const many = Array.from({ length: 64 }, (_, n) =>
  plainOf(textOfDigits(Array.from({ length: 11 }, (__, at) => (n * 7 + at * (n + 3)) % 32))),
);

describe("a support code", () => {
  it("has three groups of four digits and letters that are told apart", () => {
    expect(CODE).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$/);
  });

  it("gives back what went in", () => {
    expect(decodeSupportCode(CODE)).toEqual({
      format: 1,
      cause: 728,
      deviceEnd: "0042",
      version: { text: "0.1.0", orLater: false },
      state: "expired",
      lasted: { leastS: 900, belowS: 1_800 },
    });
  });

  it("stays the same in every later version: those that were given are read for ever", () => {
    expect(CODE).toBe("6V03-EBT0-42M3");
  });

  it.each([
    ["lower case", CODE.toLowerCase()],
    ["no hyphens", plainOf(CODE)],
    ["blanks and other dashes", ` ${CODE.replaceAll("-", " – ")}\n`],
    ["full width, as a Chinese input method writes it", CODE.replace(/[!-~]/g, fullWidth)],
    ["O for 0", CODE.replaceAll("0", "o")],
  ])("is read with %s", (_how, text) => {
    expect(decodeSupportCode(text)).toEqual(decodeSupportCode(CODE));
  });

  it("is read with I and L for 1", () => {
    const code = many.find((each) => /1.*1/.test(each)) ?? "";
    const typed = code.replace("1", "I").replace("1", "l");
    expect(typed).toMatch(/I.*l/);
    expect(decodeSupportCode(typed)).toEqual(decodeSupportCode(code));
  });

  it("shows every single wrong character", () => {
    const missed: string[] = [];
    for (const code of many) {
      expect(faultOf(code)).toBeUndefined();
      for (let at = 0; at < 12; at++) {
        for (const wrong of ALPHABET) {
          const typed = code.slice(0, at) + wrong + code.slice(at + 1);
          if (typed !== code && faultOf(typed) !== "mistyped") missed.push(`${code} ${typed}`);
        }
      }
    }
    expect(missed).toEqual([]);
  });

  it("shows every two characters in each other's places", () => {
    const missed: string[] = [];
    // The code is linear, so that two digits at two places stand for all codes that have them there.
    for (let one = 0; one < 11; one++) {
      for (let other = one + 1; other < 12; other++) {
        for (const code of swappable(one, other)) {
          const typed = [...code];
          [typed[one], typed[other]] = [typed[other] ?? "", typed[one] ?? ""];
          if (typed.join("") !== code && faultOf(typed.join("")) !== "mistyped")
            missed.push(`${code} ${typed.join("")}`);
        }
      }
    }
    expect(missed).toEqual([]);
  });

  it.each([
    ["too short", CODE.slice(0, -1), "length"],
    ["too long", `${CODE}0`, "length"],
    ["empty", "", "length"],
    ["a letter that no code has", CODE.replace(/.$/, "U"), "character"],
    ["zeros only", "0000-0000-0000", "mistyped"],
  ])("is refused when it is %s", (_what, text, fault) => {
    expect(faultOf(text)).toBe(fault);
  });
});

describe("the fields of a support code", () => {
  const through = (changed: Partial<SupportFacts>) => {
    const reading = decodeSupportCode(encodeSupportCode({ ...facts, ...changed }));
    if ("fault" in reading) throw new Error(reading.fault);
    return reading;
  };

  it.each([
    ["", ""],
    ["7", "7"],
    ["SN-ab9Z", "AB9Z"],
    ["FP_01", "P?01"],
    ["设备00", "??00"],
  ])("tell of device %j that it ends with %j", (deviceId, end) => {
    expect(through({ deviceId }).deviceEnd).toBe(end);
  });

  it.each([
    ["0.1.0", "0.1.0", false],
    ["2.13.5-rc.1", "2.13.5", false],
    ["0.70.2", "0.63.2", true],
    ["9.0.99", "7.0.15", true],
  ])("tell version %s as %s", (version, text, orLater) => {
    expect(through({ version }).version).toEqual({ text, orLater });
  });

  it.each([
    [0, 0, 60],
    [59, 0, 60],
    [60, 60, 300],
    [7_199, 3_600, 7_200],
    [86_400 * 400, 86_400 * 30, undefined],
    [-5, 0, 60],
  ])("tell %i s as a step", (lastedS, leastS, belowS) => {
    expect(through({ lastedS }).lasted).toEqual({ leastS, belowS });
  });

  it("tell when it is not known how long", () => {
    expect(through({ lastedS: undefined }).lasted).toBeUndefined();
  });

  it("are those of every later format, but for state and duration", () => {
    // Three bits of the format come first; 7 is the last that there can be.
    const digits = [...plainOf(CODE)].slice(0, -1).map((character) => ALPHABET.indexOf(character));
    const later = textOfDigits([0b11100 | ((digits[0] ?? 0) & 0b11), ...digits.slice(1)]);
    expect(decodeSupportCode(later)).toEqual({
      ...{ format: 7, cause: 728, deviceEnd: "0042", version: { text: "0.1.0", orLater: false } },
      ...{ state: undefined, lasted: undefined },
    });
  });
});

function fullWidth(character: string): string {
  return String.fromCharCode(character.charCodeAt(0) + 0xfee0);
}

/** A code for each pair of digits at two places. */
function swappable(one: number, other: number): string[] {
  const codes: string[] = [];
  for (let first = 0; first < 32; first++) {
    for (let second = 0; second < 32; second++) {
      const digits = Array.from({ length: 11 }, (_, at) => (at === one ? first : at === other ? second : at));
      codes.push(plainOf(textOfDigits(digits)));
    }
  }
  return codes;
}
