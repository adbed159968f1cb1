import { fork } from "node:child_process";
import { once } from "node:events";

/** Somebody else on this terminal. */
export interface Somebody {
  readonly uid: number;
  /** All groups he is in; the first is his own. */
  readonly groups: readonly [number, ...number[]];
}

/** What he met with: the answer's status and body, or the code of the system's refusal. */
export interface Met {
  readonly status?: number;
  readonly text: string;
}

/** Why nobody else can be played here; undefined when this process may change users. */
export const noOtherUsers: string | undefined =
  process.geteuid?.() === 0 ? undefined : "playing another user needs root";

const child = new URL("./as-user-child.ts", import.meta.url);

/** Does each of these as that user, in a process that has given up everything else before: "GET <socket> <target>" or "read <file>". */
export async function as(somebody: Somebody, deeds: readonly string[]): Promise<Met[]> {
  const process = fork(child, { execArgv: [], env: {} });
  process.send({ somebody, deeds });
  const [answer] = await once(process, "message");
  await once(process, "exit");
  return answer as Met[];
}
