import path from "node:path";
import type { Bilingual } from "../common/language.ts";
import { fieldOf, knownKeys } from "../config/keys/schema.ts";
import { sayText } from "../messages/text-of.ts";
import { editToml, type TomlValue } from "./edit-toml.ts";
import { valuesIn } from "./existing-values.ts";
import { readKeyFile } from "./key-files.ts";
import { type Answers, keyFiles, outdatedKeys, questionsFor } from "./questions.ts";
import type { Draft, KeptFile } from "./staging.ts";

export type Drafted =
  | {
      readonly ok: true;
      readonly draft: Draft;
      /** The former text could not be changed line by line, and its comments are lost. */
      readonly rewritten: boolean;
      /** Nothing differs from what is there. */
      readonly same: boolean;
    }
  | { readonly ok: false; readonly key: string; readonly what: Bilingual };

/** What is written at the top of a file that is new. */
const HEAD =
  "# facepay-agent 的配置，由 facepay-agent provision 写入；可以手工修改。 The configuration, written by facepay-agent provision;\n" +
  "# it may be changed by hand. 所有的键 All keys: facepay-agent config schema\n";

/**
 * From answers to the files they come to. Key files from elsewhere (a USB stick) are taken in under their usual names; those that
 * lie beside the configuration keep theirs, and get the right modes.
 * @param text of the present configuration; empty when there is none
 */
export async function draft(target: string, text: string, answers: Answers): Promise<Drafted> {
  const home = path.dirname(target);
  const before = valuesIn(text);
  const files: KeptFile[] = [];
  const changes = new Map<string, TomlValue | undefined>();
  for (const key of outdatedKeys(answers)) if (before.has(key)) changes.set(key, undefined);
  const wanted = new Map(answers);
  for (const key of changes.keys()) wanted.delete(key);
  for (const { key } of questionsFor(answers)) {
    if (before.has(key) && !answers.has(key)) changes.set(key, undefined);
  }
  for (const [key, file] of keyFiles) {
    const value = changes.has(key) ? undefined : answers.get(key);
    if (value === undefined) continue;
    const source = path.resolve(home, String(value));
    const read = await readKeyFile(source);
    if (!read.ok) return { ok: false, key, what: read.what };
    const name = path.dirname(source) === home ? path.basename(source) : file.name;
    files.push({ name, bytes: read.bytes, secret: file.secret });
    wanted.set(key, name);
  }
  // In the order of the documentation, so that a new file reads like it.
  for (const key of knownKeys) {
    const value = wanted.get(key);
    if (value !== undefined && !isSame(before.get(key), value)) changes.set(key, value);
  }
  const edited = editToml(text === "" ? HEAD : text, changes, (key) => comment(key));
  return {
    ok: true,
    draft: { target, text: edited.text, files },
    rewritten: edited.rewritten && text !== "",
    same: changes.size === 0,
  };
}

function isSame(before: TomlValue | undefined, value: TomlValue): boolean {
  return JSON.stringify(before) === JSON.stringify(value);
}

function comment(key: string): string | undefined {
  const about = fieldOf(key)?.about;
  return about && sayText(about, "both");
}
