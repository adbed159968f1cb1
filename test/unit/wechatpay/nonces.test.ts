import { describe, expect, it } from "vitest";
import { createNonces } from "../../../agent/wechatpay/nonces.ts";

/** Counts upwards, so that no two octets pairs within 128 KiB are the same. */
function counting() {
  const draws: number[] = [];
  let next = 0;
  const bytes = (length: number) => {
    draws.push(length);
    const drawn = Buffer.alloc(length);
    for (let at = 0; at < length; at += 2) drawn.writeUInt16BE(next++, at);
    return drawn;
  };
  return { draws, bytes };
}

describe("nonces", () => {
  it("are 32 hexadecimal digits, and none comes twice, over the end of what was drawn", () => {
    const nonce = createNonces(counting());
    const nonces = Array.from({ length: 1_000 }, nonce);
    for (const one of nonces) expect(one).toMatch(/^[0-9A-F]{32}$/);
    expect(new Set(nonces).size).toBe(1_000);
  });

  it("share no digits: each octet drawn stands in one of them", () => {
    const nonce = createNonces(counting());
    const digits = Array.from({ length: 200 }, nonce).join("");
    const pairs = digits.match(/.{4}/g) ?? [];
    expect(new Set(pairs).size).toBe(200 * 8);
  });

  it("are drawn many at a time", () => {
    const source = counting();
    const nonce = createNonces(source);
    for (let i = 0; i < 128; i++) nonce();
    expect(source.draws).toEqual([1_024, 1_024]);
  });
});
