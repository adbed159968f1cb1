import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Config } from "./config.ts";
import type { LoadedConfig } from "./load.ts";
import type { Problem } from "./problem.ts";

const UNIT = "facepay-agent.service";
/** Where systemd looks for units, the most important first (systemd.unit(5)). */
const DIRECTORIES = [
  "etc/systemd/system",
  "run/systemd/system",
  "usr/local/lib/systemd/system",
  "usr/lib/systemd/system",
  "lib/systemd/system",
];
/** Below which systemd itself makes the directories of these names (systemd.exec(5)). */
const MADE: Readonly<Record<string, string>> = {
  StateDirectory: "/var/lib",
  CacheDirectory: "/var/cache",
  LogsDirectory: "/var/log",
  RuntimeDirectory: "/run",
};
const PRIVATE = ["/tmp", "/var/tmp"];

/**
 * What is configured to be written where the installed unit sees a read-only file system: the agent then meets EROFS whatever the
 * rights are, and nothing in the rights says why. Judged by the unit's files, so that it holds in an image as well.
 * @param root of the system that is looked at
 */
export function unitPlaceWarnings(
  { config, origins }: Pick<LoadedConfig, "config" | "origins">,
  root = "/",
): Problem[] {
  const texts = unitTexts(root);
  const writable = texts.length === 0 ? undefined : writablePlaces(texts);
  if (writable === undefined) return [];
  return placesOf(config).flatMap(({ key, directory }) => {
    if (writable.some((place) => directory === place || directory.startsWith(`${place}/`))) return [];
    return [{ key, origin: origins.get(key) ?? key, ...wordsOf(directory) }];
  });
}

/** Pure: where the unit with its drop-ins may write; undefined where it is not confined. */
export function writablePlaces(texts: readonly string[]): readonly string[] | undefined {
  let confined = false;
  let listed: string[] = [];
  const made: string[] = [];
  for (const [, key = "", value = ""] of texts.join("\n").matchAll(/^[ \t]*(\w+)[ \t]*=[ \t]*(.*?)[ \t]*$/gm)) {
    const words = value.split(/\s+/).filter((word) => word !== "");
    if (key === "ProtectSystem") confined = value === "strict";
    // An empty assignment takes back those before it.
    if (key === "ReadWritePaths") listed = words.length === 0 ? [] : [...listed, ...words.map(withoutMarks)];
    const parent = MADE[key];
    if (parent !== undefined) made.push(...words.map((word) => `${parent}/${word.split(":")[0]}`));
  }
  return confined ? [...listed, ...made, ...PRIVATE] : undefined;
}

/** "-" lets the path be absent, "+" counts it from the unit's root. */
const withoutMarks = (word: string) => word.replace(/^[-+]+/, "").replace(/(?<=.)\/+$/, "");

function placesOf({ metrics, fileCopy, store }: Config) {
  return [
    { key: "metrics.textfile", file: metrics.textfile },
    { key: "file_copy.path", file: fileCopy?.path },
    { key: "store.directory", file: `${store.directory}/state` },
  ].flatMap(({ key, file }) => (file === undefined ? [] : [{ key, directory: path.dirname(file) }]));
}

function wordsOf(directory: string): Pick<Problem, "what" | "instead"> {
  const dropIn = `/etc/systemd/system/${UNIT}.d/writable.conf`;
  return {
    what: { id: "place.read_only", params: { directory } },
    instead: { id: "place.make_writable", params: { directory, dropIn } },
  };
}

/** The unit and its drop-ins in systemd's order: the first unit found, then drop-ins by name, of which the first found counts. */
function unitTexts(root: string): string[] {
  const directories = DIRECTORIES.map((directory) => path.join(root, directory));
  const unit = directories.map((directory) => textOf(path.join(directory, UNIT))).find((text) => text !== undefined);
  if (unit === undefined) return [];
  const dropIns = new Map<string, string>();
  for (const directory of directories.map((directory) => path.join(directory, `${UNIT}.d`))) {
    for (const name of namesIn(directory)) {
      const text = textOf(path.join(directory, name));
      if (text !== undefined && !dropIns.has(name)) dropIns.set(name, text);
    }
  }
  return [unit, ...[...dropIns].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text)];
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => name.endsWith(".conf"));
  } catch {
    return [];
  }
}
