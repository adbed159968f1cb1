import type { DecodeOrder } from "./decode.ts";
import { Helper } from "./processes.ts";
import { median, quantile } from "./statistics.ts";
import type { Row } from "./table.ts";

const ROUNDS = 9;
const LEAST_MB_S = 100;
const MOST_S = 0.5;
const MOST_KB = 64;

/** The frame decoder on 7 KB answers and on garbage. */
export async function frameRows(): Promise<Row[]> {
  await using decoder = new Helper("decode.ts", [], ["--expose-gc"]);
  const ask = async (order: DecodeOrder) => (await decoder.ask<{ readonly value: number }>({ order })).value;
  const found: Record<DecodeOrder, number[]> = { answers: [], floor: [], garbage: [], held: [] };
  for (let round = -1; round < ROUNDS; round++) {
    for (const order of ["answers", "floor", "garbage", "held"] as const) {
      const value = await ask(order);
      if (round >= 0) found[order].push(value);
    }
  }
  const speed = median(found.answers);
  const seconds = median(found.garbage);
  const held = Math.max(...found.held);
  const span = (values: readonly number[], digits: number) =>
    `${quantile(values, 0.25).toFixed(digits)} to ${quantile(values, 0.75).toFixed(digits)}, ${ROUNDS} rounds`;
  return [
    {
      what: "frame decoder, answers of 7 KB in chunks of 4 KB",
      ours: `${speed.toFixed(0)} MB/s`,
      against: `${median(found.floor).toFixed(0)} MB/s (copy and CRC-32 alone)`,
      result: `${speed.toFixed(0)} MB/s (${span(found.answers, 0)})`,
      limit: `>= ${LEAST_MB_S} MB/s`,
      reached: speed >= LEAST_MB_S,
    },
    {
      what: "frame decoder, 64 MiB of garbage",
      ours: `${seconds.toFixed(2)} s`,
      against: "",
      result: `${seconds.toFixed(2)} s (${span(found.garbage, 2)}), at most ${Math.ceil(held)} KB held`,
      limit: `<= ${MOST_S} s, <= ${MOST_KB} KB`,
      reached: seconds <= MOST_S && held <= MOST_KB,
    },
  ];
}
