import { randomBytes, randomInt } from "node:crypto";

/** The only source of chance, so that a test can replay it. */
export interface Random {
  /** A number in [0, 1), uniform. */
  unit(): number;
  /** Cryptographically strong bytes. */
  bytes(length: number): Buffer;
}

export const systemRandom: Random = {
  unit: () => randomInt(2 ** 32) / 2 ** 32,
  bytes: (length) => randomBytes(length),
};
