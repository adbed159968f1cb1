import type { Cause } from "../authinfo/keeper-types.ts";
import type { AgentError } from "../errors.ts";

/** The cause to name: the standing one when it is the same failure (it knows since when), else this one, as of now. */
export function causeOf(error: AgentError, wallMs: number, standing?: Cause): Cause {
  if (standing?.code === error.code) return standing;
  return { code: error.code, sinceWallMs: wallMs, detail: error.message };
}
