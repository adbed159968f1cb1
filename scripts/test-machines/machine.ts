import { setTimeout as delay } from "node:timers/promises";

export const AGENT = "facepay-agent.service";
export const API_SOCKET = "/run/facepay-agent/api.sock";

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A booted Linux with the package, seen from outside: a container or a virtual machine. */
export interface Machine {
  /** Runs a program inside, as root; its output. Rejects with what it said when it fails. */
  run(...command: readonly string[]): Promise<string>;
  get(target: string, socket?: string, patienceMs?: number): Promise<Answer>;
  /** Asks again and again until the answer is true; an error counts as not yet. */
  until(what: string, holds: () => Promise<boolean>, withinMs?: number): Promise<void>;
  /** As a power cut: nothing inside gets another turn. */
  cut(): Promise<void>;
}

/** One property of a unit. */
export async function property(machine: Machine, unit: string, name: string): Promise<string> {
  return await machine.run("systemctl", "show", "--value", "-p", name, unit);
}

/** Asks every `pollMs` until the answer is true; `rejects` with the last error and what `explain` knows after `withinMs`. */
export async function eventually(
  what: string,
  holds: () => Promise<boolean>,
  limits: { readonly withinMs: number; readonly pollMs: number; readonly running: () => boolean },
  explain: () => Promise<string>,
): Promise<void> {
  const deadline = performance.now() + limits.withinMs;
  for (let last: unknown; ; await delay(limits.pollMs)) {
    try {
      if (await holds()) return;
    } catch (error) {
      last = error;
    }
    if (performance.now() < deadline && limits.running()) continue;
    throw new Error(`never: ${what}; last error: ${last}; ${await explain()}`);
  }
}
