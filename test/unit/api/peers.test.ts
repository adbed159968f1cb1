import type { Socket } from "node:net";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { HEARING_MS, Peers } from "../../../agent/api/http/peers.ts";

const LIMIT = 4;

/** A connection as far as this file looks at one. */
const connection = () => new PassThrough() as unknown as Socket;

function crowd(peers: Peers, count: number, nowMs: number): void {
  for (let n = 0; n < count; n++) peers.admit(connection(), nowMs);
}

/** All who have to go at this instant, in order. */
function leave(peers: Peers, nowMs: number): Socket[] {
  const left: Socket[] = [];
  for (let peer = peers.surplus(nowMs); peer; peer = peers.surplus(nowMs)) left.push(peer.socket);
  return left;
}

describe("when the house is full", () => {
  it("nobody goes who has just come, so that a reader who waits for a core is heard before a crowd counts", () => {
    const peers = new Peers(LIMIT);
    const reader = connection();
    peers.admit(reader, 0);
    crowd(peers, 10, 1);
    expect(leave(peers, HEARING_MS - 1)).toEqual([]);
    peers.touch(reader);
    const gone = leave(peers, HEARING_MS + 1);
    expect(gone).toHaveLength(8);
    expect(gone).not.toContain(reader);
    expect(peers.size).toBe(LIMIT - 1);
  });

  it("those go first who never asked, then those who asked longest ago, and never one at work", () => {
    const peers = new Peers(LIMIT);
    const [silent, first, second, working] = [connection(), connection(), connection(), connection()];
    for (const socket of [working, first, second, silent]) peers.admit(socket, 0);
    for (const socket of [first, second, working]) peers.touch(socket);
    const peer = peers.find(working);
    if (peer) peer.busy++;
    crowd(peers, 2, 5_000);
    expect(leave(peers, 5_000)).toEqual([silent, first, second]);
    expect(leave(peers, 10_000)).toEqual([]);
  });

  it("a flood is thinned at once, however fresh it is", () => {
    const peers = new Peers(LIMIT);
    crowd(peers, peers.most, 0);
    expect(leave(peers, 1)).toHaveLength(1);
    expect(peers.size).toBeLessThan(peers.most);
  });
});
