import type { ContestantName } from "./contestant.ts";
import { Helper, processorMs } from "./processes.ts";
import { compared, type Row } from "./table.ts";
import { Terminal } from "./terminal.ts";

/** Many short rounds: the speed of a virtual processor drifts within seconds, and the contestants are to meet the same. */
const ROUNDS = 63;
const REQUESTS = 100;
const names = ["facepay-agent", "undici by hand", "wechatpay-axios-plugin", "wechatpay-node-v3"] as const;
const limits = [{ atMost: 1.15 }, { below: 1 }, { below: 1 }] as const;

/** Processor time of one signed and verified request over TLS, against the least there is and against two peers. */
export async function signingRows(launcher: string): Promise<Row[]> {
  await using terminal = await Terminal.open(launcher);
  const { pay, directory } = terminal;
  await using helpers = new AsyncDisposableStack();
  const contestants = names.map((name: ContestantName) =>
    helpers.use(new Helper("contestant.ts", [name, directory, JSON.stringify(pay)])),
  );
  const costs: number[][] = names.map(() => []);
  // The first rounds open connections and let V8 warm up.
  for (let round = -6; round < ROUNDS; round++) {
    for (const [i, contestant] of contestants.entries()) {
      const before = round < 0 ? 0 : processorMs(contestant.pid);
      await contestant.ask({ requests: REQUESTS });
      if (round >= 0) costs[i]?.push(((processorMs(contestant.pid) - before) * 1000) / REQUESTS);
    }
  }
  const [ours = [], ...others] = costs;
  const show = (us: number) => `${us.toFixed(0)} us`;
  const what = "processor time of a signed and verified request";
  return others.flatMap((other, i) => {
    const limit = limits[i];
    return limit === undefined ? [] : [compared({ what, ours, other, otherName: names[i + 1] ?? "", show, limit })];
  });
}
