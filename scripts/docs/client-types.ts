import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";

/** The types of the Node client: what goes over the socket, from docs/api.openapi.yaml; the rest of the file as it stands. */

interface Schema {
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
}

const root = path.resolve(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(path.join(root, file), "utf8");

export const CLIENT_TYPES = "docs/clients/node/facepay-agent.d.mts";

/** Which schema stands behind an interface, and the member that the call takes as an argument of its own. */
const interfaces: readonly { readonly name: string; readonly schema: string; readonly without?: string }[] = [
  { name: "Authinfo", schema: "Authinfo" },
  { name: "Refusal", schema: "Rejection", without: "generation" },
];

export function clientTypes(): string {
  const { schemas } = parse(read("docs/api.openapi.yaml")).components as { schemas: Readonly<Record<string, Schema>> };
  return interfaces.reduce((text, { name, schema, without }) => {
    const members = membersOf(schemas[schema], schemas, without);
    const whole = new RegExp(`(?<=^export interface ${name} \\{\\n)[^]*?(?=^\\}$)`, "m");
    if (!whole.test(text)) throw new Error(`${CLIENT_TYPES} has no interface ${name}`);
    return text.replace(whole, () => members.map((member) => `  ${member}\n`).join(""));
  }, read(CLIENT_TYPES));
}

type Schemas = Readonly<Record<string, Schema>>;

function membersOf(schema: Schema | undefined, schemas: Schemas, without?: string): string[] {
  return Object.entries(schema?.properties ?? {})
    .filter(([name]) => name !== without)
    .flatMap(([name, member]) => {
      const optional = schema?.required?.includes(name) ? "" : "?";
      const comment = member.description === undefined ? [] : [`/** ${member.description}. */`];
      return [...comment, `readonly ${name}${optional}: ${typeOf(member, schemas)};`];
    });
}

function typeOf(schema: Schema, schemas: Schemas): string {
  if (schema.$ref !== undefined) {
    const target = schemas[schema.$ref.split("/").at(-1) ?? ""];
    if (target === undefined) throw new Error(`docs/api.openapi.yaml has no ${schema.$ref}`);
    return typeOf(target, schemas);
  }
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.type === "object") return `{ ${membersOf(schema, schemas).join(" ").slice(0, -1)} }`;
  const types = [schema.type ?? "unknown"].flat().map((type) => (type === "integer" ? "number" : type));
  return [...new Set(types)].join(" | ");
}
