import type { Bilingual, Language } from "../common/language.ts";
import { visible } from "../common/visible.ts";
import type { Text } from "./message.ts";
import { sayText, textOf } from "./text-of.ts";

/** What is wrong with a configuration (agent/config/problem.ts). */
interface Problem {
  readonly key: string;
  readonly origin: string;
  readonly what: Text;
  readonly instead: Text;
}

/** As programs read it: both languages. */
export function problemDocument<P extends Problem>(problem: P): P & { what: Bilingual; instead: Bilingual } {
  return { ...problem, what: textOf(problem.what), instead: textOf(problem.instead) };
}

/** Where, what and what to do, without a trailing line feed. A command stands on a line of its own. */
export function renderProblem(problem: Problem, language: Language): string {
  const { key, origin, what, instead } = problem;
  const where = key === "" || key === origin ? origin : `${key} (${origin})`;
  const languages = language === "both" ? (["zh", "en"] as const) : ([language === "en" ? "en" : "zh"] as const);
  const text = languages.map(
    (one) => `${textOf(what)[one]}\n    -> ${textOf(instead)[one].replaceAll("\n", "\n       ")}`,
  );
  return visible(`${where}:\n  ${text.join("\n  ")}`);
}

/**
 * What a command that refuses to start writes: how many problems there are, and each of them.
 * @param where the file; undefined for the environment
 */
export function renderRefusal(where: string | undefined, problems: readonly Problem[], language: Language): string {
  const list = problems.map((problem) => renderProblem(problem, language)).join("\n");
  const place = where ?? sayText({ id: "config.environment" }, language);
  return `${place}: ${sayText({ id: "config.count", params: { problems: problems.length } }, language)}\n${list}\n`;
}
