import type { ServerResponse } from "node:http";
import type { Clock } from "../common/clock.ts";
import { problem, type Reply, withSupportCode } from "./http/problem.ts";
import type { RejectionReason } from "./http/rejection-reasons.ts";
import { beginEventStream, send } from "./http/reply.ts";
import type { Caller } from "./http/routes.ts";

/** What a subscriber is told: the authinfo's document, or the problem that stands in its place. */
export type Announcement =
  | { readonly kind: "authinfo"; readonly generation: number; readonly text: string }
  | { readonly kind: "unavailable"; readonly reply: Reply };

export interface EventStreamDeps {
  readonly clock: Clock;
  readonly denied: (reason: RejectionReason) => void;
  readonly supportCode?: (() => string) | undefined;
  /** The present announcement for a reader who does, or does not, take a stale authinfo. */
  readonly announce: (staleOk: boolean) => Announcement;
  /** As `CredentialService.subscribe`. */
  readonly subscribe: (listener: () => void) => () => void;
}

const MAX_SUBSCRIBERS = 16;
const MAX_WAITING_BYTES = 64 * 1024;
const CHECK_EVERY_MS = 5_000;
/** A comment every third check: 15 s. Proxies and clients of the SSE standard expect it (HTML standard 9.2.7). */
const CHECKS_PER_COMMENT = 3;
const STUCK_AFTER_MS = 30_000;

interface Subscriber {
  readonly res: ServerResponse;
  readonly staleOk: boolean;
  /** `Clock.boot()` since when octets have been waiting for this reader. */
  stuckSince: number | undefined;
}

/**
 * Server-Sent Events: every subscriber hears the present state at once and every change after it. A write only ever
 * goes into a buffer; a subscriber whose buffer grows too large, or stays unread for 30 s, is dropped; no subscriber delays another.
 */
export function createEventStream(deps: EventStreamDeps): (caller: Caller, staleOk: boolean) => void {
  const { clock, denied, announce } = deps;
  const subscribers = new Set<Subscriber>();
  let stopWatching: (() => void) | undefined;

  function tell(subscriber: Subscriber, text: string): void {
    const { res } = subscriber;
    if (res.destroyed) return;
    res.write(text);
    if (res.writableLength > MAX_WAITING_BYTES) drop(subscriber);
  }

  function drop(subscriber: Subscriber): void {
    denied("slow_subscriber");
    subscribers.delete(subscriber);
    subscriber.res.destroy();
  }

  function tellAll(): void {
    const texts = new Map<boolean, string>();
    for (const subscriber of subscribers) {
      const text = texts.get(subscriber.staleOk) ?? eventText(announce(subscriber.staleOk));
      texts.set(subscriber.staleOk, text);
      tell(subscriber, text);
    }
  }

  async function watch(signal: AbortSignal): Promise<void> {
    for (let check = 1; !signal.aborted; check++) {
      try {
        await clock.sleep(CHECK_EVERY_MS, signal);
      } catch {
        // The last subscriber has left.
        return;
      }
      for (const subscriber of subscribers) {
        if (subscriber.res.writableLength === 0) subscriber.stuckSince = undefined;
        else subscriber.stuckSince ??= clock.boot();
        const { stuckSince } = subscriber;
        if (stuckSince !== undefined && clock.boot() - stuckSince >= STUCK_AFTER_MS) drop(subscriber);
        else if (check % CHECKS_PER_COMMENT === 0) tell(subscriber, ":\n\n");
      }
    }
  }

  function start(): () => void {
    const stop = new AbortController();
    const unsubscribe = deps.subscribe(tellAll);
    watch(stop.signal).catch(() => stop.abort());
    return () => {
      stop.abort();
      unsubscribe();
    };
  }

  return ({ req, res, hold }, staleOk) => {
    if (req.method === "HEAD") {
      beginEventStream(res);
      res.end();
      return;
    }
    if (subscribers.size >= MAX_SUBSCRIBERS) {
      denied("subscribers");
      send(res, withSupportCode(problem("TOO_MANY_SUBSCRIBERS", { retryAfterS: 5 }), deps.supportCode));
      return;
    }
    const signal = hold();
    if (signal.aborted) {
      res.destroy();
      return;
    }
    const subscriber: Subscriber = { res, staleOk, stuckSince: undefined };
    subscribers.add(subscriber);
    stopWatching ??= start();
    res.on("error", () => res.destroy());
    signal.addEventListener(
      "abort",
      () => {
        subscribers.delete(subscriber);
        if (!res.destroyed) res.end();
        if (subscribers.size > 0) return;
        stopWatching?.();
        stopWatching = undefined;
      },
      { once: true },
    );
    beginEventStream(res);
    tell(subscriber, eventText(announce(staleOk)));
  };
}

/** The text of one event. JSON has no line ends, so one `data` line is enough. */
function eventText(announcement: Announcement): string {
  if (announcement.kind === "unavailable") return `event: unavailable\ndata: ${announcement.reply.body}\n\n`;
  return `event: authinfo\nid: ${announcement.generation}\ndata: ${announcement.text}\n\n`;
}
