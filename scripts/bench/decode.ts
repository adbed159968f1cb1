/** The decoder's side of the frame rows, in a process of its own. Each message is one round; run with --expose-gc. */
import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import { encodeFrame, FrameDecoder } from "../../drivers/line/frame.ts";

export type DecodeOrder = "answers" | "floor" | "garbage" | "held";

const MB = 1e6;
const ROUND_OCTETS = 32 * MB;
const GARBAGE_OCTETS = 64 * 1024 * 1024;
/** As a serial line or a socket hands it over. */
const CHUNK_OCTETS = 4096;

/** An answer to getWxpayfaceRawdata of 7 KB. */
const answer = Buffer.from(
  JSON.stringify({
    jsonrpc: "2.0",
    id: 1,
    result: { return_code: "SUCCESS", return_msg: "", rawdata: randomBytes(5_150).toString("base64") },
  }),
);
const frame = encodeFrame(answer);
const stream = Buffer.concat(Array.from({ length: Math.ceil(ROUND_OCTETS / frame.length) }, () => frame));
const garbage = randomBytes(GARBAGE_OCTETS);

function* chunks(octets: Buffer): Generator<Buffer> {
  for (let at = 0; at < octets.length; at += CHUNK_OCTETS) yield octets.subarray(at, at + CHUNK_OCTETS);
}

/** MB a second. */
function answers(): number {
  const decoder = new FrameDecoder();
  let good = 0;
  const startedAt = performance.now();
  for (const chunk of chunks(stream)) good += decoder.push(chunk).length;
  const seconds = (performance.now() - startedAt) / 1000;
  if (good * frame.length !== stream.length) throw new Error(`only ${good} frames were found`);
  return stream.length / MB / seconds;
}

/** The same octets copied and summed in the same chunks, MB a second: the least any decoder has to do. */
function floor(): number {
  const copy = Buffer.alloc(CHUNK_OCTETS);
  const startedAt = performance.now();
  let sum = 0;
  for (const chunk of chunks(stream)) sum = crc32(copy.subarray(0, chunk.copy(copy)), sum);
  return stream.length / MB / ((performance.now() - startedAt) / 1000);
}

/** Seconds for 64 MiB. */
function rubbish(): number {
  const decoder = new FrameDecoder();
  const startedAt = performance.now();
  for (const chunk of chunks(garbage)) decoder.push(chunk);
  return (performance.now() - startedAt) / 1000;
}

/** KB that a decoder keeps to itself after 64 MiB of garbage. */
function held(): number {
  const used = () => {
    globalThis.gc?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  used();
  const before = used();
  const decoder = new FrameDecoder();
  for (const chunk of chunks(garbage)) decoder.push(chunk);
  const after = used();
  // Named again, so that it is still there when memory is looked at.
  return decoder.counters.ok >= 0 ? (after - before) / 1024 : Number.NaN;
}

const rounds = { answers, floor, garbage: rubbish, held };

process.on("message", ({ order }: { readonly order: DecodeOrder }) => {
  process.send?.({ value: rounds[order]() });
});
