import { frame } from "../simulator/wire.ts";
import { type CheckContext, HELLO } from "./check-case.ts";
import { decode, parse } from "./check-line.ts";
import { RuleBroken } from "./verdict.ts";

/**
 * Sends octets that are no good call, then a good one, and returns what was answered besides the good one. Throws RuleBroken when
 * that stays without an answer: whatever comes in, a bridge has to hear the next call.
 */
export async function heardBesides({ line, limits, clock }: CheckContext, octets: Uint8Array): Promise<string[]> {
  const good = line.request("hello", HELLO);
  const startedAt = clock.boot();
  line.send(Buffer.concat([octets, frame(good.payload)]));
  const others: string[] = [];
  for (let answered = false; !answered; ) {
    const received = await line.next(startedAt + limits.helloMs);
    if (received === undefined) {
      const [zh, en] = line.lost ? ["并关闭了线路", " and closed the line"] : ["", ""];
      throw new RuleBroken(`此后不再应答${zh}`, `it does not answer the next call${en}`);
    }
    if (received.kind !== "payload") continue;
    const text = decode(received.payload);
    answered = parse(text)?.id === good.id;
    if (!answered) others.push(text);
  }
  for (const late of await line.listen(limits.quietMs)) if (late.kind === "payload") others.push(decode(late.payload));
  return others;
}
