import type { Clock } from "../../common/clock.ts";
import type { Peers } from "./peers.ts";

/** Longer than a reader that is merely slow takes for the few KB of an answer. */
const UNREAD_MS = 180_000;
const LOOK_EVERY_MS = 30_000;

/**
 * Cuts connections on which an answer lies that nobody reads, until the signal falls. A last resort: Node's `server.timeout` would
 * do the same, with a timer made anew for every single request.
 */
export async function cutUnread(peers: Peers, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    // A rejection means the end, which the loop sees.
    await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
    const now = clock.boot();
    for (const peer of peers) {
      if (peer.socket.writableLength === 0) peer.unreadSince = undefined;
      else if (peer.unreadSince === undefined) peer.unreadSince = now;
      else if (now - peer.unreadSince >= UNREAD_MS) peer.socket.destroy();
    }
  }
}
