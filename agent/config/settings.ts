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
      what: { zh: "应为一个表", en: "must be a table" },
      instead: {
        zh: `请写成单独一行 [${name}]，其键写在下面`,
        en: `write [${name}] on a line of its own, its keys below`,
      },
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
        what: { zh: "是列表，不能用环境变量设置", en: "is a list, which an environment variable cannot hold" },
        instead: { zh: "请写在 config.d 下的一个文件中", en: "write it into a file in config.d" },
      });
    } else {
      settings.set(key, { value: field.fromText(given), origin: name, directory });
    }
  }
}

/** The known key that was probably meant: the same name in another table, else the nearest in this one, else of all. */
export function nearestKey(key: string, { sections, knownKeys }: KeyTable): string {
  const dot = key.lastIndexOf(".");
  const name = key.slice(dot + 1);
  const elsewhere = knownKeys.find((known) => known.endsWith(`.${name}`));
  if (elsewhere !== undefined) return elsewhere;
  const section = key.slice(0, Math.max(dot, 0));
  const inside = sections.get(section);
  if (inside !== undefined) {
    const tables = [...sections.keys()].filter((known) => known.startsWith(`${section}.`));
    const names = [...Object.keys(inside.fields), ...tables.map((known) => known.slice(section.length + 1))];
    return `${section}.${nearest(name, names) ?? name}`;
  }
  return nearest(key, [...sections.keys(), ...knownKeys]) ?? key;
}

function unknown(key: string, origin: string, keys: KeyTable): Problem {
  const meant = nearestKey(key, keys);
  const shown = keys.sections.has(meant) ? `[${meant}]` : meant;
  return {
    key,
    origin,
    what: { zh: "没有这个键", en: "is no key of this configuration" },
    instead: {
      zh: `最接近的是 ${shown}；请改正或删除`,
      en: `the nearest known key is ${shown}; correct it or take it out`,
    },
  };
}

function unknownVariable(name: string, known: Iterable<string>): Problem {
  const meant = nearest(name, [...known, ...RESERVED]) ?? "";
  return {
    key: name,
    origin: name,
    what: { zh: "没有这个环境变量", en: "is no environment variable of this configuration" },
    instead: {
      zh: `最接近的是 ${meant}；请改正，或取消设置（unset ${name}）`,
      en: `the nearest known one is ${meant}; correct it, or unset ${name}`,
    },
  };
}

function passwdAsValue(origin: string): Problem {
  return {
    key: "driver.init.passwd",
    origin,
    what: {
      zh: "密码写成了值；敏感信息只能以文件指定",
      en: "gives a password as a value; secrets are only named by file",
    },
    instead: {
      zh: '请把密码写入权限 0400 的文件，并写 passwd_file = "该文件"',
      en: 'put the password into a file of mode 0400 and write passwd_file = "that file"',
    },
  };
}

/** Tables are merged key by key at any depth; anything else replaces what was there. */
function merged(before: unknown, now: unknown): unknown {
  if (!isTable(before) || !isTable(now)) return now;
  const both: Record<string, unknown> = { ...before };
  for (const [key, value] of Object.entries(now)) both[key] = merged(both[key], value);
  return both;
}
