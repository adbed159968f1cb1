import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { beforeAll, describe, expect, it } from "vitest";
import { silentLog } from "../../../agent/common/log/log.ts";
import type { DriverConfig } from "../../../agent/config/config.ts";
import { FrameDecoder, MAX_PAYLOAD } from "../../../drivers/line/frame.ts";
import { createSdkDriver } from "../../../drivers/sdk/sdk-driver.ts";
import { FakeClock } from "../../support/fakes/fake-clock.ts";
import { ScriptedBridge, wrap } from "../../support/fakes/scripted-bridge.ts";
import { type DriverFuzz, fuzzDriver } from "../../support/faults/driver-fuzz.ts";
import { fuzzDecoder, type LineFuzz } from "../../support/faults/line-fuzz.ts";
import { seeded } from "../../support/faults/seeded.ts";
import { lineSettings } from "../../support/fixtures/line-settings.ts";

const SEED = 20_261_123;
const CASES = 1_000_000;
const CALLS = 20_000;
const MIB = 1 << 20;

let line: LineFuzz;
let driver: DriverFuzz;

beforeAll(async () => {
  const startedAt = performance.now();
  line = fuzzDecoder(CASES, SEED);
  const between = performance.now();
  driver = await fuzzDriver(CALLS, SEED);
  const seconds = (from: number, to: number) => `${((to - from) / 1_000).toFixed(1)} s`;
  console.info(
    `fuzz: ${line.cases} disturbed lines, ${line.octets} octets, ${line.delivered} frames (${seconds(startedAt, between)}); ` +
      `${driver.calls} calls on a hostile bridge (${seconds(between, performance.now())}): ${JSON.stringify(driver.outcomes)}`,
  );
}, 300_000);

const fewest = (list: readonly string[]) => list.slice(0, 5);
/** A stream with good frames, noise, aborts and escapes, about two kilobytes long. */
const stream = Buffer.concat([
  Buffer.from([0x55, 0xaa, 0x7d]),
  wrap("first"),
  Buffer.from([0x41, 0x42, 0x7d, 0x7e]),
  wrap(Buffer.from([...Array(256).keys()])),
  wrap(Buffer.alloc(1_050, "x}~\x11")),
  Buffer.from([0x7e, 0x99, 0x7e, 0x7e]),
  wrap("last").subarray(1),
]);

describe(`a decoder of ${CASES} lines disturbed in every way`, () => {
  it("was put to the test", () => {
    expect(line.cases).toBe(CASES);
    // Most lines bring some of their frames through, so the oracle has something to compare.
    expect(line.delivered).toBeGreaterThan(CASES / 2);
  });

  it("F1: never delivers a payload that was not sent", () => {
    expect(fewest(line.phantoms)).toEqual([]);
    expect(line.blind).toBeLessThan(3);
  });

  it("F1: delivers nothing of a frame of which any one bit has changed", () => {
    const payload = Buffer.from(JSON.stringify({ jsonrpc: "2.0", id: 7, result: { rawdata: "cmF3".repeat(40) } }));
    const frame = wrap(payload);
    for (let bit = 0; bit < frame.length * 8; bit++) {
      const damaged = Buffer.from(frame);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const frames = new FrameDecoder().push(Buffer.concat([damaged, wrap("good")]));
      // A changed flag is noise before or after the frame, and the frame itself is whole.
      const inFlag = bit < 8 || bit >= (frame.length - 1) * 8;
      const others = frames.filter((found) => !(inFlag && found.equals(payload)));
      expect(others.map(String), `bit ${bit}`).toEqual(["good"]);
    }
  });

  it("F2: after any noise loses no good frame that opens with a flag, and one at most that does not", () =>
    expect(fewest(line.lost)).toEqual([]));

  it("F3: holds less than 64 KB, whatever comes", () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const held = () => {
      collect();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    const noises = [0x41, 0x7e, 0x7d].map((octet) => Buffer.alloc(MIB, octet));
    const before = held();
    const decoders = Array.from({ length: 60 }, () => new FrameDecoder());
    for (const decoder of decoders) for (const noise of noises) expect(decoder.push(noise)).toEqual([]);
    expect((held() - before) / decoders.length).toBeLessThan(64 * 1024);
    // 64 MiB without a flag for one of them.
    const [one = new FrameDecoder()] = decoders;
    for (let mebibyte = 0; mebibyte < 64; mebibyte++) one.push(noises[0] ?? Buffer.alloc(0));
    expect(one.push(Buffer.concat([Buffer.of(0x7e), wrap("still there")])).map(String)).toEqual(["still there"]);
  });

  it("F4: takes less than 20 ms of the processor for a mebibyte, whatever comes", () => {
    const chance = seeded(SEED);
    const kinds: Record<string, Buffer> = {
      letters: Buffer.alloc(MIB, 0x41),
      flags: Buffer.alloc(MIB, 0x7e),
      escapes: Buffer.alloc(MIB, 0x7d),
      "escaped letters": Buffer.alloc(MIB, "}A"),
      "short frames": Buffer.alloc(MIB, "~12345"),
      noise: Buffer.from(Array.from({ length: MIB }, () => chance.below(256))),
      "long frames": Buffer.concat(
        Array.from({ length: MIB / MAX_PAYLOAD }, () => wrap(Buffer.alloc(MAX_PAYLOAD - 8, 65))),
      ),
    };
    // The best of several: processor time, so no other process's share of the machine. Where even looking at each octet once
    // takes long, the machine is busy or slow, and the decoder may take as much more.
    const best = (work: () => unknown) => {
      const times = Array.from({ length: 15 }, () => {
        const before = process.cpuUsage();
        work();
        const { user, system } = process.cpuUsage(before);
        return (user + system) / 1_000;
      });
      return Math.min(...times);
    };
    const look = best(() => {
      let sum = 0;
      for (const octet of kinds.noise ?? []) sum = (sum + octet) | 0;
      return sum;
    });
    for (const [kind, octets] of Object.entries(kinds)) {
      expect(
        best(() => new FrameDecoder().push(octets)),
        kind,
      ).toBeLessThan(Math.max(20, 10 * look));
    }
  });

  it("F5: lets no exception out", () => expect(fewest(line.thrown)).toEqual([]));

  it("F6: finds the same frames however the line is cut into chunks", () => {
    expect(fewest(line.split)).toEqual([]);
    const whole = new FrameDecoder();
    const expected = whole.push(stream);
    expect(expected.length).toBe(4);
    expect(stream.length).toBeGreaterThan(2_000);
    for (let at = 0; at <= stream.length; at++) {
      const decoder = new FrameDecoder();
      expect([...decoder.push(stream.subarray(0, at)), ...decoder.push(stream.subarray(at))]).toEqual(expected);
      expect(decoder.counters).toEqual(whole.counters);
    }
    const chance = seeded(SEED);
    for (let round = 0; round < 2_000; round++) {
      const decoder = new FrameDecoder();
      const frames: Buffer[] = [];
      for (let at = 0; at < stream.length; ) {
        const end = at + 1 + chance.below(round % 100 === 0 ? 1 : 200);
        frames.push(...decoder.push(stream.subarray(at, end)));
        at = end;
      }
      expect(frames).toEqual(expected);
      expect(decoder.counters).toEqual(whole.counters);
    }
  });
});

describe(`a driver of ${CALLS} calls on a hostile bridge`, () => {
  it("was put to the test", () => {
    expect(driver.calls).toBeGreaterThanOrEqual(CALLS);
    const { answered = 0, BRIDGE_TIMEOUT = 0, BRIDGE_LOST = 0, SDK_NATIVE_ERROR = 0 } = driver.outcomes;
    expect(Math.min(answered / 4, BRIDGE_TIMEOUT / 2, BRIDGE_LOST, SDK_NATIVE_ERROR * 4)).toBeGreaterThan(CALLS / 40);
  });

  it("F5: rejects with nothing but errors of the table", () => expect(fewest(driver.thrown)).toEqual([]));

  it("F7: resolves no call with another call's answer", () => expect(fewest(driver.strangers)).toEqual([]));

  it("F8: settles every call within its time, and finds the bridge again", () =>
    expect(fewest(driver.late)).toEqual([]));
});

it("F8: an unplug after any octet of an answer ends the call at once, and the next line works", async () => {
  const clock = new FakeClock();
  const bridge = new ScriptedBridge();
  const config: DriverConfig = { type: "socket", path: "/run/bridge.sock", ...lineSettings };
  const random = { unit: () => 0, bytes: (length: number) => Buffer.alloc(length) };
  const unplugged = createSdkDriver({ config, version: "0", open: bridge.open, clock, random, log: silentLog });
  unplugged.start();
  const ready = async () => {
    while (unplugged.status().state !== "ready") await clock.advance(100);
  };
  let length = 1;
  for (let at = 0; at < length; at++) {
    await ready();
    bridge.script = ({ id, params }) => {
      if (params.cmd !== "x") return undefined;
      const frame = wrap(JSON.stringify({ jsonrpc: "2.0", id, result: { return_code: "SUCCESS" } }));
      length = frame.length;
      bridge.send(frame.subarray(0, at));
      bridge.unplug();
      return "silence";
    };
    const outcome = unplugged.call({ cmd: "x" }, new AbortController().signal).catch((error: unknown) => error);
    await clock.settle();
    expect(await outcome, `after ${at} octets`).toMatchObject({ code: "BRIDGE_LOST" });
  }
  expect(length).toBeGreaterThan(60);
  await ready();
  await unplugged.close();
  await clock.settle();
  expect(clock.sleeping).toBe(0);
  expect(bridge.closed).toBe(bridge.opened);
});
