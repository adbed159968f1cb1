import { readFile } from "node:fs/promises";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import {
  AUTHINFO,
  ECHO,
  type GatewayAnswer,
  GatewayRig,
  type Line,
  removeFactory,
  sha256,
} from "../../support/fixtures/gateway-rig.ts";

const text = await readFile(new URL("../../../docs/gateway.openapi.yaml", import.meta.url), "utf8");

interface Media {
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
  readonly headers?: Readonly<Record<string, { readonly required?: boolean; readonly schema: object }>>;
}

interface Operation {
  readonly parameters: readonly { readonly name: string; readonly schema: object }[];
  readonly requestBody: Media;
  readonly responses: Readonly<Record<string, Media>>;
}

/** The document with every reference replaced by what it leads to. */
function resolved(): { readonly paths: Readonly<Record<string, { readonly post: Operation }>> } {
  const document = parse(text);
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== "object" || value === null) return value;
    const { $ref } = value as { $ref?: string };
    if ($ref === undefined)
      return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, walk(inner)]));
    return walk(
      $ref
        .slice(2)
        .split("/")
        .reduce((at, name) => at[name], document),
    );
  };
  return walk(document) as ReturnType<typeof resolved>;
}

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
const faults = (schema: object, value: unknown) =>
  ajv.validate(schema, value) ? [] : ajv.errors?.map((e) => e.message);
const { paths } = resolved();

function operation(path: string): Operation {
  const found = paths[path]?.post;
  if (found === undefined) throw new Error(`the document has no POST ${path}`);
  return found;
}

/** What is wrong with an answer by the document. */
function judge(path: string, { status, headers, body }: GatewayAnswer): unknown[] {
  const wanted = operation(path).responses[status];
  if (wanted === undefined) return [`status ${status} is not in the document`];
  const found: unknown[] = [];
  for (const [name, { required, schema }] of Object.entries(wanted.headers ?? {})) {
    const value = headers[name.toLowerCase()];
    if (value === undefined && required) found.push(`${name} is missing`);
    if (value !== undefined) found.push(...(faults(schema, value) ?? []));
  }
  const type = headers["content-type"]?.split(";")[0] ?? "";
  const media = wanted.content?.[type];
  if (media === undefined) return [...found, `${type} is not in the document`];
  const value = type === "application/json" ? JSON.parse(body.toString()) : body.toString();
  return [...found, ...(faults(media.schema, value) ?? [])];
}

let rig: GatewayRig;
afterAll(removeFactory);
beforeAll(async () => {
  rig = await GatewayRig.create();
  const second = { device_id: "D2", certificate_cn: undefined, token_sha256: sha256("t"), sub_appid: undefined };
  await rig.writeRegister([rig.line(), rig.line(second)]);
  await rig.start({
    fleet: { refresh_seconds: "3000" },
    limits: { burst: "40", in_flight: "1" },
    wechatpay: { attempt_timeout_ms: "4000", connect_timeout_ms: "3000" },
  });
});
afterAll(() => rig[Symbol.asyncDispose]());

describe("docs/gateway.openapi.yaml", () => {
  it("is valid OpenAPI 3.1", async () => {
    const validator = new Validator();
    const result = await validator.validate(parse(text));
    expect(result.errors ?? []).toEqual([]);
    expect([result.valid, validator.version]).toEqual([true, "3.1"]);
  });

  it("has exactly the paths that the gateway knows", async () => {
    expect(Object.keys(paths)).toEqual([AUTHINFO, ECHO]);
    for (const [path, { post: _, ...others }] of Object.entries(paths)) expect(others, path).toEqual({});
    expect((await rig.ask({ path: "/v3/other" })).status).toBe(404);
    for (const path of Object.keys(paths)) expect((await rig.ask({ path, body: "{}" })).status, path).toBe(400);
  });

  const { sub_appid: _, ...withoutAppid } = { sub_appid: "" } as Line;
  it.each([
    ["the usual request", AUTHINFO, () => rig.body(), {}, 200],
    [
      "one without sub_appid",
      AUTHINFO,
      () => rig.body({ ...withoutAppid, device_id: "D2", sub_appid: undefined }),
      { token: "t" },
      200,
    ],
    ["an echo", ECHO, () => ({ echo_message: "0123456789abcdef" }), {}, 200],
  ] as const)("describes %s, and the answer to it", async (_what, path, body, terminal, status) => {
    const sent = body();
    const schema = operation(path).requestBody.content?.["application/json"]?.schema ?? {};
    expect(faults(schema, JSON.parse(JSON.stringify(sent)))).toEqual([]);
    const [serial] = operation(path).parameters;
    expect([serial?.name, faults(serial?.schema ?? {}, rig.playground.platform.keyId)]).toEqual([
      "Wechatpay-Serial",
      [],
    ]);
    const headers = { "wechatpay-serial": rig.playground.platform.keyId };
    const answer = await rig.ask({
      path,
      body: sent,
      headers,
      terminal: "token" in terminal ? terminal : rig.terminal,
    });
    expect([answer.status, judge(path, answer)]).toEqual([status, []]);
  });

  it.each([
    ["a field too many", { notify_url: "https://x.example" }],
    ["a field too few", { raw_data: undefined }],
    ["a number", { sub_mchid: 1900000109 }],
    ["a blank in raw_data", { raw_data: "AAA A" }],
    ["an empty text", { organization_id: "" }],
  ])("refuses %s, as the gateway does", async (_what, changes) => {
    const body = rig.body(changes);
    const schema = operation(AUTHINFO).requestBody.content?.["application/json"]?.schema ?? {};
    expect(faults(schema, JSON.parse(JSON.stringify(body)))).not.toEqual([]);
    const answer = await rig.ask({ body });
    expect([400, 403]).toContain(answer.status);
    expect(judge(AUTHINFO, answer)).toEqual([]);
  });

  it("describes every refusal of the gateway and what it passes on", async () => {
    const seen = new Set<number>();
    const check = async (answer: Promise<GatewayAnswer>) => {
      const found = await answer;
      seen.add(found.status);
      expect([found.status, judge(AUTHINFO, found)]).toEqual([found.status, []]);
    };
    await check(rig.ask({ terminal: {} }));
    await check(rig.ask({ body: rig.body({ sub_mchid: "1900000110" }) }));
    await check(rig.ask({ body: "x".repeat(20_000) }));
    await check(rig.ask({ headers: { "content-type": "text/plain" } }));
    for (const status of [400, 401, 403, 429, 500, 502, 503, 504]) {
      rig.pay.faults.next({ status, headers: { "Retry-After": "5" } });
      await check(rig.ask());
    }
    rig.pay.faults.next({ delivery: "reset" });
    await check(rig.ask());
    rig.pay.faults.next({ delivery: "hang" });
    const slow = rig.ask();
    await rig.until("one is under way", async () => (await rig.metric("in_flight"))[""] === 1);
    await check(rig.ask());
    await check(slow);
    let limited: GatewayAnswer | undefined;
    for (let i = 0; i < 60 && limited?.status !== 429; i++) limited = await rig.ask({ path: ECHO, body: {} });
    expect([limited?.status, limited && judge(ECHO, limited)]).toEqual([429, []]);
    expect([...seen].sort((a, b) => a - b)).toEqual([400, 401, 403, 413, 415, 429, 500, 502, 503, 504]);
  });
});
