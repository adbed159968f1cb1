import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { editDistance, nearest } from "../../../agent/config/nearest.ts";

describe("editDistance", () => {
  it.each([
    ["", "", 0],
    ["mode", "mode", 0],
    ["", "abc", 3],
    ["mod", "mode", 1],
    ["moed", "mode", 1],
    ["node", "mode", 1],
    ["kitten", "sitting", 3],
  ])("counts the edits from %j to %j", (from, to, edits) => {
    expect(editDistance(from, to)).toBe(edits);
  });

  it("is the same in both directions and bounded by the longer word", () => {
    const word = fc.string({ maxLength: 12 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        expect(editDistance(b, a)).toBe(distance);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(distance === 0).toBe(a === b);
      }),
    );
  });
});

describe("nearest", () => {
  it("finds the word with the fewest edits, whatever the case", () => {
    expect(nearest("BAUDRATE", ["data_bits", "baud_rate", "parity"])).toBe("baud_rate");
  });

  it("takes the first of equals and has no answer without candidates", () => {
    expect(nearest("x", ["a", "b"])).toBe("a");
    expect(nearest("x", [])).toBeUndefined();
  });

  it("has no answer where nothing is near", () => {
    expect(nearest("colour", ["data_bits", "baud_rate", "parity"])).toBeUndefined();
    expect(nearest("pth", ["call_timeout_ms", "path"])).toBe("path");
  });
});
