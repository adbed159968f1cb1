import { Duplex, duplexPair } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { serveLine } from "../../../drivers/bridge/serve-line.ts";
import { servePort } from "../../../drivers/bridge/serve-port.ts";
import { newFrameCounters } from "../../../drivers/line/frame.ts";
import { FakeClock } from "../../support/fakes/fake-clock.ts";
import { wrap } from "../../support/fakes/scripted-bridge.ts";

const forever = new AbortController().signal;
const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await turn();
};

describe("one line of the bridge", () => {
  it("is not read any further while its peer does not take the answers", async () => {
    let answered = 0;
    let pushed = 0;
    const stalled = new Duplex({
      read() {
        if (pushed < 100) this.push(wrap(`call ${++pushed}`));
      },
      write() {
        // Never done, as on a line whose peer has stopped it.
      },
      readableHighWaterMark: 1,
    });
    void serveLine(stalled, async () => Buffer.from(String(++answered)), newFrameCounters(), forever);
    await turns(300);
    expect(answered).toBeLessThanOrEqual(8);
    expect(pushed).toBeLessThanOrEqual(10);
    stalled.destroy();
  });

  it("is read on when the answers have left", async () => {
    const [near, far] = duplexPair();
    const heard: Buffer[] = [];
    near.on("data", (chunk: Buffer) => heard.push(chunk));
    void serveLine(far, async (payload) => payload, newFrameCounters(), forever);
    for (let n = 0; n < 100; n++) near.write(wrap(`call ${n}`));
    await turns(300);
    expect(
      Buffer.concat(heard)
        .toString("latin1")
        .match(/call \d+/g),
    ).toHaveLength(100);
  });

  it("ends with its stream, and tells the calls under way that nobody waits for them", async () => {
    const [near, far] = duplexPair();
    let left: AbortSignal | undefined;
    const answer = (_: Buffer, signal: AbortSignal) => {
      left = signal;
      return new Promise<Buffer>((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    };
    const ended = serveLine(far, answer, newFrameCounters(), forever);
    near.write(wrap("call"));
    await turns(5);
    expect(left?.aborted).toBe(false);
    near.destroy();
    await ended;
    expect(left?.aborted).toBe(true);
  });
});

describe("a serial port of the bridge", () => {
  it("is opened again and again, with pauses that grow, until the end", async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    const problems: string[] = [];
    let opens = 0;
    const served = servePort(
      async () => {
        opens++;
        throw new Error("no such device");
      },
      async () => {},
      {
        clock,
        random: { unit: () => 1, bytes: (length) => Buffer.alloc(length) },
        onOpened: () => {},
        onProblem: ({ message }) => problems.push(message),
      },
      stop.signal,
    );
    await clock.advance(499);
    expect(opens).toBe(1);
    await clock.advance(1);
    expect(opens).toBe(2);
    await clock.advance(60_000);
    expect(opens).toBeGreaterThan(6);
    expect(opens).toBeLessThan(13);
    expect(new Set(problems)).toEqual(new Set(['INTERNAL.unexpected {"error":"no such device"}']));
    stop.abort(new Error("over"));
    await served;
  });
});
