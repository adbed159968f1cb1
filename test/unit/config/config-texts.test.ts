import { describe, expect, it } from "vitest";
import { lookupGroup } from "../../../agent/common/files/group.ts";
import { environmentProblems } from "../../../agent/config/environment.ts";
import { parseToml } from "../../../agent/config/files/toml.ts";
import { configJsonSchema } from "../../../agent/config/keys/json-schema.ts";
import { knownKeys } from "../../../agent/config/keys/schema.ts";
import { loadConfig } from "../../../agent/config/load.ts";
import { showConfig, showConfigJson } from "../../../agent/config/show.ts";
import { renderProblem } from "../../../agent/messages/problem-text.ts";
import { textOf } from "../../../agent/messages/text-of.ts";
import { ConfigDirectory, gatewaySections, tomlOf } from "../../support/fixtures/config-fixture.ts";

describe("environmentProblems", () => {
  const unsafe: [env: Record<string, string>, key: string][] = [
    [{ NODE_TLS_REJECT_UNAUTHORIZED: "0" }, "NODE_TLS_REJECT_UNAUTHORIZED"],
    [{ SSLKEYLOGFILE: "/tmp/keys" }, "SSLKEYLOGFILE"],
    ...[
      "--inspect",
      "--inspect=0.0.0.0:9229",
      "--no-warnings --inspect-brk",
      "--inspect_wait",
      "--inspect-port=0",
      '"--inspect"',
      '--require "a b.js" --inspect-publish-uid=http',
      "--debug-port=1",
      "--tls-keylog=/tmp/k",
      "--trace-tls",
      "--tls-min-v1.0",
      "--insecure-http-parser",
      "--heapsnapshot-signal=SIGUSR2",
    ].map((options): [Record<string, string>, string] => [{ NODE_OPTIONS: options }, "NODE_OPTIONS"]),
  ];

  it.each(unsafe)("refuses %j", (env, key) => {
    const problems = environmentProblems(env);
    expect(problems.map((problem) => problem.key)).toEqual([key]);
    expect(problems[0] && textOf(problems[0].instead).en).not.toBe("");
  });

  it.each([
    [{}],
    [{ NODE_TLS_REJECT_UNAUTHORIZED: "1", SSLKEYLOGFILE: "", NODE_OPTIONS: "" }],
    [{ NODE_OPTIONS: "--max-old-space-size=100 --enable-source-maps --title=x--inspect" }],
    [{ NODE_OPTIONS: '--require "/a --inspect.js" --import=./x.js' }],
    [{ NODE_EXTRA_CA_CERTS: "/etc/ca.pem" }],
  ])("lets pass %j", (env) => {
    expect(environmentProblems(env)).toEqual([]);
  });

  it("looks at node's command line as well, and reports everything", () => {
    const env = { NODE_TLS_REJECT_UNAUTHORIZED: "0", SSLKEYLOGFILE: "x", NODE_OPTIONS: "--inspect --trace-tls" };
    expect(environmentProblems(env, ["--inspect-brk", "--title=a"])).toHaveLength(5);
  });
});

describe("lookupGroup", () => {
  it("reads /etc/group and takes numbers", async () => {
    await using directory = await ConfigDirectory.create();
    const file = await directory.write("group", "root:x:0:\nstaff:x:50:a,b\nbroken\nodd:x:\n");
    expect(lookupGroup("root", file)).toBe(0);
    expect(lookupGroup("staff", file)).toBe(50);
    expect(lookupGroup("1234", file)).toBe(1234);
    for (const name of ["wheel", "broken", "odd", "sta", "", "4294967295"]) {
      expect(lookupGroup(name, file), name).toBeUndefined();
    }
    expect(lookupGroup("root", directory.of("nowhere"))).toBeUndefined();
    expect(lookupGroup("root")).toBe(0);
  });
});

describe("renderProblem", () => {
  const problem = {
    key: "log.level",
    origin: "/c.toml:3",
    what: { zh: "不对", en: "is wrong" },
    instead: { zh: "改", en: "fix it" },
  };

  it("has one language or both", () => {
    expect(renderProblem(problem, "en")).toBe("log.level (/c.toml:3):\n  is wrong\n    -> fix it");
    expect(renderProblem(problem, "zh-CN")).toBe("log.level (/c.toml:3):\n  不对\n    -> 改");
    expect(renderProblem(problem, "both").split("\n")).toHaveLength(5);
  });

  it("names a file or variable once", () => {
    expect(renderProblem({ ...problem, key: "" }, "en")).toMatch(/^\/c\.toml:3:\n/);
    expect(renderProblem({ ...problem, key: "X", origin: "X" }, "en")).toMatch(/^X:\n/);
  });
});

describe("showing the configuration", () => {
  async function loaded() {
    await using directory = await ConfigDirectory.create();
    const init = { ip: '"a\\"b"', password: '"topsecret"', nested: "{ a = [1, true], b = {} }", '"odd name"': "1" };
    await directory.write(
      "config.toml",
      tomlOf(gatewaySections, { "driver.init": init, api: { socket_mode: '"0600"' } }),
    );
    const env = { FACEPAY_LOG_LEVEL: "warn", HTTPS_PROXY: "http://p:1" };
    const result = await loadConfig({ file: directory.file, env });
    if (result.kind !== "ok") throw new Error(JSON.stringify(result));
    return { result, directory: directory.path };
  }

  it("gives TOML that could stand in a file, with origins", async () => {
    const { result, directory } = await loaded();
    const text = showConfig(result, "en");
    const parsed = parseToml(text, "shown");
    if (!parsed.ok) throw new Error(textOf(parsed.problem.what).en);
    expect(parsed.toml.table).toMatchObject({
      driver: { baud_rate: 115_200, init: { ip: 'a"b', nested: { a: [1, true], b: {} }, "odd name": 1 } },
      wechatpay: { base_urls: ["https://gateway.example.com/facepay"], public_key_file: `${directory}/pub_key.pem` },
      api: { socket_mode: "0600", admin_socket_mode: "0660" },
    });
    expect(text).toContain(`# ${directory}/config.toml:`);
    expect(text).toMatch(/^level = "warn" +# FACEPAY_LOG_LEVEL$/m);
    expect(text).toMatch(/^proxy = "http:\/\/p:1" +# HTTPS_PROXY$/m);
    expect(text).toMatch(/^baud_rate = 115200 +# default$/m);
    expect(showConfig(result, "zh-CN")).toMatch(/^baud_rate = 115200 +# 默认值$/m);
    expect(text).not.toContain("topsecret");
    expect(JSON.stringify(showConfigJson(result))).not.toContain("topsecret");
  });

  it("gives the same to programs", async () => {
    const { result } = await loaded();
    expect(showConfigJson(result)).toMatchObject({
      schema: "facepay-agent.config/1",
      hash: result.hash,
      settings: expect.arrayContaining([{ key: "log.level", value: "warn", origin: "FACEPAY_LOG_LEVEL" }]),
    });
  });
});

describe("configJsonSchema", () => {
  it("describes every key in both languages", () => {
    const schema = JSON.stringify(configJsonSchema());
    expect(configJsonSchema()).toMatchObject({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      required: ["identity", "wechatpay"],
      additionalProperties: false,
      properties: {
        identity: { required: ["sp_mchid", "sp_appid", "sub_mchid", "organization_id"], additionalProperties: false },
        driver: {
          properties: {
            baud_rate: { type: "integer", minimum: 1_200, default: 115_200 },
            init: { type: "object", additionalProperties: true, properties: { passwd_file: { type: "string" } } },
          },
        },
        refresh: { properties: { refresh_at: { exclusiveMinimum: 0, exclusiveMaximum: 1, default: 0.5 } } },
        api: { properties: { socket_mode: { type: "string", default: "0660" } } },
        log: { properties: { level: { enum: ["debug", "info", "warn", "error"] } } },
      },
    });
    for (const key of knownKeys) expect(schema).toContain(`"${key.slice(key.lastIndexOf(".") + 1)}":{`);
    expect(schema).not.toContain('"driver.init"');
  });
});
