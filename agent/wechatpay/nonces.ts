import type { Random } from "../common/random.ts";

const OCTETS = 16;
/** To draw 16 octets costs as much as to draw a kilobyte, and that a hundredth of a signed request. A nonce is no secret. */
const DRAWN_AT_ONCE = 64;

/** `nonce_str` of one request after the other: 32 hexadecimal digits (WeChat Pay APIv3: request signature), none of them twice. */
export function createNonces({ bytes }: Pick<Random, "bytes">): () => string {
  let drawn = "";
  let at = 0;
  return () => {
    if (at === drawn.length) {
      drawn = bytes(OCTETS * DRAWN_AT_ONCE)
        .toString("hex")
        .toUpperCase();
      at = 0;
    }
    at += OCTETS * 2;
    return drawn.slice(at - OCTETS * 2, at);
  };
}
