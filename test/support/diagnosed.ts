import { systemClock } from "../../agent/clock.ts";
import { allChecks } from "../../agent/diagnose/checks.ts";
import { createContext } from "../../agent/diagnose/context.ts";
import { firstOf, type Result, type Status, type Turn } from "../../agent/diagnose/engine.ts";
import { runChecks } from "../../agent/diagnose/run-checks.ts";
import { systemEntropy } from "../../agent/entropy.ts";

/** What a whole run of diagnose has found. */
export interface Diagnosis {
  /** "ser.busy fail": what the technician is told to mend first. */
  readonly first: string;
  readonly ms: number;
  readonly results: readonly Result[];
  of(id: string): Result;
  status(id: string): Status;
}

export interface DiagnoseOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly only?: readonly string[];
  readonly offline?: boolean;
}

/** Every check there is, as `facepay-agent diagnose` runs them, in this process: what they look at is real. */
export async function diagnosed(configFile: string, options: DiagnoseOptions = {}): Promise<Diagnosis> {
  const clock = systemClock();
  const turns = new Map<string, Turn>();
  const { env = {}, only, offline = false } = options;
  const parts = {
    configFile,
    packagedConfigFile: "/etc/facepay-agent/config.toml",
    env,
    clock,
    entropy: systemEntropy,
    turns,
  };
  const startedAt = clock.boot();
  const results = await runChecks(allChecks, await createContext(parts), {
    // It takes as long as all others together, and none of these tests is about it.
    selection: { skip: ["os.supported"], offline, ...(only === undefined ? {} : { only }) },
    ...{ timeoutMs: 60_000, clock, turns },
  });
  const first = firstOf(results.filter(({ status }) => status === "fail" || status === "crash"));
  const of = (id: string) => {
    const found = results.find(({ check }) => check.id === id);
    if (found === undefined) throw new Error(`${id} did not run`);
    return found;
  };
  return {
    first: first === undefined ? "none" : `${first.check.id} ${first.status}`,
    ms: clock.boot() - startedAt,
    results,
    of,
    status: (id) => of(id).status,
  };
}

/** What a check says in both languages, its remedy with it. */
export function wordsOf({ detail, remedy }: Pick<Result, "detail" | "remedy">): string {
  return [detail.zh, detail.en, remedy.zh, remedy.en].join("\n");
}
