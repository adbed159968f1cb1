import { isTable } from "./keys/fields.ts";
import type { KeyTable, Section } from "./keys/key-table.ts";
import { nearest } from "./nearest.ts";
import type { Problem } from "./problem.ts";

/** One key as some source gave it, not checked yet. */
export interface Given {
  readonly value: unknown;
  readonly origin: string;
  /** Where a relative path starts. */
  readonly directory: string;
}

/** What all sources together say, by "section.key". */
export type Settings = ReadonlyMap<string, Given>;

/** A table to be laid over the ones before it. */
export interface Layer {
  readonly table: Readonly<Record<string, unknown>>;
  readonly directory: string;
  originOf(key: string): string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = "FACEPAY_";
/** Read elsewhere: agent/common/clock-sync.ts. */
const RESERVED = new Set(["FACEPAY_BOOT_ID"]);

/** The name of the environment variable that overrides "section.key". */
export function environmentName(key: string): string {
  return PREFIX + key.replaceAll(".", "_").toUpperCase();
}

/**
 * Lays the layers over each other, the later over the earlier, tables key by key, then the environment over all of
 * them. Relative paths in an environment variable start at `directory`, that of the main file.
 * @param keys those that there are
 */
export function collect(
  layers: readonly Layer[],
  env: Environment,
  directory: string,
  keys: KeyTable,
): { readonly settings: Map<string, Given>; readonly problems: Problem[] } {
  const settings = new Map<string, Given>();
  const problems: Problem[] = [];
  for (const layer of layers) {
    for (const [name, value] of Object.entries(layer.table)) {
      const section = keys.sections.get(name);
      if (section === undefined) problems.push(unknown(name, layer.originOf(name), keys));
      else addSection([name, section], value, layer, keys, settings, problems);
    }
  }
  addEnvironment(env, directory, keys, settings, problems);
  return { settings, problems };
}

function addSection(
  [name, section]: readonly [string, Section],
  value: unknown,
  layer: Layer,
  keys: KeyTable,
  settings: Map<string, Given>,
  problems: Problem[],
): void {
  if (!isTable(value)) {
    problems.push({
      key: name,
      origin: layer.originOf(name),
      what: { id: "setting.not_table" },
      instead: { id: "setting.write_table", params: { name } },
    });
    return;
  }
  for (const [own, inner] of Object.entries(value)) {
    const key = `${name}.${own}`;
    const origin = layer.originOf(key);
    const nested = keys.sections.get(key);
    if (nested !== undefined) addSection([key, nested], inner, layer, keys, settings, problems);
    else if (key === "driver.init.passwd") problems.push(passwdAsValue(origin));
    else if (keys.fieldOf(key) === undefined && !section.open) problems.push(unknown(key, origin, keys));
    else settings.set(key, { value: merged(settings.get(key)?.value, inner), origin, directory: layer.directory });
  }
}

function addEnvironment(
  env: Environment,
  directory: string,
  { knownKeys, fieldOf }: KeyTable,
  settings: Map<string, Given>,
  problems: Problem[],
): void {
  const environmentKeys = new Map(knownKeys.map((key) => [environmentName(key), key]));
  for (const [name, given] of Object.entries(env)) {
    if (!name.startsWith(PREFIX) || RESERVED.has(name) || given === undefined) continue;
    const key = environmentKeys.get(name);
    const field = key === undefined ? undefined : fieldOf(key);
    if (key === undefined || field === undefined) {
      problems.push(unknownVariable(name, environmentKeys.keys()));
    } else if (field.fromText === undefined) {
      problems.push({
        key,
        origin: name,
        what: { id: "setting.list_in_variable" },
        instead: { id: "setting.write_drop_in" },
      });
    } else {
      settings.set(key, { value: field.fromText(given), origin: name, directory });
    }
  }
}

/** The known key that was probably meant: the same name in another table, else the nearest in this one, else of all; undefined where none is near. */
export function nearestKey(key: string, { sections, knownKeys }: KeyTable): string | undefined {
  const dot = key.lastIndexOf(".");
  const name = key.slice(dot + 1);
  const elsewhere = knownKeys.find((known) => known.endsWith(`.${name}`));
  if (elsewhere !== undefined) return elsewhere;
  const section = key.slice(0, Math.max(dot, 0));
  const inside = sections.get(section);
  if (inside !== undefined) {
    const tables = [...sections.keys()].filter((known) => known.startsWith(`${section}.`));
    const names = [...Object.keys(inside.fields), ...tables.map((known) => known.slice(section.length + 1))];
    const near = nearest(name, names);
    return near === undefined ? undefined : `${section}.${near}`;
  }
  return nearest(key, [...sections.keys(), ...knownKeys]);
}

function unknown(key: string, origin: string, keys: KeyTable): Problem {
  const meant = nearestKey(key, keys);
  return {
    key,
    origin,
    what: { id: "setting.unknown_key" },
    instead:
      meant === undefined
        ? { id: "setting.remove_key" }
        : { id: "setting.nearest_key", params: { nearest: keys.sections.has(meant) ? `[${meant}]` : meant } },
  };
}

function unknownVariable(name: string, known: Iterable<string>): Problem {
  const meant = nearest(name, [...known, ...RESERVED]);
  return {
    key: name,
    origin: name,
    what: { id: "setting.unknown_variable" },
    instead:
      meant === undefined
        ? { id: "environment.unset", params: { name } }
        : { id: "setting.nearest_variable", params: { nearest: meant, name } },
  };
}

function passwdAsValue(origin: string): Problem {
  return {
    key: "driver.init.passwd",
    origin,
    what: { id: "setting.password_as_value" },
    instead: { id: "setting.password_into_file" },
  };
}

/** Tables are merged key by key at any depth; anything else replaces what was there. */
function merged(before: unknown, now: unknown): unknown {
  if (!isTable(before) || !isTable(now)) return now;
  const both: Record<string, unknown> = { ...before };
  for (const [key, value] of Object.entries(now)) both[key] = merged(both[key], value);
  return both;
}
