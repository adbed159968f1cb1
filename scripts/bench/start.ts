import path from "node:path";
import { end, start } from "./processes.ts";
import { median } from "./statistics.ts";
import { compared, type Row } from "./table.ts";
import { Terminal, timeToAnswer } from "./terminal.ts";

const ROUNDS = 21;

/** From exec to the first answered `GET /v1/authinfo`, with a kept authinfo, no bridge and no network. */
export async function startRows(launcher: string): Promise<Row[]> {
  await using terminal = await Terminal.open(launcher);
  // This start obtains the authinfo that is kept, and warms the compile cache.
  await terminal.serve();
  await terminal.stopAgent();
  await terminal.isolate();
  const bareSocket = path.join(terminal.directory, "bare.sock");
  const bare = (script: string) => () => start(path.join(import.meta.dirname, script), [bareSocket]);
  const contestants = [
    { socket: terminal.socket, startIt: () => terminal.startAgent() },
    { socket: bareSocket, startIt: bare("bare-server.js") },
    { socket: bareSocket, startIt: bare("bare-server.cjs") },
  ];
  const times: number[][] = contestants.map(() => []);
  // The first round only brings the files into memory.
  for (let round = -1; round < ROUNDS; round++) {
    for (const [i, { socket, startIt }] of contestants.entries()) {
      const { ms, child } = await timeToAnswer(socket, startIt);
      await end(child);
      if (round >= 0) times[i]?.push(ms);
    }
  }
  const [ours = [], other = [], leanest = []] = times;
  const what = "exec to first answered GET /v1/authinfo, no network";
  const show = (ms: number) => `${ms.toFixed(0)} ms`;
  return [
    compared({ what, ours, other, otherName: "bare node:http", show, limit: { atMost: 1.4 } }),
    information(what, show(median(ours)), ours, leanest, show),
  ];
}

/** The same against a floor no ES module can have: shown, not judged. */
export function information(
  what: string,
  shown: string,
  ours: readonly number[],
  leanest: readonly number[],
  show: (value: number) => string,
): Row {
  const row = compared({ what, ours, other: leanest, otherName: "the same as CommonJS", show, limit: { atMost: 0 } });
  return { ...row, ours: shown, limit: "(for information)", reached: true };
}
