import { randomInt } from "node:crypto";
import { describe, expect, it } from "vitest";
import { encodeFrame, FrameDecoder, MAX_PAYLOAD } from "../../../drivers/line/frame.ts";
import { wrap } from "../../support/fakes/scripted-bridge.ts";
import { seeded } from "../../support/faults/seeded.ts";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
const texts = (frames: Buffer[]) => frames.map((frame) => frame.toString());

describe("encodeFrame", () => {
  it("sends the check sequence of RFC 1662 C.3, least significant octet first, between two flags", () => {
    // The check value of CRC-32 is 0xCBF43926 for the nine digits.
    expect(encodeFrame(Buffer.from("123456789"))).toEqual(hex("7e 313233343536373839 2639f4cb 7e"));
  });

  it("escapes flag, escape, XON and XOFF, in the check sequence too, and nothing else", () => {
    expect(encodeFrame(hex("7e7d1113")).subarray(0, 9)).toEqual(hex("7e 7d5e 7d5d 7d31 7d33"));
    for (let value = 0; value < 65_536; value += 17) {
      const payload = Buffer.from([value & 255, value >> 8]);
      expect(encodeFrame(payload).equals(wrap(payload))).toBe(true);
    }
  });

  it("refuses what no receiver would take", () => {
    expect(() => encodeFrame(Buffer.alloc(0))).toThrow(RangeError);
    expect(() => encodeFrame(Buffer.alloc(MAX_PAYLOAD + 1))).toThrow(RangeError);
    expect(encodeFrame(Buffer.alloc(MAX_PAYLOAD)).length).toBeGreaterThan(MAX_PAYLOAD);
  });
});

describe("FrameDecoder", () => {
  it("takes any escaped octet", () => {
    const decoder = new FrameDecoder();
    const body = [...Buffer.from("abc"), ...hex("c2412435")];
    const everythingEscaped = Buffer.from([0x7e, ...body.flatMap((octet) => [0x7d, octet ^ 0x20]), 0x7e]);
    expect(texts(decoder.push(everythingEscaped))).toEqual(["abc"]);
  });

  it("lets two frames share a flag and ignores empty ones", () => {
    const decoder = new FrameDecoder();
    const shared = Buffer.concat([wrap("one"), wrap("two").subarray(1), hex("7e7e7e"), wrap("three")]);
    expect(texts(decoder.push(shared))).toEqual(["one", "two", "three"]);
    expect(decoder.counters).toEqual({ ok: 3, fcs: 0, short: 0, oversize: 0, aborted: 0, dropped_octets: 0 });
  });

  it("gives up a frame at 7D 7E, also when the two come apart, and takes the next", () => {
    const decoder = new FrameDecoder();
    const cut = wrap("gone").subarray(0, -1);
    expect(decoder.push(Buffer.concat([cut, hex("7d")]))).toEqual([]);
    expect(texts(decoder.push(Buffer.concat([hex("7e"), wrap("next")])))).toEqual(["next"]);
    expect(decoder.counters).toMatchObject({ aborted: 1, ok: 1, fcs: 0, short: 0, dropped_octets: cut.length });
  });

  it("counts a frame that is too short or disturbed, and drops it", () => {
    const decoder = new FrameDecoder();
    const disturbed = wrap("disturbed");
    disturbed[3] = 0x40;
    expect(decoder.push(Buffer.concat([hex("7e 00000000 7e 01 7e"), disturbed]))).toEqual([]);
    expect(decoder.counters).toMatchObject({ short: 2, fcs: 1, ok: 0, dropped_octets: 4 + 1 + disturbed.length - 2 });
  });

  it("takes 8192 octets and drops 8193 to the next flag, whatever the chunks", () => {
    for (const chunk of [1, 7, 4096, 100_000]) {
      const decoder = new FrameDecoder();
      const stream = Buffer.concat([
        wrap(Buffer.alloc(MAX_PAYLOAD, 0x7e)),
        wrap(Buffer.alloc(MAX_PAYLOAD + 1, 0x41)),
        wrap("after"),
      ]);
      const frames: Buffer[] = [];
      for (let at = 0; at < stream.length; at += chunk) frames.push(...decoder.push(stream.subarray(at, at + chunk)));
      expect(frames.map((frame) => frame.length)).toEqual([MAX_PAYLOAD, 5]);
      expect(decoder.counters).toMatchObject({ ok: 2, oversize: 1, fcs: 0, short: 0, aborted: 0 });
    }
  });

  it("counts what came without a closing flag when the line ends, and is fit for another line", () => {
    const decoder = new FrameDecoder();
    decoder.push(Buffer.from("$GPGGA,1235"));
    expect(decoder.counters.dropped_octets).toBe(0);
    decoder.end();
    decoder.end();
    expect(decoder.counters).toMatchObject({ ok: 0, fcs: 0, short: 0, dropped_octets: 11 });
    decoder.push(Buffer.alloc(9000, 0x41));
    decoder.end();
    expect(decoder.push(encodeFrame(Buffer.from("x")))).toEqual([Buffer.from("x")]);
  });

  it("delivers the same from every split of a stream", () => {
    const stream = Buffer.concat([
      hex("55aa7d"),
      wrap("first"),
      hex("4142 7d7e"),
      wrap(Buffer.from([...Array(256).keys()])),
      wrap(Buffer.alloc(1500, "x}~\x11")),
      hex("7e 99 7e"),
      wrap("last"),
    ]);
    const whole = new FrameDecoder();
    const expected = whole.push(stream);
    expect(expected.length).toBe(4);
    for (let at = 0; at <= stream.length; at++) {
      const decoder = new FrameDecoder();
      const frames = [...decoder.push(stream.subarray(0, at)), ...decoder.push(stream.subarray(at))];
      expect(frames).toEqual(expected);
      expect(decoder.counters).toEqual(whole.counters);
    }
  });

  it("hands out copies, so that the next chunk cannot change a frame", () => {
    const decoder = new FrameDecoder();
    const chunk = wrap("keep me");
    const [frame] = decoder.push(chunk);
    chunk.fill(0);
    decoder.push(wrap("overwrite"));
    expect(frame?.toString()).toBe("keep me");
  });

  it("never delivers what was not sent and never loses the next good frame, over 100 000 disturbed lines", () => {
    const chance = seeded(20_261_122);
    const sentinel = wrap("sentinel");
    let delivered = 0;
    for (let round = 0; round < 100_000; round++) {
      const payload = Buffer.from(Array.from({ length: 1 + chance.below(24) }, () => chance.below(256)));
      const line = [...wrap(payload)];
      for (let hits = 1 + chance.below(3); hits > 0; hits--) {
        const at = chance.below(line.length);
        const kind = chance.below(4);
        if (kind === 0) line[at] = (line[at] ?? 0) ^ (1 << chance.below(8));
        else if (kind === 1) line.splice(at, 1 + chance.below(3));
        else if (kind === 2) line.splice(at, 0, chance.below(256), [0x7e, 0x7d, 0x11][chance.below(3)] ?? 0);
        else line.splice(at, 0, ...line.slice(0, chance.below(line.length)));
      }
      const decoder = new FrameDecoder();
      const stream = Buffer.concat([Buffer.from(line), sentinel]);
      const cut = chance.below(stream.length);
      const frames = [...decoder.push(stream.subarray(0, cut)), ...decoder.push(stream.subarray(cut))];
      if (frames.pop()?.toString() !== "sentinel") throw new Error(`round ${round}: the good frame was lost`);
      for (const frame of frames)
        if (!frame.equals(payload)) throw new Error(`round ${round}: ${frame.toString("hex")}`);
      delivered += frames.length;
    }
    expect(delivered).toBeGreaterThan(0);
  });

  it("stays within its buffer and in step on megabytes of noise", () => {
    for (const noise of [Buffer.alloc(1 << 20, 0x7e), Buffer.alloc(1 << 20, 0x7d), Buffer.alloc(1 << 20, 0x41)]) {
      const decoder = new FrameDecoder();
      for (let i = 0; i < 8; i++) expect(decoder.push(noise)).toEqual([]);
      expect(texts(decoder.push(Buffer.concat([hex("7e"), wrap("still there")])))).toEqual(["still there"]);
    }
    const decoder = new FrameDecoder();
    const random = Buffer.from(Array.from({ length: 1 << 20 }, () => randomInt(256)));
    decoder.push(random);
    expect(texts(decoder.push(wrap("still there")))).toContain("still there");
    const { ok, dropped_octets } = decoder.counters;
    expect(ok).toBe(1);
    expect(dropped_octets).toBeGreaterThan(1_000_000);
  });
});
