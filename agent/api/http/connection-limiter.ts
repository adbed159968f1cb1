import type { Clock } from "../../common/clock.ts";
import { HEARING_MS, type Peer, type Peers } from "./peers.ts";

/**
 * What to call when somebody new has come: sends away who keeps a place without using it, when the places are needed;
 * newcomers are heard first, so it looks again a moment later.
 */
export function createThinner(
  peers: Peers,
  limit: number,
  clock: Clock,
  signal: AbortSignal,
  leaves: (peer: Peer) => void,
): () => void {
  let thinning = false;
  return function thin(): void {
    for (let leaver = peers.surplus(clock.boot()); leaver; leaver = peers.surplus(clock.boot())) {
      leaves(leaver);
      leaver.socket.destroy();
    }
    if (thinning || peers.size < limit) return;
    thinning = true;
    const again = () => {
      thinning = false;
      thin();
    };
    // A rejection means the end: then all of them go.
    clock.sleep(HEARING_MS, signal).then(again, () => undefined);
  };
}
