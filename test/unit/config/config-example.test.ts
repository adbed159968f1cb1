import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { parseToml } from "../../../agent/config/files/toml.ts";
import { fieldOf, knownKeys, sections } from "../../../agent/config/keys/schema.ts";
import { loadConfig } from "../../../agent/config/load.ts";
import { textOf } from "../../../agent/messages/text-of.ts";
import { ConfigDirectory } from "../../support/fixtures/config-fixture.ts";

const example = await readFile(new URL("../../../docs/config.example.toml", import.meta.url), "utf8");

/** The lines that set a key, commented or not, as "section.key" with the TOML of one line. */
function entries(): { key: string; line: string }[] {
  let section = "";
  return example.split("\n").flatMap((line) => {
    const bare = line.replace(/^# /, "");
    const header = /^\[([a-z_.]+)\]/.exec(bare)?.[1];
    section = header ?? section;
    const key = /^([a-z_]+) = /.exec(bare)?.[1];
    return key === undefined ? [] : [{ key: `${section}.${key}`, line: bare }];
  });
}

describe("docs/config.example.toml", () => {
  it("is valid as it stands, without a warning", async () => {
    await using directory = await ConfigDirectory.create();
    await directory.write("config.toml", example);
    const groupFile = await directory.write("group", "facepay-cashier:x:990:\nfacepay-tech:x:991:\n");
    const loaded = await loadConfig({ file: directory.file, env: {}, groupFile });
    expect(loaded).toMatchObject({ kind: "ok", warnings: [] });
  });

  it("shows every key of the schema, and no other", () => {
    const shown = new Set(entries().map(({ key }) => key));
    expect([...shown].sort()).toEqual([...knownKeys].sort());
    for (const name of sections.keys()) expect(example).toContain(`[${name}]`);
  });

  it.each(entries())("shows a value that $key may have", ({ key, line }) => {
    const parsed = parseToml(line, "example");
    if (!parsed.ok) throw new Error(textOf(parsed.problem.what).en);
    const value = parsed.toml.table[key.slice(key.lastIndexOf(".") + 1)];
    expect(fieldOf(key)?.check(value)).toMatchObject({ ok: true });
  });

  it.each(entries().filter(({ line }) => example.includes(`\n# ${line}`)))(
    "shows the default of $key, if it has one",
    ({ key, line }) => {
      const field = fieldOf(key);
      if (field?.fallback === undefined) return;
      const parsed = parseToml(line, "example");
      if (!parsed.ok) throw new Error(textOf(parsed.problem.what).en);
      expect(parsed.toml.table[key.slice(key.lastIndexOf(".") + 1)]).toEqual(field.fallbackText ?? field.fallback);
    },
  );
});
