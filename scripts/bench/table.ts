import { type Ratio, ratio } from "./statistics.ts";

/** One line of the table. */
export interface Row {
  readonly what: string;
  readonly ours: string;
  /** The floor or peer, measured in turn with ours in the same run; "" for a limit that stands by itself. */
  readonly against: string;
  readonly result: string;
  readonly limit: string;
  readonly reached: boolean;
}

export interface Comparison {
  readonly what: string;
  readonly ours: readonly number[];
  readonly other: readonly number[];
  readonly otherName: string;
  /** A value with its unit. */
  readonly show: (value: number) => string;
  readonly limit: { readonly atMost: number } | { readonly atLeast: number } | { readonly below: number };
}

/** A row about how ours stands to a floor or peer. */
export function compared({ what, ours, other, otherName, show, limit }: Comparison): Row {
  const found = ratio(ours, other);
  const [text, reached] = judge(found.value, limit);
  return {
    what,
    ours: show(middle(ours)),
    against: `${show(middle(other))} (${otherName})`,
    result: `${times(found.value)} (${span(found)}, ${ours.length} rounds)`,
    limit: text,
    reached,
  };
}

function judge(value: number, limit: Comparison["limit"]): [text: string, reached: boolean] {
  if ("atMost" in limit) return [`<= ${limit.atMost} x`, value <= limit.atMost];
  if ("atLeast" in limit) return [`>= ${limit.atLeast} x`, value >= limit.atLeast];
  return [`< ${limit.below} x`, value < limit.below];
}

const middle = (values: readonly number[]) =>
  ratio(
    values,
    values.map(() => 1),
  ).value;
const times = (value: number) => `${value.toFixed(2)} x`;
const span = ({ spread: [low, high] }: Ratio) => `${low.toFixed(2)} to ${high.toFixed(2)}`;

const HEAD = ["what", "ours", "against", "result (quartiles)", "must reach", ""];

/** All rows as a Markdown table, its columns aligned for a terminal too. */
export function render(rows: readonly Row[]): string {
  const lines = rows.map(({ what, ours, against, result, limit, reached }) => {
    return [what, ours, against, result, limit, reached ? "reached" : "MISSED"];
  });
  const widths = HEAD.map((title, i) => Math.max(3, title.length, ...lines.map((cells) => cells[i]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [line(HEAD), line(widths.map((width) => "-".repeat(width))), ...lines.map(line)].join("\n");
}
