import { randomBytes, randomInt } from "node:crypto";

/** The only source of chance, so that a test can replay it. */
export interface Entropy {
  /** A number in [0, 1), uniform. */
  unit(): number;
  /** Cryptographically strong bytes. */
  bytes(length: number): Buffer;
}

export const systemEntropy: Entropy = {
  unit: () => randomInt(2 ** 32) / 2 ** 32,
  bytes: (length) => randomBytes(length),
};

/** As much as is drawn at once; a nonce takes 16 octets. */
const POOL_OCTETS = 4_096;

/**
 * The same for a process that draws a nonce for each of a thousand requests a second: a small draw costs as much as a large
 * one. What has been handed out is gone from the pool.
 */
export function pooledEntropy(source: Entropy): Entropy {
  let pool: Buffer = Buffer.alloc(0);
  return {
    unit: () => source.unit(),
    bytes(length) {
      if (length > POOL_OCTETS / 16) return source.bytes(length);
      if (pool.length < length) pool = source.bytes(POOL_OCTETS);
      const drawn = Buffer.from(pool.subarray(0, length));
      pool.fill(0, 0, length);
      pool = pool.subarray(length);
      return drawn;
    },
  };
}
