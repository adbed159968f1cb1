import type { Duplex } from "node:stream";
import type { Clock } from "../../agent/common/clock.ts";
import { AgentError, asAgentError } from "../../agent/common/errors.ts";
import type { Random } from "../../agent/common/random.ts";
import type { OpenedStream, OpenStream } from "../line/open-stream.ts";
import { untilGone } from "../sdk/link.ts";
import { backoffMs } from "../sdk/rules.ts";

/** A port that was in use for so long was a good one: the next opening begins with a short pause again. */
const SETTLED_MS = 10_000;

export interface PortParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly onOpened: (path: string) => void;
  /** Why the port is not open, or is so no longer. */
  readonly onProblem: (problem: AgentError) => void;
}

/** Keeps a serial port open and served until the signal aborts, whatever becomes of it meanwhile. Never rejects. */
export async function servePort(
  open: OpenStream,
  serve: (stream: Duplex, signal: AbortSignal) => Promise<void>,
  { clock, random, onOpened, onProblem }: PortParts,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      const opened = await open(signal);
      const openedAt = clock.boot();
      onOpened(opened.path);
      await serveOpened(opened, serve, clock, signal);
      if (clock.boot() - openedAt >= SETTLED_MS) failures = 0;
      throw new AgentError("BRIDGE_LOST.path", { path: opened.path });
    } catch (error) {
      if (!signal.aborted) onProblem(asAgentError(error));
    }
    await clock.sleep(backoffMs(failures++, random.unit()), signal).catch(() => {
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
