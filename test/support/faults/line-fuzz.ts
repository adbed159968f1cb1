import { crc32 } from "node:zlib";
import { FrameDecoder, MAX_PAYLOAD } from "../../../drivers/line/frame.ts";
import { type Chance, seeded } from "./seeded.ts";

const FLAG = 0x7e;
const ESCAPE = 0x7d;
/**
 * Where FCS-32 itself is blind. Its register begins with ones and ends complemented, so a frame of four octets whose check
 * ends in FF has a right check again when FF comes in before it and that last FF is lost: twice in a million of these cases,
 * and never for a JSON-RPC answer, which is longer. For the same reason FF FF FF 00 FF FF FF, pieced together out of a frame
 * that held such octets, is a right frame of three times FF: once in 10^8 cases. No decoder can tell; JSON refuses it.
 */
const BLIND_LENGTH = 4;
const isBlind = (frame: Buffer) => frame.length <= BLIND_LENGTH && frame.every((octet) => octet === 0xff);
/** Room for a few frames, each octet escaped, and noise. */
const ROOM = 512 * 1024;
/** Now and then a case is as long as frames can be. */
const LONG_EVERY = 512;

/** What came of the cases; the invariants are those of the fuzz plan, F1 to F6. */
export interface LineFuzz {
  cases: number;
  octets: number;
  /** Frames that came out, the good ones after the disturbed line not counted. */
  delivered: number;
  /** F1: a payload came out that was not put in. */
  readonly phantoms: string[];
  /** Payloads that were not put in, where the check itself is blind. */
  blind: number;
  /** F2: a good frame was lost though it had a leading flag, or a second one after it was. */
  readonly lost: string[];
  /** F5: something was thrown. */
  readonly thrown: string[];
  /** F6: the same octets in other chunks came to something else. */
  readonly split: string[];
}

/**
 * Disturbs lines in every way the plan names and lets a decoder read them. One decoder reads all lines of one call, as it would
 * in an agent that runs for years, and every case ends with good frames, after which it is in step again.
 */
export function fuzzDecoder(cases: number, seed: number): LineFuzz {
  const chance = seeded(seed);
  const line = new Line();
  const report: LineFuzz = {
    cases: 0,
    octets: 0,
    delivered: 0,
    blind: 0,
    phantoms: [],
    lost: [],
    thrown: [],
    split: [],
  };
  const decoder = new FrameDecoder();
  const other = new FrameDecoder();
  for (let n = 0; n < cases; n++) {
    const where = `seed ${seed}, case ${n}`;
    const sent = disturbedLine(line, chance, n);
    // The first good frame may lean on the last flag of the noise, the second has one of its own.
    const bare = chance.below(4) === 0;
    const first = sentinel(n, 1);
    const second = sentinel(n, 2);
    line.frame(first, !bare);
    line.frame(second, true);
    const octets = line.octets();
    try {
      const frames = inChunks(decoder, octets, chance);
      judge(frames, sent, { first, second, bare }, where, report);
      const again = chance.below(8) === 0 ? other.push(octets) : undefined;
      // The other decoder reads every eighth line only, each of which leaves it in step, and in one piece.
      if (again && !same(frames, again)) report.split.push(`${where}: ${frames.length} or ${again.length} frames`);
    } catch (error) {
      report.thrown.push(`${where}: ${String(error)}`);
    }
    report.cases++;
    report.octets += octets.length;
  }
  return report;
}

function judge(
  frames: readonly Buffer[],
  sent: readonly Buffer[],
  good: { readonly first: Buffer; readonly second: Buffer; readonly bare: boolean },
  where: string,
  report: LineFuzz,
): void {
  let end = frames.length;
  if (end > 0 && frames[end - 1]?.equals(good.second)) end--;
  else report.lost.push(`${where}: the second good frame`);
  if (end > 0 && frames[end - 1]?.equals(good.first)) end--;
  else if (!good.bare) report.lost.push(`${where}: the good frame with a leading flag`);
  report.delivered += end;
  for (let i = 0; i < end; i++) {
    const frame = frames[i];
    if (frame && !sent.some((payload) => payload.equals(frame))) {
      if (isBlind(frame)) report.blind++;
      else report.phantoms.push(`${where}: ${frame.subarray(0, 40).toString("hex")}`);
    }
  }
}

/** One buffer for all lines. Encodes by the letter of RFC 1662, and not with the code under test. */
class Line {
  readonly #room = Buffer.alloc(ROOM);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  clear(): void {
    this.#length = 0;
  }

  octets(): Buffer {
    return this.#room.subarray(0, this.#length);
  }

  put(octet: number): void {
    if (this.#length < ROOM) this.#room[this.#length++] = octet;
  }

  fill(octet: number, count: number): void {
    const end = Math.min(ROOM, this.#length + count);
    this.#room.fill(octet, this.#length, end);
    this.#length = end;
  }

  frame(payload: Uint8Array, leadingFlag: boolean, fcs = crc32(payload)): void {
    if (leadingFlag) this.put(FLAG);
    for (const octet of payload) this.#escaped(octet);
    for (let shift = 0; shift < 32; shift += 8) this.#escaped((fcs >>> shift) & 0xff);
    this.put(FLAG);
  }

  flip(bit: number): void {
    const at = bit >> 3;
    if (at < this.#length) this.#room[at] = (this.#room[at] ?? 0) ^ (1 << (bit & 7));
  }

  remove(at: number, count: number): void {
    const end = Math.min(this.#length, at + count);
    this.#room.copyWithin(at, end, this.#length);
    this.#length -= end - at;
  }

  /** Puts `count` octets from `from` in before `at`. */
  repeat(from: number, count: number, at: number): void {
    const piece = Buffer.from(this.#room.subarray(from, Math.min(from + count, this.#length)));
    this.insert(piece, at);
  }

  insert(piece: Uint8Array, at: number): void {
    if (this.#length + piece.length > ROOM) return;
    this.#room.copyWithin(at + piece.length, at, this.#length);
    this.#room.set(piece, at);
    this.#length += piece.length;
  }

  exchange(a: number, b: number): void {
    const octet = this.#room[a] ?? 0;
    this.#room[a] = this.#room[b] ?? 0;
    this.#room[b] = octet;
  }

  #escaped(octet: number): void {
    if (octet === FLAG || octet === ESCAPE || octet === 0x11 || octet === 0x13) {
      this.put(ESCAPE);
      this.put(octet ^ 0x20);
    } else {
      this.put(octet);
    }
  }
}

const NASTY = [0x7e, 0x7d, 0x5e, 0x5d, 0x11, 0x13, 0x00, 0xff];

/** One to three frames and what may happen to them on the way; returns the payloads that were put in. */
function disturbedLine(line: Line, chance: Chance, n: number): Buffer[] {
  line.clear();
  const long = n % LONG_EVERY === 0;
  const sent: Buffer[] = [];
  for (let frames = 1 + chance.below(3); frames > 0; frames--) {
    const payload = somePayload(chance, long);
    if (payload.length > 0 && payload.length <= MAX_PAYLOAD) sent.push(payload);
    line.frame(payload, chance.below(4) > 0);
  }
  for (let hits = chance.below(4); hits > 0 && line.length > 0; hits--) disturb(line, chance, long);
  return sent;
}

function somePayload(chance: Chance, long: boolean): Buffer {
  // Frames of nothing but a check sequence, of the greatest length, and one octet to either side of it.
  const drawn = long ? MAX_PAYLOAD - 1 + chance.below(3) : chance.below(28);
  const length = drawn === BLIND_LENGTH ? drawn + 1 : drawn;
  const payload = Buffer.allocUnsafe(length);
  const nasty = chance.below(4) === 0;
  for (let i = 0; i < length; i++) payload[i] = nasty ? (NASTY[chance.below(NASTY.length)] ?? 0) : chance.below(256);
  // See BLIND_LENGTH: after four times FF the check is blind for zeros that are added or lost.
  if (payload[0] === 0xff) payload[0] = 0x7b;
  return payload;
}

function disturb(line: Line, chance: Chance, long: boolean): void {
  const at = chance.below(line.length);
  const many = chance.below(long ? 20_000 : 20);
  const ways: readonly (() => void)[] = [
    () => line.flip(chance.below(line.length * 8)),
    () => line.flip(chance.below(line.length * 8)),
    () => line.remove(at, 1 + chance.below(4)),
    () => line.insert(Buffer.of(NASTY[chance.below(NASTY.length)] ?? 0, chance.below(256)), at),
    () => line.repeat(chance.below(line.length), chance.below(40), at),
    () => line.exchange(at, chance.below(line.length)),
    // Cut off, as by an unplug.
    () => line.remove(at, line.length),
    // An abort.
    () => line.insert(Buffer.of(ESCAPE, FLAG), at),
    () => line.fill(FLAG, many),
    () => line.fill(ESCAPE, many),
    // No flag for a long time.
    () => line.fill(0x41, many),
    () => line.frame(Buffer.of(at & 0xff, 1), true, at),
  ];
  ways[chance.below(ways.length)]?.();
}

/** Differs from every payload of the fuzz, by its length and by the case. */
function sentinel(n: number, which: number): Buffer {
  const payload = Buffer.alloc(40, which);
  payload.writeUInt32LE(n, 1);
  return payload;
}

function inChunks(decoder: FrameDecoder, octets: Buffer, chance: Chance): Buffer[] {
  const frames: Buffer[] = [];
  const most = chance.below(3) === 0 ? 4 : octets.length + 1;
  for (let at = 0; at < octets.length; ) {
    const end = Math.min(octets.length, at + 1 + chance.below(most));
    const came = decoder.push(octets.subarray(at, end));
    if (came.length > 0) frames.push(...came);
    at = end;
  }
  return frames;
}

function same(some: readonly Buffer[], others: readonly Buffer[]): boolean {
  return some.length === others.length && some.every((frame, i) => frame.equals(others[i] ?? Buffer.alloc(0)));
}
