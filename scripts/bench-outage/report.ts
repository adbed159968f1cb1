/** One figure the project promises, beside what was measured. */
export interface Target {
  readonly what: string;
  readonly unit?: string;
  readonly value: number;
  readonly bound: number;
  /** Whether the bound is the least or the most allowed. */
  readonly is: "at most" | "at least";
}

export interface Report {
  readonly tables: readonly Table[];
  readonly targets: readonly Target[];
}

export interface Table {
  readonly title: string;
  readonly note?: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function met({ value, bound, is }: Target): boolean {
  // A figure that could not be measured is a miss.
  return Number.isFinite(value) && (is === "at most" ? value <= bound : value >= bound);
}

export function fixed(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : "-";
}

/** Markdown, in columns that line up on a terminal as well. */
export function printTable({ title, note, head, rows }: Table): string {
  const widths = head.map((cell, i) => Math.max(cell.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(" | ")} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  return [`### ${title}`, ...(note === undefined ? [] : ["", note]), "", line(head), rule, ...rows.map(line), ""].join(
    "\n",
  );
}

export function targetTable(targets: readonly Target[]): Table {
  return {
    title: "Targets",
    head: ["figure", "measured", "target", ""],
    rows: targets.map((target) => {
      const unit = target.unit === undefined ? "" : ` ${target.unit}`;
      const digits = target.bound < 2 ? 3 : target.bound < 10 ? 2 : 1;
      const sign = target.is === "at most" ? "<=" : ">=";
      const verdict = met(target) ? "met" : "MISSED";
      return [target.what, `${fixed(target.value, digits)}${unit}`, `${sign} ${target.bound}${unit}`, verdict];
    }),
  };
}
