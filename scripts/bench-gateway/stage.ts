import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createPlayground, type Playground } from "../../agent/simulator/playground.ts";
import { end, environment, Helper, root } from "../bench/processes.ts";
import type { BareOrder } from "./bare-proxy.ts";
import type { UpstreamOrder } from "./upstream.ts";

/** A gateway, the bare proxy, and one cheap WeChat Pay for both of them, each a process of its own. */
export interface Stage extends AsyncDisposable {
  readonly gatewayPort: number;
  readonly barePort: number;
  readonly gatewayPid: number;
  readonly barePid: number;
  readonly playground: Playground;
  /** What a terminal sends; "RAW" stands for its raw_data. */
  readonly body: string;
}

const TOML = (
  url: string,
  keyId: string,
  serialNo: string,
  ports: readonly number[],
  identity: Playground["identity"],
) => `
[identity]
sp_mchid = "${identity.spMchid}"
sp_appid = "${identity.spAppid}"
[listen]
host = "127.0.0.1"
port = ${ports[0]}
cert_file = "server.pem"
key_file = "server.key"
[devices]
register_file = "devices.jsonl"
ca_file = "ca.pem"
[wechatpay]
base_urls = ["${url}"]
ca_file = "ca.pem"
public_key_id = "${keyId}"
public_key_file = "wechatpay-public-key.pem"
merchant_serial_no = "${serialNo}"
merchant_private_key_file = "merchant-key.pem"
[limits]
requests_per_hour = 3600000
burst = 100000
[health]
port = ${ports[1]}
`;

export async function openStage(ports: readonly [number, number]): Promise<Stage> {
  const directory = await mkdtemp(path.join(os.tmpdir(), "facepay-bench-gateway-"));
  await using opened = new AsyncDisposableStack();
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  const playground = await createPlayground(directory);
  const { server, ca, merchant, platform, identity } = playground;
  const upstream = opened.use(new Helper("../bench-gateway/upstream.ts"));
  const tls = { cert: server.certPem, key: server.privateKeyPem };
  const order: UpstreamOrder = { ...tls, platformKeyPem: platform.privateKeyPem, platformKeyId: platform.keyId };
  const { url } = await upstream.ask<{ url: string }>(order);

  const bare = opened.use(new Helper("../bench-gateway/bare-proxy.ts"));
  const bareOrder: BareOrder = {
    ...tls,
    ca: ca.certPem,
    upstream: url,
    merchantKeyPem: merchant.privateKeyPem,
    mchid: identity.spMchid,
    serialNo: merchant.serialNo,
  };
  const { port: barePort } = await bare.ask<{ port: number }>(bareOrder);

  const { deviceId, subMchid, subAppid, organizationId, spAppid } = identity;
  const mine = { device_id: deviceId, sub_mchid: subMchid, sub_appid: subAppid, organization_id: organizationId };
  await writeFile(path.join(directory, "server.pem"), server.certPem);
  await writeFile(path.join(directory, "server.key"), server.privateKeyPem, { mode: 0o600 });
  await writeFile(path.join(directory, "devices.jsonl"), `${JSON.stringify({ ...mine, certificate_cn: deviceId })}\n`);
  await writeFile(path.join(directory, "gateway.toml"), TOML(url, platform.keyId, merchant.serialNo, ports, identity));
  const gateway = await startGateway(directory);
  opened.defer(() => end(gateway));

  const fields = {
    sp_appid: spAppid,
    sub_appid: subAppid,
    sub_mchid: subMchid,
    device_id: deviceId,
    raw_data: "RAW",
    organization_id: organizationId,
  };
  const kept = opened.move();
  return {
    gatewayPort: ports[0],
    barePort,
    gatewayPid: gateway.pid ?? 0,
    barePid: bare.pid,
    playground,
    body: JSON.stringify(fields),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Its audit goes into a file, as a journal would take it. */
async function startGateway(directory: string): Promise<ChildProcess> {
  const launcher = path.join(root, "scripts/facepay-agent.js");
  const args = [launcher, "gateway", "--config", path.join(directory, "gateway.toml")];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"], env: environment });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(0, 4_000);
  });
  child.stderr.pipe(createWriteStream(path.join(directory, "audit.jsonl")));
  while (!said.includes("GATEWAY_SERVING")) {
    if (child.exitCode !== null) throw new Error(`the gateway does not start:\n${said}`);
    await delay(20);
  }
  return child;
}
