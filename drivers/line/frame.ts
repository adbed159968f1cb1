import { crc32 } from "node:zlib";

/** The longest payload of a frame, in octets (specification 3). */
export const MAX_PAYLOAD = 8192;

const FLAG = 0x7e;
const ESCAPE = 0x7d;
const XON = 0x11;
const XOFF = 0x13;
/** RFC 1662 4.2: an escaped octet goes out with its sixth bit complemented. */
const FLIP = 0x20;
const FCS_OCTETS = 4;
const BUFFER_OCTETS = MAX_PAYLOAD + FCS_OCTETS;

/** What became of the frames that came in. Only grows; may be shared by the decoders of successive lines. */
export interface FrameCounters {
  ok: number;
  /** The check sequence did not fit: a disturbed line or a wrong baud rate. */
  fcs: number;
  /** Fewer than five octets between two flags. */
  short: number;
  oversize: number;
  /** Ended by `7D 7E`. */
  aborted: number;
  /** Octets, flags not counted, that ended in no good frame. */
  dropped_octets: number;
}

export function newFrameCounters(): FrameCounters {
  return { ok: 0, fcs: 0, short: 0, oversize: 0, aborted: 0, dropped_octets: 0 };
}

/**
 * One frame as RFC 1662 section 4 has it, with both flags: a leading flag ends whatever noise came before.
 * Throws a RangeError unless the payload has 1 to 8192 octets.
 */
export function encodeFrame(payload: Uint8Array): Buffer {
  if (payload.length < 1 || payload.length > MAX_PAYLOAD) {
    throw new RangeError(`a frame holds 1 to ${MAX_PAYLOAD} octets, not ${payload.length}`);
  }
  const fcs = Buffer.alloc(FCS_OCTETS);
  fcs.writeUInt32LE(crc32(payload));
  const out = Buffer.allocUnsafe(2 + 2 * (payload.length + FCS_OCTETS));
  let at = 0;
  out[at++] = FLAG;
  for (const part of [payload, fcs]) {
    for (const octet of part) {
      // XON and XOFF too, so that a line with software flow control lets every frame through.
      if (octet === FLAG || octet === ESCAPE || octet === XON || octet === XOFF) {
        out[at++] = ESCAPE;
        out[at++] = octet ^ FLIP;
      } else {
        out[at++] = octet;
      }
    }
  }
  out[at++] = FLAG;
  return out.subarray(0, at);
}

/**
 * zlib's crc32 is quick, but the way to it is not: noise full of flags would go there every few octets, and a mebibyte of it hold
 * the process up for twice as long. No answer of a bridge is so short.
 */
const SHORT = 32;

const CRC_OF_OCTET = Uint32Array.from({ length: 256 }, (_, octet) => {
  let crc = octet;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function fcsOf(buffer: Buffer, end: number): number {
  if (end > SHORT) return crc32(buffer.subarray(0, end));
  let crc = 0xffffffff;
  for (let at = 0; at < end; at++) crc = (crc >>> 8) ^ (CRC_OF_OCTET[(crc ^ (buffer[at] ?? 0)) & 0xff] ?? 0);
  return ~crc >>> 0;
}

/**
 * Finds the frames in a stream of octets, however it is cut into chunks. Holds one fixed buffer, never throws, and is
 * in step again at the next flag whatever came before.
 */
export class FrameDecoder {
  readonly counters: FrameCounters;
  readonly #buffer = Buffer.alloc(BUFFER_OCTETS);
  /** Unescaped octets of the frame under way. */
  #length = 0;
  /** The same, as they came over the line. */
  #raw = 0;
  #escaped = false;
  /** Too long already: nothing is kept until the next flag. */
  #dropping = false;

  constructor(counters: FrameCounters = newFrameCounters()) {
    this.counters = counters;
  }

  /** The payloads of the good frames that end in this chunk, in order; copies, so the chunk may be reused. */
  push(chunk: Uint8Array): Buffer[] {
    const frames: Buffer[] = [];
    const buffer = this.#buffer;
    let length = this.#length;
    let escaped = this.#escaped;
    let at = this.#dropping ? this.#skip(chunk, 0) : 0;
    let start = at;
    while (at < chunk.length) {
      const octet = chunk[at++] ?? 0;
      if (octet === FLAG) {
        this.#raw += at - 1 - start;
        start = at;
        if (this.#raw > 0) this.#close(length, escaped, frames);
        length = 0;
        escaped = false;
      } else if (octet === ESCAPE && !escaped) {
        escaped = true;
      } else if (length === BUFFER_OCTETS) {
        this.counters.oversize++;
        this.counters.dropped_octets += this.#raw + (at - start);
        this.#raw = 0;
        length = 0;
        escaped = false;
        at = this.#skip(chunk, at);
        start = at;
      } else {
        buffer[length++] = escaped ? octet ^ FLIP : octet;
        escaped = false;
        // The run of plain octets that follows goes over in one piece.
        const from = at;
        const most = Math.min(chunk.length, at + BUFFER_OCTETS - length);
        while (at < most && chunk[at] !== FLAG && chunk[at] !== ESCAPE) at++;
        if (at > from) buffer.set(chunk.subarray(from, at), length);
        length += at - from;
      }
    }
    this.#raw += at - start;
    this.#length = length;
    this.#escaped = escaped;
    return frames;
  }

  /** Octets since the last flag: of a frame under way, or of what is no frame. */
  get unended(): number {
    return this.#raw;
  }

  /** The line has ended: what came without a closing flag is no frame any more. */
  end(): void {
    this.counters.dropped_octets += this.#raw;
    this.#raw = 0;
    this.#length = 0;
    this.#escaped = false;
    this.#dropping = false;
  }

  /** Drops what is left of an oversize frame. Returns the place after its flag, or the end of the chunk. */
  #skip(chunk: Uint8Array, from: number): number {
    const flag = chunk.indexOf(FLAG, from);
    this.#dropping = flag === -1;
    const until = this.#dropping ? chunk.length : flag;
    this.counters.dropped_octets += until - from;
    return this.#dropping ? until : flag + 1;
  }

  #close(length: number, escaped: boolean, frames: Buffer[]): void {
    if (escaped) this.counters.aborted++;
    else if (length <= FCS_OCTETS) this.counters.short++;
    else {
      const end = length - FCS_OCTETS;
      if (fcsOf(this.#buffer, end) === this.#buffer.readUInt32LE(end)) {
        this.counters.ok++;
        frames.push(Buffer.from(this.#buffer.subarray(0, end)));
        this.#raw = 0;
      } else {
        this.counters.fcs++;
      }
    }
    this.counters.dropped_octets += this.#raw;
    this.#raw = 0;
  }
}
