import type { AnyMessage } from "../../messages/message.ts";
import type { Field } from "./fields.ts";

/** A TOML table and its keys. `open`: further keys are let through (parameters of the SDK). */
export interface Section {
  readonly about: AnyMessage;
  readonly open?: true;
  readonly fields: Readonly<Record<string, Field>>;
}

type Sections = Readonly<Record<string, Section>>;

/** The keys of one configuration file, for loops over them. */
export interface KeyTable {
  readonly sections: ReadonlyMap<string, Section>;
  /** Every key as "section.key". */
  readonly knownKeys: readonly string[];
  /** The field of "section.key" (the last dot separates), if the table has it. */
  fieldOf(key: string): Field | undefined;
}

export function keyTable(schema: Sections): KeyTable {
  const sections = new Map(Object.entries(schema));
  return {
    sections,
    knownKeys: [...sections].flatMap(([name, { fields }]) => Object.keys(fields).map((key) => `${name}.${key}`)),
    fieldOf(key) {
      const dot = key.lastIndexOf(".");
      const fields = sections.get(key.slice(0, dot))?.fields;
      const name = key.slice(dot + 1);
      return fields !== undefined && Object.hasOwn(fields, name) ? fields[name] : undefined;
    },
  };
}

type ValueOf<F> = F extends Field<infer T> ? T : never;
type Sure<Fields> = {
  [Key in keyof Fields as Fields[Key] extends Field<unknown, true> ? Key : never]: ValueOf<Fields[Key]>;
};
type Perhaps<Fields> = {
  [Key in keyof Fields as Fields[Key] extends Field<unknown, true> ? never : Key]?: ValueOf<Fields[Key]>;
};

/** What a file says after the check of each key, defaults filled in: `values.driver.baud_rate`. */
export type ValuesOf<S extends Sections> = { [Name in keyof S]: Sure<S[Name]["fields"]> & Perhaps<S[Name]["fields"]> };
/** The same while some keys may be missing or refused. */
export type SomeValuesOf<S extends Sections> = { [Name in keyof S]: Partial<ValuesOf<S>[Name]> };
