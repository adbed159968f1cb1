import type { AgentError } from "../common/errors.ts";
import { type Language, say } from "../common/language.ts";
import { failureText } from "./failure-text.ts";
import { remedyOfError } from "./remedies/remedies.ts";

/** For stderr: the code, what has happened, and on a line of its own what to do. */
export function failureReport(error: AgentError, language: Language): string {
  const remedy = remedyOfError(error);
  const told = `${error.code}: ${say(failureText(error), language)}`;
  return remedy === undefined ? told : `${told}\n${say(remedy, language)}`;
}
