import { parseToml } from "../config/files/toml.ts";
import { isTable } from "../config/keys/fields.ts";
import { knownKeys } from "../config/keys/schema.ts";
import type { TomlValue } from "./edit-toml.ts";

/** What a valid TOML text says of the keys that the configuration knows, by "section.key". */
export function valuesIn(text: string): Map<string, TomlValue> {
  const parsed = parseToml(text, "");
  const found = new Map<string, TomlValue>();
  if (!parsed.ok) return found;
  for (const key of knownKeys) {
    const value = key
      .split(".")
      .reduce<unknown>(
        (at, name) => (isTable(at) && Object.hasOwn(at, name) ? at[name] : undefined),
        parsed.toml.table,
      );
    if (isValue(value)) found.set(key, value);
  }
  return found;
}

function isValue(value: unknown): value is TomlValue {
  if (Array.isArray(value)) return value.every((one) => typeof one === "string");
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}
