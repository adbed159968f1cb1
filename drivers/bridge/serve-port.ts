import type { Duplex } from "node:stream";
import type { Clock } from "../../agent/clock.ts";
import type { Entropy } from "../../agent/entropy.ts";
import { asAgentError } from "../../agent/errors.ts";
import type { Log } from "../../agent/log.ts";
import { type OpenedStream, type OpenStream, untilGone } from "../open-stream.ts";
import { backoffMs } from "../sdk-rules.ts";

/** A port that was in use for so long was a good one: the next opening begins with a short pause again. */
const SETTLED_MS = 10_000;

/** Keeps a serial port open and served until the signal aborts, whatever becomes of it meanwhile. Never rejects. */
export async function servePort(
  open: OpenStream,
  serve: (stream: Duplex, signal: AbortSignal) => Promise<void>,
  { clock, entropy, log }: { readonly clock: Clock; readonly entropy: Entropy; readonly log: Log },
  signal: AbortSignal,
): Promise<void> {
  let failures = 0;
  let problem = "";
  while (!signal.aborted) {
    try {
      const opened = await open(signal);
      const openedAt = clock.boot();
      problem = "";
      log.info("BRIDGE_SERVING", { port: opened.path });
      await serveOpened(opened, serve, clock, signal);
      if (clock.boot() - openedAt >= SETTLED_MS) failures = 0;
      if (!signal.aborted) log.warn("BRIDGE_LOST", { port: opened.path });
    } catch (error) {
      const { code, message: detail } = asAgentError(error);
      // An unplugged adapter fails every few seconds: only the first time is news.
      if (!signal.aborted) log[code === problem ? "debug" : "warn"]("BRIDGE_PROBLEM", { cause: code, detail });
      problem = code;
    }
    await clock.sleep(backoffMs(failures++, entropy.unit()), signal).catch(() => {
      // The end has cut the pause short.
    });
  }
}

async function serveOpened(
  opened: OpenedStream,
  serve: (stream: Duplex, signal: AbortSignal) => Promise<void>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const lost = new AbortController();
  const either = AbortSignal.any([signal, lost.signal]);
  const giveUp = () => lost.abort(new Error("the line has gone"));
  untilGone(opened, clock, either).catch(giveUp);
  await serve(opened.stream, either);
  giveUp();
  await opened.close();
}
