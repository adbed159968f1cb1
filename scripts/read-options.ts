import { type ParseArgsOptionsConfig, parseArgs } from "node:util";

/** sysexits EX_USAGE. */
const USAGE = 64;

type Values<T extends ParseArgsOptionsConfig> = {
  readonly [Name in keyof T]: T[Name] extends { readonly type: "boolean" }
    ? boolean
    : T[Name] extends { readonly default: string }
      ? string
      : string | undefined;
};

export interface ReadOptions<T extends ParseArgsOptionsConfig> {
  readonly values: Values<T>;
  /** What an option gives whose usual value is a whole number from 0 on; `1e6` is one. */
  number(name: keyof T & string): number;
}

/**
 * What follows `npm run SCRIPT --`. Whatever cannot be understood, `--help` too, ends the process with the options there are
 * and exit code 64: the long tests take hours, and a slip must not be found out at their end.
 */
export function readOptions<const T extends ParseArgsOptionsConfig>(script: string, options: T): ReadOptions<T> {
  const refuse = (problem: string): never => {
    const all = Object.entries(options).map(([name, { type, default: value }]) => {
      if (type === "boolean") return `[--${name}]`;
      return `[--${name} ${value === undefined ? "..." : value}]`;
    });
    process.stderr.write(`${problem}\nusage: npm run ${script} -- ${all.join(" ")}\n`);
    process.exit(USAGE);
  };
  let given: Readonly<Record<string, unknown>>;
  try {
    given = parseArgs({ options }).values;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
  for (const [name, { default: usual }] of Object.entries(options)) {
    if (isCount(usual) && !isCount(given[name])) refuse(`--${name} ${given[name]}: a whole number, please`);
  }
  return { values: given as Values<T>, number: (name) => Number(given[name]) };
}

function isCount(value: unknown): boolean {
  return typeof value === "string" && /^\d+(?:e\d+)?$/.test(value) && Number.isSafeInteger(Number(value));
}
