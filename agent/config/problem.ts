import { type Bilingual, type Language, say } from "../common/language.ts";

/** One thing wrong with the configuration, or a warning: what it is and what to write or do instead. Never a secret. */
export interface Problem {
  /** "section.key", the name of an environment variable, or "" for a file as a whole. */
  readonly key: string;
  /** Where it stands: "file:line", "file:line:column", the environment variable, or the file where it is missing. */
  readonly origin: string;
  readonly what: Bilingual;
  readonly instead: Bilingual;
  /** The file that this user has no right to read: perhaps no fault at all. */
  readonly unreadable?: string;
  /** What is not to be trusted on the way to a file: told once for all that lie there. */
  readonly place?: string;
  /** The diagnose check that it is a matter of, where that is not the file itself. */
  readonly check?: "key.match" | "cert.expiry";
}

/** The outcome of looking at one value. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  /** `instead` is given where the field's example would not be the best advice. */
  | { readonly ok: false; readonly what: Bilingual; readonly instead?: Bilingual };

/** Two or three lines for one problem, without a trailing line feed. */
export function renderProblem(problem: Problem, language: Language): string {
  const { key, origin } = problem;
  const where = key === "" || key === origin ? origin : `${key} (${origin})`;
  const lines = language === "both" ? (["zh-CN", "en"] as const) : [language];
  const text = lines.map((one) => `${say(problem.what, one)}\n    -> ${say(problem.instead, one)}`);
  return visible(`${where}:\n  ${text.join("\n  ")}`);
}

/** What a command that refuses to start writes: how many problems there are, and each of them. */
export function renderRefusal(where: string, problems: readonly Problem[], language: Language): string {
  const count = { zh: `${problems.length} 处问题`, en: `${problems.length} problem(s)` };
  const list = problems.map((problem) => renderProblem(problem, language)).join("\n");
  return `${where}: ${say(count, language)}\n${list}\n`;
}

/** A key or file name may hold characters that a terminal obeys; they are shown by number instead. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (one) =>
    one === "\n" ? one : `\\u${(one.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}
