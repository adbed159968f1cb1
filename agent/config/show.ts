import type { Language } from "../common/language.ts";
import { sayText } from "../messages/text-of.ts";
import { DEFAULT_ORIGIN, type Setting } from "./effective.ts";
import { isTable } from "./keys/fields.ts";
import type { LoadedConfig } from "./load.ts";

/** An unknown parameter of the SDK might be a secret. */
const PERHAPS_SECRET = /^driver\.init\..*(pass|pwd|secret|token|key)/i;
const WIDEST = 60;

/** `config show`: TOML that could stand in a file, each line with its origin. Ends with a line feed. */
export function showConfig(loaded: Pick<LoadedConfig, "hash" | "effective">, language: Language): string {
  const lines = [
    `# ${sayText({ id: "config.in_force", params: { hash: loaded.hash } }, language)}`,
    `# ${sayText({ id: "config.origins" }, language)}`,
  ];
  let section = "";
  for (const { key, value, origin } of loaded.effective.map(hidden)) {
    const [name, own] = split(key);
    if (name !== section) lines.push("", `[${name}]`);
    section = name;
    const from = origin === DEFAULT_ORIGIN ? sayText({ id: "config.default" }, language) : origin;
    lines.push(`${`${bareKey(own)} = ${toml(value)}`.padEnd(WIDEST)}  # ${from}`);
  }
  return `${lines.join("\n")}\n`;
}

/** The same for programs. */
export function showConfigJson(loaded: Pick<LoadedConfig, "hash" | "effective">): unknown {
  const settings = loaded.effective.map(hidden);
  return { schema: "facepay-agent.config/1", hash: loaded.hash, settings };
}

function hidden(setting: Setting): Setting {
  if (!PERHAPS_SECRET.test(setting.key) || setting.key.endsWith("_file")) return setting;
  return { ...setting, value: "(not shown)" };
}

function split(key: string): readonly [string, string] {
  const name = key.startsWith("driver.init.") ? "driver.init" : key.slice(0, key.indexOf("."));
  return [name, key.slice(name.length + 1)];
}

function bareKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : toml(key);
}

/** A JSON string is a TOML basic string, but for DEL. */
function toml(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value).replaceAll("\x7f", "\\u007f");
  if (Array.isArray(value)) return `[${value.map(toml).join(", ")}]`;
  if (!isTable(value)) return String(value);
  const pairs = Object.entries(value).map(([key, inner]) => `${bareKey(key)} = ${toml(inner)}`);
  return pairs.length === 0 ? "{}" : `{ ${pairs.join(", ")} }`;
}
