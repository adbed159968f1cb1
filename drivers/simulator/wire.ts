/**
 * The simulator's own framing (specification 3; RFC 1662 section 4 and appendix C.3), written apart from the agent's so that
 * one misreading cannot pass on both sides.
 */
const FLAG = 0x7e;
const ESCAPE = 0x7d;
const FLIP = 0x20;
/** What a sender must escape: the flag, the escape, XON and XOFF. */
const MUST_ESCAPE: ReadonlySet<number> = new Set([FLAG, ESCAPE, 0x11, 0x13]);
const FCS_OCTETS = 4;
export const LONGEST_PAYLOAD = 8192;

/** What came between two flags. `control` counts octets that a sender has to escape and did not. */
export type Received =
  | { readonly kind: "payload"; readonly payload: Buffer; readonly control: number }
  | { readonly kind: "aborted" | "short" | "fcs" | "oversize"; readonly length: number };

/** The register after one more octet, for each octet: bit by bit as RFC 1662 C.3 defines it. */
const AFTER_OCTET = Uint32Array.from({ length: 256 }, (_, octet) => {
  let register = octet;
  for (let bit = 0; bit < 8; bit++) register = register & 1 ? (register >>> 1) ^ 0xedb88320 : register >>> 1;
  return register;
});

/** The 32-bit frame check sequence: 0xcbf43926 for "123456789". */
export function fcs32(octets: Uint8Array): number {
  let register = 0xffffffff;
  for (const octet of octets) register = (register >>> 8) ^ (AFTER_OCTET[(register ^ octet) & 0xff] ?? 0);
  return ~register >>> 0;
}

/** One frame with a flag on either side. `damage` changes the check sequence. */
export function frame(payload: Uint8Array | string, options: { readonly damage?: boolean } = {}): Buffer {
  const octets = typeof payload === "string" ? Buffer.from(payload, "utf8") : payload;
  const check = Buffer.alloc(FCS_OCTETS);
  check.writeUInt32LE((fcs32(octets) ^ (options.damage ? 0x5a5a5a5a : 0)) >>> 0);
  const out = Buffer.alloc(2 * (octets.length + FCS_OCTETS + 1));
  let at = 0;
  out[at++] = FLAG;
  for (const part of [octets, check]) {
    for (const octet of part) {
      const escaped = MUST_ESCAPE.has(octet);
      if (escaped) out[at++] = ESCAPE;
      out[at++] = escaped ? octet ^ FLIP : octet;
    }
  }
  out[at++] = FLAG;
  return out.subarray(0, at);
}

/** Takes a line apart, whatever the chunks. Holds one frame at most. */
export class Deframer {
  readonly #held = Buffer.alloc(LONGEST_PAYLOAD + FCS_OCTETS);
  #length = 0;
  #control = 0;
  #escaped = false;
  /** Before the first flag the start of a frame is unknown. */
  #inStep = false;

  push(chunk: Uint8Array): Received[] {
    const received: Received[] = [];
    for (const octet of chunk) {
      if (octet === FLAG) {
        const ended = this.#end();
        if (ended !== undefined) received.push(ended);
      } else if (this.#inStep) {
        this.#take(octet);
      }
    }
    return received;
  }

  #take(octet: number): void {
    if (octet === ESCAPE && !this.#escaped) {
      this.#escaped = true;
      return;
    }
    if (!this.#escaped && MUST_ESCAPE.has(octet)) this.#control++;
    const value = this.#escaped ? octet ^ FLIP : octet;
    this.#escaped = false;
    if (this.#length < this.#held.length) this.#held[this.#length] = value;
    this.#length++;
  }

  #end(): Received | undefined {
    const length = this.#length;
    const control = this.#control;
    const aborted = this.#escaped;
    const inStep = this.#inStep;
    this.#length = 0;
    this.#control = 0;
    this.#escaped = false;
    this.#inStep = true;
    if (!inStep || (length === 0 && !aborted)) return undefined;
    if (aborted) return { kind: "aborted", length };
    if (length > this.#held.length) return { kind: "oversize", length };
    if (length <= FCS_OCTETS) return { kind: "short", length };
    const payload = Buffer.from(this.#held.subarray(0, length - FCS_OCTETS));
    if (fcs32(payload) !== this.#held.readUInt32LE(payload.length)) return { kind: "fcs", length };
    return { kind: "payload", payload, control };
  }
}
