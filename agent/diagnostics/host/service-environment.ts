import { readFile } from "node:fs/promises";
import type { Environment } from "../../config/settings.ts";

/** Names that decide about the configuration (specification 2) or about where systemd has put something. */
const COUNTS = /^(FACEPAY_.+|https?_proxy|no_proxy|STATE_DIRECTORY|CREDENTIALS_DIRECTORY)$/i;

/**
 * The environment that counts is the service's, not that of the technician's shell: a proxy that only one of the two has would
 * make every network check a lie. Only the names that mean something are taken.
 */
export function withServiceEnvironment(own: Environment, service: Environment | undefined): Environment {
  if (service === undefined) return own;
  const kept = Object.entries(own).filter(([name]) => !COUNTS.test(name));
  const taken = Object.entries(service).filter(([name]) => COUNTS.test(name));
  return Object.fromEntries([...kept, ...taken]);
}

/** Of a running process; undefined when it may not be read. */
export async function environmentOfProcess(pid: number): Promise<Environment | undefined> {
  const text = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => undefined);
  // A process that clears it is none of ours.
  return text === undefined || text === "" ? undefined : environmentOf(text.split("\0"));
}

/** Of "NAME=value" words. */
export function environmentOf(words: readonly string[]): Environment {
  const pairs = words.flatMap((word) => {
    const at = word.indexOf("=");
    return at < 1 ? [] : [[word.slice(0, at), word.slice(at + 1)] as const];
  });
  return Object.fromEntries(pairs);
}
