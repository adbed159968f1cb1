import { type ParseArgsOptionDescriptor, parseArgs } from "node:util";

/** sysexits EX_USAGE. */
const USAGE = 64;

interface Option extends ParseArgsOptionDescriptor {
  /** All that it may be. */
  readonly choices?: readonly string[];
  /** Stands for its value in the usage line, where there is no default to stand there. */
  readonly shown?: string;
  /** Said by the script to itself alone. */
  readonly hidden?: true;
}

type Options = Readonly<Record<string, Option>>;
type Text<T extends Option> = T extends { readonly choices: readonly (infer Choice)[] } ? Choice : string;
type Values<T extends Options> = {
  readonly [Name in keyof T]: T[Name] extends { readonly type: "boolean" }
    ? boolean
    : T[Name] extends { readonly default: string }
      ? Text<T[Name]>
      : Text<T[Name]> | undefined;
};

export interface ReadOptions<T extends Options> {
  readonly values: Values<T>;
  /** What an option gives whose usual value is a whole number from 0 on; `1e6` is one. */
  number(name: keyof T & string): number;
  /** Ends the process as any other slip does, for what only the script itself can see. */
  refuse(problem: string): never;
}

/**
 * What follows `npm run SCRIPT --`. Whatever cannot be understood ends the process with the options there are and exit code 64:
 * the long tests take hours, and a slip must not be found out at their end. `--help` shows the same, and is no slip.
 */
export function readOptions<const T extends Options>(script: string, options: T): ReadOptions<T> {
  const usage = usageOf(script, options);
  const refuse = (problem: string): never => {
    process.stderr.write(`${problem}\n${usage}\n`);
    process.exit(USAGE);
  };
  let given: Readonly<Record<string, unknown>>;
  try {
    given = parseArgs({ options: { ...options, help: { type: "boolean" } } }).values;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
  if (given.help === true) {
    process.stdout.write(`${usage}\n`);
    process.exit(0);
  }
  for (const [name, { default: usual, choices }] of Object.entries<Option>(options)) {
    const value = given[name];
    if (isCount(usual) && !isCount(value)) refuse(`--${name} ${value}: a whole number, please`);
    if (choices && value !== undefined && !choices.some((choice) => choice === value)) {
      refuse(`--${name} ${value}: one of ${choices.join(", ")}, please`);
    }
  }
  return { values: given as Values<T>, number: (name) => Number(given[name]), refuse };
}

function usageOf(script: string, options: Options): string {
  const all = Object.entries(options).map(([name, { type, default: usual, choices, shown, hidden }]) => {
    if (hidden) return "";
    if (type === "boolean") return ` [--${name}]`;
    return ` [--${name} ${shown ?? choices?.join("|") ?? usual ?? "..."}]`;
  });
  // What npm itself calls a script by its bare name.
  const call = ["start", "test"].includes(script) ? script : `run ${script}`;
  return all.length === 0 ? `usage: npm ${call}` : `usage: npm ${call} --${all.join("")}`;
}

function isCount(value: unknown): boolean {
  return typeof value === "string" && /^\d+(?:e\d+)?$/.test(value) && Number.isSafeInteger(Number(value));
}
