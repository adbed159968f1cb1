import { type Bilingual, type Language, say } from "../common/language.ts";
import { visible } from "../common/visible.ts";
import type { Text } from "./message.ts";
import { textOf } from "./text-of.ts";

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

/** What a command that refuses to start writes: how many problems there are, and each of them. */
export function renderRefusal(where: string, problems: readonly Problem[], language: Language): string {
  const count = { zh: `${problems.length} 处问题`, en: `${problems.length} problem(s)` };
  const list = problems.map((problem) => renderProblem(problem, language)).join("\n");
  return `${where}: ${say(count, language)}\n${list}\n`;
}
