import type { Clock } from "../../common/clock.ts";
import { asAgentError, failureFields } from "../../common/errors.ts";
import type { Language } from "../../common/language.ts";
import type { Log } from "../../common/log/log.ts";
import type { CredentialService } from "../../credential/credential-types.ts";
import { type Datagrams, openDatagrams } from "./datagram.ts";
import { beatEveryMs, mayFeed, type NotifyPlace, reloadingText, statusText } from "./notice.ts";
import { askOurselves } from "./self-request.ts";

export interface NotifierParts {
  readonly place: NotifyPlace;
  readonly credentials: Pick<CredentialService, "view" | "subscribe">;
  /** Whether the loop that watches time turns. */
  readonly live: () => boolean;
  /** Our own socket, as it is at that moment; undefined when its path is not known. */
  readonly apiSocket: () => string | undefined;
  readonly monotonicUs: () => bigint;
  readonly language: Language;
  readonly clock: Clock;
  readonly log: Log;
}

/** What the service manager is told of our life. */
export interface Notifier {
  /** Says so around a reload: RELOADING, then READY. */
  during(reload: () => Promise<void>): Promise<void>;
  /** STOPPING, and nothing more after it. */
  stop(): Promise<void>;
}

/** A receiver that has taken nothing for so long is not waited for. */
const PATIENCE_MS = 5_000;
const FULL_QUEUE_MS = 50;

/**
 * Sends READY at once: it is called when the sockets answer and the store is loaded, network or not. Then STATUS at each
 * change, and WATCHDOG while our loops turn. A failure is told to the log and costs nothing else.
 */
export async function startNotifier(parts: NotifierParts): Promise<Notifier> {
  const { place, credentials, live, apiSocket, clock, log, language } = parts;
  const stopping = new AbortController();
  const { signal } = stopping;
  const datagrams = await openDatagrams(place.address).catch((error: unknown) => {
    log.error("NOTIFY_FAILED", failureFields(asAgentError(error)));
    return undefined;
  });
  let waiting: Promise<void> = Promise.resolve();
  let told = "";
  const send = (text: string): Promise<void> => {
    waiting = waiting.then(() => deliver(text, datagrams, clock, log));
    return waiting;
  };
  const status = () => {
    const text = statusText(credentials.view(), language);
    if (text === told) return [];
    told = text;
    return [`STATUS=${text}`];
  };
  const tell = (...lines: string[]) => {
    const all = [...lines, ...status()];
    if (all.length > 0 && !signal.aborted) void send(all.join("\n"));
  };

  const every = beatEveryMs(place);
  const beat = async () => {
    while (!signal.aborted) {
      const socket = apiSocket();
      const server = socket === undefined ? "unknown" : await askOurselves(socket, every, clock);
      const scheduler = live();
      if (place.watchdogMs !== undefined && mayFeed({ scheduler, server })) tell("WATCHDOG=1");
      else tell();
      if (server === "silent" || server === "refused" || !scheduler) log.error("LOOP_STANDS", { server, scheduler });
      // A rejection means the end, which the loop sees.
      await clock.sleep(every, signal).catch(() => undefined);
    }
  };

  tell("READY=1");
  const unsubscribe = credentials.subscribe(() => tell());
  void beat();
  return {
    async during(reload) {
      tell(reloadingText(parts.monotonicUs()));
      try {
        await reload();
      } finally {
        tell("READY=1");
      }
    },
    async stop() {
      unsubscribe();
      tell("STOPPING=1");
      stopping.abort();
      await waiting;
      datagrams?.close();
    },
  };
}

/** In order and without ever blocking: a queue that is full is tried again for a while. */
async function deliver(text: string, to: Datagrams | undefined, clock: Clock, log: Log): Promise<void> {
  const deadline = clock.boot() + PATIENCE_MS;
  let outcome = to?.send(text);
  while (outcome === "full" && clock.boot() < deadline) {
    await clock.sleep(FULL_QUEUE_MS);
    outcome = to?.send(text);
  }
  if (outcome !== "sent" && outcome !== undefined) log.warn("NOTIFY_FAILED", { detail: outcome });
}
