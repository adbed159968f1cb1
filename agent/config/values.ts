import path from "node:path";
import type { Field } from "./keys/fields.ts";
import type { KeyTable } from "./keys/key-table.ts";
import type { Problem } from "./problem.ts";
import { environmentName, type Given, type Settings } from "./settings.ts";

/**
 * Checks every key by itself. A key that is missing or refused is absent in `values` (required keys and those with a
 * default included) and has its problem; paths are absolute. `missing`: the required keys without a value.
 */
export function checkValues<SomeValues>(
  settings: Settings,
  mainFile: string,
  keys: KeyTable,
): { readonly values: SomeValues; readonly problems: Problem[]; readonly missing: Problem[] } {
  const values: Record<string, Record<string, unknown>> = {};
  const problems: Problem[] = [];
  const missing: Problem[] = [];
  for (const [name, section] of keys.sections) {
    const inside: Record<string, unknown> = {};
    values[name] = inside;
    for (const [own, field] of Object.entries(section.fields)) {
      const given = settings.get(`${name}.${own}`);
      if (given !== undefined) checkOne([name, own], field, given, inside, problems);
      else if (field.fallback !== undefined) inside[own] = field.fallback;
      else if (field.required) missing.push(isMissing(`${name}.${own}`, field, mainFile));
    }
    if (section.open) addFree(name, settings, keys, inside, problems);
  }
  // The loop above has made exactly the sections and keys that the table's type tells.
  return { values: values as SomeValues, problems, missing };
}

function checkOne(
  [section, own]: readonly [string, string],
  field: Field,
  given: Given,
  inside: Record<string, unknown>,
  problems: Problem[],
): void {
  const key = `${section}.${own}`;
  const checked = field.check(given.value);
  if (checked.ok) {
    inside[own] = field.isPath ? path.resolve(given.directory, String(checked.value)) : checked.value;
    return;
  }
  const example = exampleOf(key, field, given.origin);
  problems.push({
    key,
    origin: given.origin,
    what: checked.what,
    instead: checked.instead ?? { id: "value.example", params: { example } },
  });
}

/** The parameters of an open section, which are passed on unchanged. */
function addFree(
  name: string,
  settings: Settings,
  { fieldOf }: KeyTable,
  inside: Record<string, unknown>,
  problems: Problem[],
): void {
  const any = fieldOf("driver.init.ip");
  for (const [key, given] of settings) {
    if (any === undefined || !key.startsWith(`${name}.`) || fieldOf(key) !== undefined) continue;
    checkOne([name, key.slice(name.length + 1)], { ...any, example: '"..."' }, given, inside, problems);
  }
}

/** How the line would read where the value came from: a file, or the environment. */
function exampleOf(key: string, field: Field, origin: string): string {
  const own = key.slice(key.lastIndexOf(".") + 1);
  if (origin === environmentName(key)) return `${origin}=${field.example.replaceAll('"', "")}`;
  return `${own} = ${field.example}`;
}

function isMissing(key: string, field: Field, mainFile: string): Problem {
  const dot = key.lastIndexOf(".");
  const example = `${key.slice(dot + 1)} = ${field.example}`;
  return {
    key,
    origin: mainFile,
    what: { id: "value.missing", params: { about: field.about } },
    instead: { id: "value.write_under", params: { section: key.slice(0, dot), line: example } },
  };
}
