import type { Duplex } from "node:stream";
import { encodeFrame, type FrameCounters, FrameDecoder } from "../line/frame.ts";

/** So many requests of one line may wait; the agent has one at a time. Beyond that nothing more is read. */
const MOST_PENDING = 8;

/** Serves one line until it closes or the signal aborts. Resolves then, and leaves the stream to its owner. Never rejects. */
export function serveLine(
  stream: Duplex,
  answer: (payload: Buffer, signal: AbortSignal) => Promise<Buffer | undefined>,
  counters: FrameCounters,
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const gone = new AbortController();
  const decoder = new FrameDecoder(counters);
  let pending = 0;
  const settled = () => {
    if (--pending < MOST_PENDING) stream.resume();
  };
  const serve = async (payload: Buffer) => {
    pending++;
    if (pending >= MOST_PENDING) stream.pause();
    const reply = await answer(payload, gone.signal).catch(() => undefined);
    // Who does not read the answers gets no more of them: the next request counts from when this one has left.
    if (reply && !gone.signal.aborted && stream.writable) stream.write(encodeFrame(reply), settled);
    else settled();
  };
  const onData = (chunk: Buffer) => {
    for (const payload of decoder.push(chunk)) void serve(payload);
  };
  const end = () => {
    if (gone.signal.aborted) return;
    gone.abort(new Error("the line has gone"));
    stream.off("data", onData);
    signal.removeEventListener("abort", end);
    resolve();
  };
  stream.on("data", onData);
  // Stays for good: a stream may still report an error after its end.
  stream.on("error", end);
  stream.once("end", end);
  stream.once("close", end);
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted || stream.destroyed) end();
  return promise;
}
