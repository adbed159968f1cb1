import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { assemble } from "../../../agent/config/assemble.ts";
import { parseToml } from "../../../agent/config/files/toml.ts";
import { knownKeys, sections, type Values } from "../../../agent/config/keys/schema.ts";

/** Keys that become something else before the configuration is assembled, and the file that reads them. */
const READ_ELSEWHERE: Readonly<Record<string, string>> = {
  "identity.device_id": "load.ts",
  "identity.device_id_file": "load.ts",
  "telemetry.ca_file": "secrets/named-files.ts",
  "telemetry.client_cert_file": "secrets/named-files.ts",
  "telemetry.client_key_file": "secrets/named-files.ts",
  "telemetry.password_file": "secrets/named-files.ts",
  "wechatpay.proxy": "proxy.ts",
  "wechatpay.accept_key_on_device": "rules/wechatpay-rules.ts",
};

/** The keys that `assemble` reads, of a configuration in which every key is given. */
function assembled(): Set<string> {
  const read = new Set<string>();
  const values = Object.fromEntries(
    [...sections].map(([name, { fields }]) => {
      const given = Object.fromEntries(
        Object.entries(fields).map(([key, { example }]) => {
          const parsed = parseToml(`value = ${example}`, "example");
          if (!parsed.ok) throw new Error(`${name}.${key}: ${example}`);
          return [key, parsed.toml.table.value];
        }),
      );
      const watched = new Proxy(given, {
        get(target, key) {
          read.add(`${name}.${String(key)}`);
          return Reflect.get(target, key);
        },
      });
      return [name, watched];
    }),
  );
  assemble(values as unknown as Values, { noProxy: "", problems: [], warnings: [] }, "D1");
  return read;
}

describe("a key of the configuration", () => {
  const read = assembled();
  const source = (file: string) => readFileSync(new URL(`../../../agent/config/${file}`, import.meta.url), "utf8");

  it.each(knownKeys)("%s is read, so that it has an effect", (key) => {
    const elsewhere = READ_ELSEWHERE[key];
    if (elsewhere === undefined) expect(read).toContain(key);
    else {
      expect(read).not.toContain(key);
      expect(source(elsewhere)).toMatch(new RegExp(`\\b${key.slice(key.lastIndexOf(".") + 1)}\\b`));
    }
  });
});
