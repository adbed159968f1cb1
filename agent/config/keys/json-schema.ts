import { toJsonSchema } from "@valibot/to-json-schema";
import type { Text } from "../../messages/message.ts";
import { textOf } from "../../messages/text-of.ts";
import type { Field } from "./fields.ts";
import type { Section } from "./key-table.ts";
import { sections } from "./schema.ts";

/**
 * `config schema`: a JSON Schema (draft 2020-12) of the configuration file for editors. It knows each key, not the rules
 * between keys: `config check` does.
 */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  const tables: Record<string, Record<string, unknown>> = {};
  for (const [name, section] of sections) tables[name] = table(section);
  for (const name of Object.keys(tables)) {
    const dot = name.lastIndexOf(".");
    const parent = tables[name.slice(0, Math.max(0, dot))];
    if (parent === undefined) continue;
    parent.properties = { ...asRecord(parent.properties), [name.slice(dot + 1)]: tables[name] };
    delete tables[name];
  }
  const needed = [...sections].filter(([, { fields }]) => Object.values(fields).some((field) => field.required));
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "facepay-agent config.toml",
    type: "object",
    properties: tables,
    required: needed.map(([name]) => name),
    additionalProperties: false,
  };
}

function table({ about, open, fields }: Section): Record<string, unknown> {
  const entries = Object.entries(fields);
  const needed = entries.filter(([, field]) => field.required).map(([key]) => key);
  return {
    type: "object",
    description: described(about),
    properties: Object.fromEntries(entries.map(([key, field]) => [key, property(field)])),
    ...(needed.length === 0 ? {} : { required: needed }),
    additionalProperties: open === true,
  };
}

function property(field: Field): Record<string, unknown> {
  const fallback = field.fallbackText ?? field.fallback;
  const { $schema: _dialect, ...type } = toJsonSchema(field.schema, { target: "draft-2020-12" });
  return {
    ...type,
    // No list names a thing twice; valibot has no word for it.
    ...(type.type === "array" ? { uniqueItems: true } : {}),
    description: described(field.about),
    ...(fallback === undefined ? {} : { default: fallback }),
  };
}

function described(text: Text): string {
  const { zh, en } = textOf(text);
  return `${zh}\n${en}`;
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
