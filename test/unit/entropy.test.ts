import { describe, expect, it } from "vitest";
import { type Entropy, pooledEntropy } from "../../agent/entropy.ts";

/** Counts upwards, so that no two octets within 64 KiB are drawn from the same place. */
function counting(): Entropy & { readonly draws: Buffer[] } {
  const draws: Buffer[] = [];
  let next = 0;
  return {
    draws,
    unit: () => 0.25,
    bytes(length) {
      const drawn = Buffer.alloc(length);
      for (let at = 0; at + 2 <= length; at += 2) drawn.writeUInt16BE(next++ & 0xffff, at);
      draws.push(drawn);
      return drawn;
    },
  };
}

describe("pooledEntropy", () => {
  it("hands out each octet once, across the end of a pool", () => {
    const source = counting();
    const entropy = pooledEntropy(source);
    const nonces = new Set(Array.from({ length: 1_000 }, () => entropy.bytes(16).toString("hex")));
    expect(nonces.size).toBe(1_000);
    expect(source.draws.length).toBe(4);
  });

  it("gives exactly as many octets as were asked for, when what is left does not suffice", () => {
    const entropy = pooledEntropy(counting());
    for (let i = 0; i < 1_000; i++) expect(entropy.bytes(30).length).toBe(30);
  });

  it("keeps nothing of what it has handed out, and what was handed out stays as it is", () => {
    const source = counting();
    const entropy = pooledEntropy(source);
    const first = entropy.bytes(16);
    const before = first.toString("hex");
    expect(before).not.toBe("00".repeat(16));
    entropy.bytes(16);
    expect(first.toString("hex")).toBe(before);
    expect(source.draws[0]?.subarray(0, 32).toString("hex")).toBe("00".repeat(32));
  });

  it("draws what is large, such as keys of many octets, straight from the source", () => {
    const source = counting();
    expect(pooledEntropy(source).bytes(1_024).length).toBe(1_024);
    expect(source.draws.map(({ length }) => length)).toEqual([1_024]);
  });

  it("passes the numbers of its source on", () => {
    expect(pooledEntropy(counting()).unit()).toBe(0.25);
  });
});
