/**
 * One way to ask WeChat Pay for an authinfo, in a process of its own: signs, sends over TLS, and verifies the answer. Each
 * message is one round of requests, one after the other. Arguments: name, directory with the keys, facts as JSON.
 */
import { createPrivateKey, createPublicKey, randomBytes, sign, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import https from "node:https";
import path from "node:path";
import tls from "node:tls";
import { systemClock } from "../../agent/common/clock.ts";
import { silentLog } from "../../agent/common/log/log.ts";
import { systemRandom } from "../../agent/common/random.ts";
import type { PayFacts } from "./simulators.ts";

export type ContestantName = "facepay-agent" | "undici by hand" | "wechatpay-axios-plugin" | "wechatpay-node-v3";

type Ask = (body: Readonly<Record<string, string>>) => Promise<void>;

const [, , name = "", directory = "", json = "{}"] = process.argv;
const facts = JSON.parse(json) as PayFacts;
const { identity, url, publicKeyId, merchantSerialNo } = facts;
const PATH = "/v3/offlineface/authinfo";
const file = (named: string) => readFileSync(path.join(directory, named), "utf8");
const ca = file("ca.pem");
const privateKeyPem = file("merchant-key.pem");
const publicKeyPem = file("wechatpay-public-key.pem");

/** The agent's own client, direct mode. */
async function ourClient(): Promise<Ask> {
  const { createWechatPay } = await import("../../agent/wechatpay/client.ts");
  const client = createWechatPay({
    config: {
      mode: "direct",
      baseUrls: [url],
      noProxy: "",
      attemptTimeoutMs: 10_000,
      connectTimeoutMs: 6_000,
      publicKeyId,
      publicKeyFile: "",
      merchantSerialNo,
    },
    identity,
    secrets: {
      publicKey: createPublicKey(publicKeyPem),
      merchantPrivateKey: createPrivateKey(privateKeyPem),
      ca,
    },
    clock: systemClock(),
    random: systemRandom,
    log: silentLog,
    userAgent: "facepay-agent-bench",
  });
  const { signal } = new AbortController();
  let newestSignedAtS = 0;
  return async ({ device_id: deviceId = "", raw_data: rawData = "" }) => {
    const options = { planned: true, newestSignedAtS, signal };
    const answer = await client.requestAuthinfo({ deviceId, rawData }, options);
    newestSignedAtS = answer.signedAtS;
  };
}

/** The floor: the same signature and the same verification with nothing around them. */
async function byHand(): Promise<Ask> {
  const { Agent, request } = await import("undici");
  const dispatcher = new Agent({ connect: { ca } });
  const key = createPrivateKey(privateKeyPem);
  const platformKey = createPublicKey(publicKeyPem);
  return async (content) => {
    const body = JSON.stringify(content);
    const timestamp = Math.floor(Date.now() / 1000);
    const nonce = randomBytes(16).toString("hex");
    const message = Buffer.from(`POST\n${PATH}\n${timestamp}\n${nonce}\n${body}\n`);
    const signature = sign("RSA-SHA256", message, key).toString("base64");
    const answer = await request(`${url}${PATH}`, {
      dispatcher,
      method: "POST",
      headers: {
        accept: "application/json",
        "content-type": "application/json",
        "user-agent": "bench",
        "wechatpay-serial": publicKeyId,
        authorization:
          `WECHATPAY2-SHA256-RSA2048 mchid="${identity.spMchid}",nonce_str="${nonce}",signature="${signature}",` +
          `timestamp="${timestamp}",serial_no="${merchantSerialNo}"`,
      },
      body,
    });
    const text = await answer.body.text();
    const { headers } = answer;
    const signed = Buffer.from(`${headers["wechatpay-timestamp"]}\n${headers["wechatpay-nonce"]}\n${text}\n`);
    const good = verify("RSA-SHA256", signed, platformKey, Buffer.from(`${headers["wechatpay-signature"]}`, "base64"));
    if (!good || typeof JSON.parse(text).authinfo !== "string") throw new Error("a bad answer");
  };
}

/** Signs and verifies; here with a connection that is kept, which it does not do by itself. */
async function axiosPlugin(): Promise<Ask> {
  const { Wechatpay } = await import("wechatpay-axios-plugin");
  const client = new Wechatpay({
    mchid: identity.spMchid,
    serial: merchantSerialNo,
    privateKey: privateKeyPem,
    certs: { [publicKeyId]: publicKeyPem },
    baseURL: url,
    httpsAgent: new https.Agent({ ca, keepAlive: true }),
  });
  const headers = { "Wechatpay-Serial": publicKeyId, "Content-Type": "application/json" };
  return async (body) => {
    const { data } = await client.chain("v3/offlineface/authinfo").post(body, { headers });
    if (typeof data.authinfo !== "string") throw new Error("a bad answer");
  };
}

/** Signs but does not verify what its own calls bring; opens a connection for each. */
async function nodeV3(): Promise<Ask> {
  tls.setDefaultCACertificates([...tls.getCACertificates("default"), ca]);
  const { default: Pay } = await import("wechatpay-node-v3");
  const client = new Pay({
    appid: identity.spAppid,
    mchid: identity.spMchid,
    publicKey: Buffer.from(publicKeyPem),
    privateKey: Buffer.from(privateKeyPem),
    serial_no: merchantSerialNo,
  }) as unknown as NodeV3;
  return async (body) => {
    const authorization = client.buildAuthorization("POST", PATH, body);
    const headers = client.getHeaders(authorization, {
      "Content-Type": "application/json",
      "Wechatpay-Serial": publicKeyId,
    });
    const { status, data } = await client.httpService.post(`${url}${PATH}`, body, headers);
    if (status !== 200 || typeof data?.authinfo !== "string") throw new Error(`a bad answer, status ${status}`);
  };
}

/** What its own methods are made of, which its types keep to themselves. */
interface NodeV3 {
  buildAuthorization(method: string, path: string, body: object): string;
  getHeaders(authorization: string, headers: Record<string, string>): Record<string, string>;
  readonly httpService: {
    post(
      url: string,
      body: object,
      headers: Record<string, string>,
    ): Promise<{ readonly status: number; readonly data?: { readonly authinfo?: unknown } }>;
  };
}

const ways: Readonly<Record<ContestantName, () => Promise<Ask>>> = {
  "facepay-agent": ourClient,
  "undici by hand": byHand,
  "wechatpay-axios-plugin": axiosPlugin,
  "wechatpay-node-v3": nodeV3,
};
const ask = ways[name as ContestantName]();

process.on("message", async ({ requests }: { readonly requests: number }) => {
  const send = await ask;
  for (let i = 0; i < requests; i++) {
    await send({
      sp_appid: identity.spAppid,
      sub_appid: identity.subAppid,
      sub_mchid: identity.subMchid,
      device_id: identity.deviceId,
      raw_data: randomBytes(503).toString("base64"),
      organization_id: identity.organizationId,
    });
  }
  process.send?.({});
});
