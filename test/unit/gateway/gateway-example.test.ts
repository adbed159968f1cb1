import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { parseToml } from "../../../agent/config/files/toml.ts";
import { readConfig } from "../../../agent/gateway/config.ts";
import { gatewayKeys } from "../../../agent/gateway/schema.ts";
import { textOf } from "../../../agent/messages/text-of.ts";
import { ConfigDirectory } from "../../support/fixtures/config-fixture.ts";

const example = await readFile(new URL("../../../docs/gateway.example.toml", import.meta.url), "utf8");

/** The lines that set a key, commented or not, as "section.key" with the TOML of one line. */
function entries(): { key: string; line: string; commented: boolean }[] {
  let section = "";
  return example.split("\n").flatMap((line) => {
    const bare = line.replace(/^# /, "");
    section = /^\[([a-z_.]+)\]/.exec(bare)?.[1] ?? section;
    const key = /^([a-z_]+) = /.exec(bare)?.[1];
    return key === undefined ? [] : [{ key: `${section}.${key}`, line: bare, commented: bare !== line }];
  });
}

describe("docs/gateway.example.toml", () => {
  it("is valid as it stands, without a warning, and with every line in force", async () => {
    await using directory = await ConfigDirectory.create();
    await directory.write("gateway.toml", example);
    const plain = readConfig(directory.of("gateway.toml"), {});
    expect([plain.problems, plain.warnings]).toEqual([[], []]);
    expect(plain.config).toMatchObject({ listen: { host: "0.0.0.0", port: 8_443 }, basePath: "", inFlight: 200 });
    const all = example.replace(/^# ([a-z_]+ = )/gm, "$1").replace(/^ca_file = "ca.pem"$/m, "");
    await directory.write("gateway.toml", all);
    expect(readConfig(directory.of("gateway.toml"), {}).problems).toEqual([]);
  });

  it("shows every key of the schema, and no other", () => {
    expect(
      entries()
        .map(({ key }) => key)
        .sort(),
    ).toEqual([...gatewayKeys.knownKeys].sort());
  });

  it.each(entries())("shows a value that $key may have, its default if it has one", ({ key, line, commented }) => {
    const parsed = parseToml(line, "example");
    if (!parsed.ok) throw new Error(textOf(parsed.problem.what).en);
    const value = parsed.toml.table[key.slice(key.lastIndexOf(".") + 1)];
    const field = gatewayKeys.fieldOf(key);
    expect(field?.check(value)).toMatchObject({ ok: true });
    if (commented && field?.fallback !== undefined) expect(value).toBe(field.fallback);
  });
});

describe("the gateway's rules between keys", () => {
  it.each([
    ['register_file = "devices.jsonl"', 'register_file = "devices.jsonl"\ncrl_file = "x.crl"', "devices.crl_file"],
    ["# port = 8444", "port = 8443", "health.port"],
    ['# ca_file = "ca.pem"', 'ca_file = "ca.pem"', "wechatpay.ca_file"],
  ])("refuse %s as %s", async (from, to, key) => {
    await using directory = await ConfigDirectory.create();
    await directory.write("gateway.toml", example.replace(from, to));
    const { problems, config } = readConfig(directory.of("gateway.toml"), { FACEPAY_WECHATPAY_MODE: "direct" });
    expect(problems.map((problem) => problem.key)).toEqual([key]);
    expect(config).toBeUndefined();
  });
});
