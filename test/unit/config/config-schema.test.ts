import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseToml } from "../../../agent/config/files/toml.ts";
import { configJsonSchema } from "../../../agent/config/keys/json-schema.ts";
import { fieldOf, knownKeys } from "../../../agent/config/keys/schema.ts";
import { loadConfig } from "../../../agent/config/load.ts";
import { textOf } from "../../../agent/messages/text-of.ts";
import { ConfigDirectory, gatewaySections, type TomlSections, tomlOf } from "../../support/fixtures/config-fixture.ts";

/** Values of every kind, each right for some key and wrong for the others, as they stand in a file. */
const samples = [
  ...[
    '""',
    '" "',
    '"x"',
    '"~/x"',
    '"a b"',
    '"a\\u0000b"',
    '"a\\nb"',
    '"微"',
    '"-----BEGIN PRIVATE KEY-----"',
    '"true"',
  ],
  ...["0", "-1", "1", "3", "4", "5", "7", "8", "9", "59", "60", "101", "8192", "86400", "86401", "115200", "9999999"],
  ...["0.0", "0.5", "1.0", "1.5", "1e9", "true", "false", "{}", "{ a = 1 }", "[]", "[1]", '["x"]'],
  ...['"0640"', '"640"', '"0999"', '"06400"', '"1a86"', '"0x1A86"', '"1a8"', '"5157F09EFDC096DE"', '"1900000100"'],
  ...['"PUB_KEY_ID_1"', '"PUB_KEY_ID_"', '"gateway"', '"direct"', '"serial"', '"none"', '"info"', '"INFO"', '"root"'],
  ...[
    '"http://p:1"',
    '"http://p"',
    '"https://p:1"',
    '"http://u:w@p:1"',
    '"p:1"',
    '"http://p:1/x"',
    `"${"9".repeat(65)}"`,
  ],
  '["https://a.example"]',
  '["https://a.example/base/", "https://b.example:8443"]',
  '["https://a.example", "https://a.example"]',
  '["http://a.example"]',
  '["https://"]',
  '["https://u:w@a.example"]',
  '["https://a.example?x"]',
  '["https://a.example#x"]',
  '[" https://a.example"]',
  `[${Array.from({ length: 9 }, (_, n) => `"https://a${n}.example"`).join(", ")}]`,
];

const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false });
const fits = ajv.compile(configJsonSchema());

let directory: ConfigDirectory;
beforeAll(async () => {
  directory = await ConfigDirectory.create();
});
afterAll(() => directory[Symbol.asyncDispose]());

/** Neither what is on the disk nor the groups of this machine are any schema's affair. */
const OF_THE_MACHINE = /cannot be read|does not exist/;

/** What `config check` has to say of a file, and whether the schema takes it. */
async function judge(sections: TomlSections, changes: TomlSections) {
  const text = tomlOf(sections, changes);
  await directory.write("config.toml", text);
  const loaded = await loadConfig({ file: directory.file, env: {} });
  const parsed = parseToml(text, "sample");
  if (!parsed.ok) throw new Error(`${textOf(parsed.problem.what).en} in ${text}`);
  return { problems: loaded.kind === "invalid" ? loaded.problems : [], fits: fits(parsed.toml.table) };
}

const placed = (key: string, toml: string | undefined): TomlSections => {
  const dot = key.lastIndexOf(".");
  return { [key.slice(0, dot)]: { [key.slice(dot + 1)]: toml } };
};

describe("the published schema", () => {
  it.each(knownKeys)("takes and refuses for %s what the program does", async (key) => {
    const of = async (toml: string) => {
      const { problems, fits: taken } = await judge(gatewaySections, placed(key, toml));
      return { words: problems.filter((problem) => problem.key === key).map(({ what }) => textOf(what).en), taken };
    };
    // What rules between keys have against it, whatever its value; those the schema does not know.
    const rules = new Set((await of(fieldOf(key)?.example ?? "")).words);
    const differences: string[] = [];
    for (const toml of [fieldOf(key)?.example ?? "", ...samples]) {
      const { words, taken } = await of(toml);
      const against = words.filter((word) => !rules.has(word) && !OF_THE_MACHINE.test(word));
      if (taken !== (against.length === 0)) differences.push(`${toml}: ${taken ? "taken" : "refused"}; ${against}`);
    }
    expect(differences).toEqual([]);
  });

  it.each<[what: string, sections: TomlSections]>([
    ["an unknown section", { refesh: { lifetime_s: "3600" } }],
    ["an unknown key", { refresh: { lifetime: "3600" } }],
    ["no mode", { wechatpay: { mode: undefined } }],
    ["no public key", { wechatpay: { public_key_file: undefined } }],
    ["no merchant", { identity: { sp_mchid: undefined } }],
  ])("refuses %s, as the program does", async (_what, changes) => {
    const { problems, fits: taken } = await judge(gatewaySections, changes);
    expect([problems.length > 0, taken]).toEqual([true, false]);
  });

  it("takes what the program takes, parameters of the SDK included", async () => {
    const found = await judge(gatewaySections, { "driver.init": { anything: "{ a = [1, true] }" } });
    expect(found).toEqual({ problems: [], fits: true });
  });
});
