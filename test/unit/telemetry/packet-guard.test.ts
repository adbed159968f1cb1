import { describe, expect, it } from "vitest";
import { HostileBroker, PacketGuard, type SkippedPacket } from "../../../agent/telemetry/packet-guard.ts";
import { seeded } from "../../support/faults/seeded.ts";

function packet(first: number, body: Buffer): Buffer {
  const lengths: number[] = [];
  for (let left = body.length; ; ) {
    const digit = left % 128;
    left = Math.floor(left / 128);
    lengths.push(left > 0 ? digit | 128 : digit);
    if (left === 0) break;
  }
  return Buffer.concat([Buffer.from([first, ...lengths]), body]);
}

function publish(topic: string, payload: Buffer, flags = 0): Buffer {
  const name = Buffer.from(topic);
  return packet(0x30 | flags, Buffer.concat([Buffer.from([0, name.length]), name, payload]));
}

const connack = packet(0x20, Buffer.from([0, 0]));

function through(octets: Buffer, cut: (left: number) => number): { passed: Buffer; skipped: SkippedPacket[] } {
  const skipped: SkippedPacket[] = [];
  const guard = new PacketGuard((one) => skipped.push(one));
  const passed: Buffer[] = [];
  for (let at = 0; at < octets.length; ) {
    const step = Math.max(1, cut(octets.length - at));
    passed.push(...guard.take(octets.subarray(at, at + step), 0));
    at += step;
  }
  return { passed: Buffer.concat(passed), skipped };
}

describe("what a broker sends", () => {
  it("comes through as it is, however it is cut up, but for large messages", () => {
    const small = publish("t/small", Buffer.from("payload"));
    const large = publish("t/large", Buffer.alloc(100_000));
    const edge = publish("t/edge", Buffer.alloc(8 * 1024 - 8));
    const all = Buffer.concat([connack, small, large, edge, large, packet(0xd0, Buffer.alloc(0)), small]);
    const expected = Buffer.concat([connack, small, edge, packet(0xd0, Buffer.alloc(0)), small]);
    for (let seed = 1; seed <= 50; seed++) {
      const chance = seeded(seed);
      const { passed, skipped } = through(all, (left) => 1 + chance.below(Math.min(left, seed * 100)));
      expect(passed.equals(expected), `seed ${seed}`).toBe(true);
      expect(skipped).toEqual([
        { topic: "t/large", octets: 100_009 },
        { topic: "t/large", octets: 100_009 },
      ]);
    }
  });

  it.each<[string, Buffer]>([
    ["a packet of 256 MB that is no message", Buffer.from([0x90, 0xff, 0xff, 0xff, 0x7f])],
    ["a length without end", Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x7f])],
    ["a message of QoS 3", publish("t", Buffer.from("x"), 0b110)],
    ["a message of QoS 2", publish("t", Buffer.from("x"), 0b100)],
    ["what only a client sends", packet(0xc0, Buffer.alloc(0))],
    ["an HTTP server's answer", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")],
    ["TLS", Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00])],
    ["packets without end", Buffer.concat(new Array(301).fill(packet(0xd0, Buffer.alloc(0))))],
    ["a megabyte at once", publish("t", Buffer.alloc(1024 * 1024))],
  ])("ends the connection: %s", (_what, octets) => {
    expect(() => through(octets, (left) => left)).toThrow(HostileBroker);
  });

  it("keeps nothing of what it passes over", () => {
    const guard = new PacketGuard(() => undefined);
    const head = publish("t", Buffer.alloc(900_000)).subarray(0, 100);
    expect(guard.take(head, 0)).toEqual([]);
    expect(guard.take(Buffer.alloc(800_000), 0)).toEqual([]);
  });

  it("may send as much again after ten seconds", () => {
    const guard = new PacketGuard(() => undefined);
    const large = publish("t", Buffer.alloc(900_000));
    guard.take(large, 0);
    guard.take(large, 10_000);
    expect(() => guard.take(large, 19_999)).toThrow(HostileBroker);
  });
});
