import { readFile } from "node:fs/promises";
import path from "node:path";
import { systemCode } from "../common/errors.ts";
import type { Bilingual } from "../common/language.ts";
import { parseToml } from "../config/files/toml.ts";
import { isTable } from "../config/keys/fields.ts";
import { agentKeys, fieldOf } from "../config/keys/schema.ts";
import { nearestKey } from "../config/settings.ts";
import type { TomlValue } from "./edit-toml.ts";
import { valuesIn } from "./existing-values.ts";
import type { Wrong } from "./flags.ts";
import { keyFiles } from "./questions.ts";

export interface AnswersFile {
  readonly given: Map<string, TomlValue>;
  /** All there are. */
  readonly wrong: readonly Wrong[];
}

/**
 * `provision --from FILE`: answers as head office prepares them on a stick, in the form of a configuration. Key files that it names lie
 * beside it unless the path is absolute; they are taken in like those that are typed.
 */
export async function answersIn(file: string): Promise<AnswersFile> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const code = systemCode(error) ?? "?";
    return only(file, { zh: `无法读取（${code}）`, en: `cannot be read (${code})` });
  }
  const parsed = parseToml(text, file);
  if (!parsed.ok) return only(parsed.problem.origin, { zh: "不是有效的 TOML", en: "is not valid TOML" });
  const wrong = unknownIn(parsed.toml.table);
  const given = valuesIn(text);
  for (const key of keyFiles.keys()) {
    const value = given.get(key);
    if (typeof value === "string") given.set(key, path.resolve(path.dirname(file), value));
  }
  return { given, wrong };
}

function only(key: string, what: Bilingual): AnswersFile {
  return { given: new Map(), wrong: [{ key, what }] };
}

function unknownIn(table: Readonly<Record<string, unknown>>, above = ""): Wrong[] {
  return Object.entries(table).flatMap(([name, value]) => {
    const key = `${above}${name}`;
    if (isTable(value)) return unknownIn(value, `${key}.`);
    // [driver.init] takes whatever the vendor's SDK does.
    if (fieldOf(key) !== undefined || key.startsWith("driver.init.")) return [];
    const near = nearestKey(key, agentKeys);
    return [{ key, what: { zh: `没有这个键，最接近的是 ${near}`, en: `is no key; the nearest is ${near}` } }];
  });
}
