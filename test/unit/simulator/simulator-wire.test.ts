import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Deframer, fcs32, frame, LONGEST_PAYLOAD } from "../../../drivers/simulator/wire.ts";

const received = (octets: Uint8Array) => new Deframer().push(octets);

describe("the simulator's framing", () => {
  it("has the check value of CRC-32 and agrees with zlib", () => {
    expect(fcs32(Buffer.from("123456789"))).toBe(0xcbf43926);
    const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    expect(fcs32(all)).toBe(crc32(all));
  });

  it("writes the frame of RFC 1662, octet for octet", () => {
    expect(frame("123456789").toString("hex")).toBe("7e3132333435363738392639f4cb7e");
    // 7e, 7d, 11 and 13 escaped, and nothing else.
    expect(
      frame(Buffer.from([0x7e, 0x7d, 0x11, 0x13, 0x12]))
        .subarray(1, 10)
        .toString("hex"),
    ).toBe("7d5e7d5d7d317d3312");
  });

  it("reads every octet back, one at a time", () => {
    const payload = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const deframer = new Deframer();
    const found = [...frame(payload)].flatMap((octet) => deframer.push(Buffer.from([octet])));
    expect(found).toEqual([{ kind: "payload", payload, control: 0 }]);
  });

  it("accepts any escaped octet, shared flags and fill between frames", () => {
    const plain = frame("ab");
    const escaped = Buffer.concat([Buffer.from([0x7e, 0x7d, 0x61 ^ 0x20]), plain.subarray(2)]);
    const line = Buffer.concat([escaped, plain.subarray(1), Buffer.from([0x7e, 0x7e]), plain]);
    expect(received(line).map((r) => r.kind)).toEqual(["payload", "payload", "payload"]);
  });

  it("says what was wrong with a frame and goes on with the next", () => {
    const good = frame("good");
    const cases: [Buffer, string][] = [
      [frame("x", { damage: true }), "fcs"],
      [Buffer.from([0x7e, 0x31, 0x32, 0x7e]), "short"],
      [Buffer.from([0x7e, 0x31, 0x32, 0x33, 0x34, 0x7e]), "short"],
      [Buffer.from([0x7e, 0x31, 0x7d, 0x7e]), "aborted"],
      [frame(Buffer.alloc(LONGEST_PAYLOAD + 1, 0x61)), "oversize"],
    ];
    for (const [bad, kind] of cases) {
      expect(received(Buffer.concat([bad, good])).map((r) => r.kind)).toEqual([kind, "payload"]);
    }
    expect(received(frame(Buffer.alloc(LONGEST_PAYLOAD, 0x61)))[0]?.kind).toBe("payload");
  });

  it("ignores what came before the first flag and notices octets that a sender must escape", () => {
    expect(received(Buffer.concat([Buffer.from("noise"), frame("x")])).map((r) => r.kind)).toEqual(["payload"]);
    const unescaped = Buffer.from(
      frame(Buffer.from([0x11]))
        .toString("hex")
        .replace("7d31", "11"),
      "hex",
    );
    expect(received(unescaped)).toMatchObject([{ kind: "payload", control: 1 }]);
  });
});
