import type { Bilingual } from "../common/language.ts";
import type { TomlValue } from "./edit-toml.ts";
import { type Answers, missing, type Question, questionsFor, understand } from "./questions.ts";

/** The source of answers. */
export interface Prompter {
  /** What was typed; rejects when the input has ended. */
  ask(question: Question): Promise<string>;
  /** Why the answer cannot be taken. */
  complain(question: Question, what: Bilingual): void;
}

/** A better suggestion than none, for a question that nothing is known about yet. */
export type Suggest = (key: string, answers: Answers) => Promise<TomlValue | undefined>;

/** Looks at an answer beyond its form, such as whether a file is there. Undefined: it is good. */
export type Inspect = (question: Question, value: TomlValue) => Promise<Bilingual | undefined>;

/** Hears of the answers after each question. */
export type Note = (answers: Answers) => Promise<void>;

/**
 * Asks until every question has an answer that can be taken. What flags have said is not asked again, unless it cannot be taken.
 * @param given by flags, already checked
 */
export async function promptLoop(
  known: Answers,
  given: Answers,
  respondent: Prompter,
  inspect: Inspect,
  suggest: Suggest = async () => undefined,
  note: Note = async () => undefined,
): Promise<Map<string, TomlValue>> {
  const answers = new Map([...known, ...given]);
  const asked = new Set<string>();
  for (;;) {
    // The questions depend on the answers: looked at anew after each.
    const next = questionsFor(answers).find(({ key }) => !asked.has(key));
    if (next === undefined) return answers;
    asked.add(next.key);
    const suggestion = next.suggestion ?? (await suggest(next.key, answers));
    const question = suggestion === undefined ? next : { ...next, suggestion };
    const value = await settle(question, given.get(question.key), respondent, inspect);
    if (value === undefined) answers.delete(question.key);
    else answers.set(question.key, value);
    await note(answers);
  }
}

/** One question, asked until its answer can be taken. */
export async function settle(
  question: Question,
  flag: TomlValue | undefined,
  respondent: Prompter,
  inspect: Inspect,
): Promise<TomlValue | undefined> {
  if (flag !== undefined) {
    const wrong = await inspect(question, flag);
    if (wrong === undefined) return flag;
    respondent.complain(question, wrong);
  }
  for (;;) {
    const understood = understand(question, await respondent.ask(question));
    if (!understood.ok) {
      respondent.complain(question, understood.what);
      continue;
    }
    const { value } = understood;
    const wrong = value === undefined ? undefined : await inspect(question, value);
    if (wrong === undefined) return value;
    respondent.complain(question, wrong);
  }
}

/** For `--non-interactive`: the suggestions are taken, and what is missing is said all at once. */
export async function withoutAsking(
  known: Answers,
  given: Answers,
  inspect: Inspect,
  suggest: Suggest = async () => undefined,
): Promise<{ readonly answers: Map<string, TomlValue>; readonly problems: { key: string; what: Bilingual }[] }> {
  const answers = new Map([...known, ...given]);
  const problems: { key: string; what: Bilingual }[] = [];
  const seen = new Set<string>();
  for (;;) {
    const question = questionsFor(answers).find(({ key }) => !seen.has(key));
    if (question === undefined) return { answers, problems };
    const { key } = question;
    seen.add(key);
    const value = answers.get(key) ?? question.suggestion ?? (await suggest(key, answers));
    if (value === undefined) {
      if (!question.optional) problems.push({ key, what: missing(key) });
      continue;
    }
    answers.set(key, value);
    const wrong = await inspect(question, value);
    if (wrong !== undefined) problems.push({ key, what: wrong });
  }
}
