import { duplexPair } from "node:stream";
import { expect, it } from "vitest";
import type { AgentError } from "../../../agent/common/errors.ts";
import type { OpenedStream } from "../../../drivers/line/open-stream.ts";
import { LineEar } from "../../../drivers/sdk/line-facts.ts";
import { Link, newLinkCounters } from "../../../drivers/sdk/link.ts";
import { failureWith } from "../../support/checks/failures.ts";
import { FakeClock } from "../../support/fakes/fake-clock.ts";

function open(alive?: () => Promise<void>) {
  const clock = new FakeClock();
  const [stream, far] = duplexPair();
  const close = async () => {
    stream.destroy();
    far.destroy();
  };
  const opened: OpenedStream = { stream, path: "/dev/x", ...(alive && { alive }), close };
  const link = new Link(opened, { clock, counters: newLinkCounters(), ear: new LineEar(), nextId: () => 1 });
  return { clock, stream, far, link };
}

it("is lost when the device does not answer the system, though the stream says nothing", async () => {
  let asked = 0;
  const { clock, link } = open(async () => {
    if (++asked > 3) throw failureWith("BRIDGE_LOST");
  });
  await clock.advance(3_000);
  expect(link.lost.aborted).toBe(false);
  await clock.advance(1_000);
  expect(link.lost.reason).toMatchObject({ code: "BRIDGE_LOST", params: {} });
  await link.close();
  expect(clock.sleeping).toBe(0);
});

it("is lost when even that question is not answered, which a slow board may do late", async () => {
  const { clock, link } = open(() => new Promise(() => undefined));
  await clock.advance(10_999);
  expect(link.lost.aborted).toBe(false);
  await clock.advance(1);
  expect(link.lost.reason).toMatchObject({ code: "BRIDGE_LOST" });
  await link.close();
  expect(clock.sleeping).toBe(0);
});

it("is lost with the stream's error, rejects the call under way, and outlives later errors", async () => {
  const { clock, stream, link } = open();
  const call = link.request("hello", {}, { timeoutMs: 1_000 });
  const seen = expect(call).rejects.toMatchObject({
    code: "BRIDGE_LOST",
    params: { variant: "unexpected", error: "Input/output error" },
  });
  stream.destroy(new Error("Input/output error"));
  await seen;
  stream.emit("error", new Error("once more"));
  await expect(link.request("hello", {}, { timeoutMs: 1_000 })).rejects.toMatchObject({ code: "BRIDGE_LOST" });
  await link.close();
  expect(clock.sleeping).toBe(0);
});

it("is lost from the start when the stream is", async () => {
  const { stream, far } = open();
  stream.destroy();
  far.destroy();
  await new Promise(setImmediate);
  const link = new Link(
    { stream, path: "/dev/x", close: async () => undefined },
    { clock: new FakeClock(), counters: newLinkCounters(), ear: new LineEar(), nextId: () => 1 },
  );
  expect(link.lost.aborted).toBe(true);
});

it("keeps its deadline when the peer does not even read", async () => {
  const { clock, far, link } = open();
  far.pause();
  for (let i = 0; i < 2; i++) {
    const call = link.request("call", { filler: "x".repeat(8_000) }, { timeoutMs: 1_000 });
    const seen = expect(call).rejects.toMatchObject({ code: "BRIDGE_TIMEOUT" });
    await clock.advance(1_000);
    await seen;
  }
  expect(link.consecutiveTimeouts).toBe(2);
  await link.close();
});

it("refuses a second call while one is under way", async () => {
  const { link } = open();
  const first = link.request("hello", {}, { timeoutMs: 1_000 }).catch((error: AgentError) => error.code);
  await expect(link.request("hello", {}, { timeoutMs: 1_000 })).rejects.toMatchObject({ code: "INTERNAL" });
  await link.close();
  expect(await first).toBe("BRIDGE_CLOSED");
});
