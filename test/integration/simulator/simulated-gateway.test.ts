import { randomBytes } from "node:crypto";
import fs from "node:fs/promises";
import https from "node:https";
import os from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Formatter, Rsa } from "wechatpay-axios-plugin";
import { createAuthority } from "../../../agent/simulator/certificates.ts";
import { startGatewayServer } from "../../../agent/simulator/gateway-server.ts";
import type { PayService } from "../../../agent/simulator/pay-service.ts";
import { createPlayground, type Playground } from "../../../agent/simulator/playground.ts";

let directory: string;
let playground: Playground;
let server: PayService;

beforeAll(async () => {
  directory = await fs.mkdtemp(path.join(os.tmpdir(), "facepay-gateway-"));
  playground = await createPlayground(directory);
});
afterEach(() => server.stop());
afterAll(() => fs.rm(directory, { recursive: true }));

type Terminal = { readonly certPem?: string; readonly privateKeyPem?: string };

function ask(
  headers: Record<string, string | undefined> = {},
  terminal: Terminal = playground.client,
): Promise<Response> {
  const { spAppid: sp_appid, subAppid: sub_appid, subMchid: sub_mchid, organizationId } = playground.identity;
  const device = { device_id: playground.identity.deviceId, raw_data: randomBytes(300).toString("base64") };
  const body = JSON.stringify({ sp_appid, sub_appid, sub_mchid, ...device, organization_id: organizationId });
  const tls = { ca: playground.ca.certPem, agent: false as const, ...(terminal.certPem ? pairOf(terminal) : {}) };
  return new Promise((resolve, reject) => {
    const given = Object.entries({ ...usual(), ...headers }).filter(([, value]) => value !== undefined);
    const options = { method: "POST", ...tls, headers: Object.fromEntries(given) };
    const request = https.request(`${server.url}/v3/offlineface/authinfo`, options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () => {
        const received = new Headers(response.headers as Record<string, string>);
        resolve(new Response(Buffer.concat(chunks), { status: response.statusCode ?? 0, headers: received }));
      });
    });
    request.once("error", reject);
    request.end(body);
  });
}

const pairOf = ({ certPem, privateKeyPem }: Terminal) => ({ cert: certPem, key: privateKeyPem });
const usual = () => ({
  Accept: "application/json",
  "User-Agent": "test",
  "Content-Type": "application/json",
  "Wechatpay-Serial": playground.platform.keyId,
  Authorization: `Bearer ${playground.bearerToken}`,
});

describe("the simulated gateway", () => {
  it("lets a known terminal in and passes on what WeChat Pay signed", async () => {
    server = await startGatewayServer({ ...playground.gatewayOptions, basePath: "/facepay", refreshSeconds: 900 });
    expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:[0-9]+\/facepay$/);
    const answer = await ask();
    const body = await answer.text();
    const header = (name: string) => answer.headers.get(name) ?? "";
    const message = Formatter.response(header("wechatpay-timestamp"), header("wechatpay-nonce"), body);
    expect(Rsa.verify(message, header("wechatpay-signature"), playground.platformPublicKeyPem)).toBe(true);
    expect([answer.status, header("facepay-refresh-seconds")]).toEqual([200, "900"]);
    const { deviceId } = playground.identity;
    expect(server.requests).toMatchObject([
      { verified: true, client: deviceId, path: "/facepay/v3/offlineface/authinfo" },
    ]);
    server.faults.next({ status: 503, headers: { "Retry-After": "7" } });
    const busy = await ask();
    expect([busy.status, busy.headers.get("retry-after"), busy.headers.get("wechatpay-signature")]).toEqual([
      503,
      "7",
      null,
    ]);
  });

  it("refuses a wrong token, a merchant's signature and another key id, unsigned", async () => {
    server = await startGatewayServer(playground.gatewayOptions);
    const answers = [
      await ask({ Authorization: "Bearer wrong" }),
      await ask({ Authorization: 'WECHATPAY2-SHA256-RSA2048 mchid="1"' }),
      await ask({ "Wechatpay-Serial": "PUB_KEY_ID_1" }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 400, 400]);
    expect(answers.every(({ headers }) => !headers.has("wechatpay-signature"))).toBe(true);
    expect(server.requests.map(({ reason }) => reason)).toEqual([
      "bearer_token",
      "merchant_signature",
      "wechatpay_serial",
    ]);
  });

  it("refuses a terminal without a certificate of its authority", async () => {
    server = await startGatewayServer(playground.gatewayOptions);
    const stranger = await (await createAuthority({ now: Date.now() })).issueClient({ commonName: "stranger" });
    await expect(ask({}, {})).rejects.toThrow();
    await expect(ask({}, stranger)).rejects.toThrow();
    expect((await ask()).status).toBe(200);
    expect(server.requests).toHaveLength(1);
  });

  it("does without Wechatpay-Serial, as the reference gateway", async () => {
    server = await startGatewayServer(playground.gatewayOptions);
    expect((await ask({ "Wechatpay-Serial": undefined })).status).toBe(200);
  });

  it("does with the token alone where no authority is given", async () => {
    const { clientCa: _, ...withToken } = playground.gatewayOptions;
    server = await startGatewayServer(withToken);
    expect([(await ask({}, {})).status, (await ask({ Authorization: "" }, {})).status]).toEqual([200, 401]);
  });
});
