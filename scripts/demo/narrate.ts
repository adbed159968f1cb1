import http from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { askAgent } from "../../agent/api/admin-client.ts";
import type { Playground } from "../../agent/simulator/playground.ts";
import type { Print } from "./print.ts";

interface Shown {
  readonly state: string;
  readonly generation: number;
}

const clockTime = (rfc3339: string) => new Date(rfc3339).toLocaleTimeString("sv-SE");

/** What a cashier app does, and with the same means: the authinfo itself stays unprinted. */
function read(socketPath: string): Promise<{ status: number; body: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(2_000);
    const request = http.get(
      { socketPath, path: "/v1/authinfo", headers: { Host: "localhost" }, signal },
      (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => {
          text += chunk.toString("latin1");
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
        response.on("error", reject);
      },
    );
    request.on("error", reject);
  });
}

/** Tells each step once, and every change after that, until the signal aborts. */
export async function narrate(playground: Playground, print: Print, signal: AbortSignal): Promise<void> {
  let bridge = "";
  let shown: Shown = { state: "", generation: 0 };
  let cause = "";
  let agentSince = "";
  while (!signal.aborted) {
    await delay(200, undefined, { signal }).catch(() => undefined);
    // An agent that is just starting is looked at again in a moment.
    const asked = await askAgent(playground.adminSocket, "GET", "/v1/status", 2_000).catch(() => undefined);
    if (asked === undefined || signal.aborted) continue;
    const status = asked.body as unknown as DemoStatus;
    if (status.started_at !== agentSince) {
      agentSince = status.started_at;
      shown = { state: "", generation: 0 };
    }
    const line = status.bridge?.state ?? "";
    if (line !== bridge && (line === "ready" || bridge === "ready")) {
      if (line === "ready") {
        const { path: device, bridge: name, device_id: deviceId } = status.bridge ?? {};
        print(`已找到刷脸模组：${device}（${name}）`, `bridge found: ${device} (${name})`);
        print(`设备SN：${deviceId}`, `device id: ${deviceId}`);
      } else print("刷脸模组断开，正在重试", "bridge lost, reopening");
      bridge = line;
    }
    const { state, generation = 0 } = status.authinfo;
    if (state !== shown.state || generation !== shown.generation) {
      const renewed = generation !== shown.generation;
      shown = { state, generation };
      if (generation > 0) await tell(playground, status, renewed, print);
    }
    const why = status.last_error?.code ?? "";
    if (why !== cause) {
      cause = why;
      const held = ["fresh", "due", "rejected"].includes(state);
      const meanwhile = held ? ["，原凭证照常可用", "; what is held is still served"] : ["", ""];
      if (why) print(`更新失败：${why}，继续重试${meanwhile[0]}`, `refresh failed: ${why}, trying on${meanwhile[1]}`);
    }
  }
}

async function tell(playground: Playground, status: DemoStatus, renewed: boolean, print: Print): Promise<void> {
  const served = await read(playground.apiSocket).catch(() => undefined);
  if (served === undefined) return;
  const { state, generation, remaining_s: left, persisted, obtained_at: obtainedAt } = served.body;
  if (renewed && String(obtainedAt) < status.started_at) {
    const since = clockTime(String(obtainedAt));
    print(
      `此前（${since}）已获取的刷脸凭证 authinfo 仍有效，直接使用：第 ${generation} 份`,
      `authinfo obtained earlier (${since}) still holds and is served at once: generation ${generation}`,
    );
  } else if (renewed) {
    const kept = persisted ? ["，已写入磁盘", ", kept on disk"] : ["", ""];
    tellWay(status, print);
    print(
      `已获取刷脸凭证 authinfo：第 ${generation} 份${kept[0]}`,
      `authinfo obtained: generation ${generation}${kept[1]}`,
    );
  }
  if (served.status === 200) {
    print(
      `收银程序可读取：GET /v1/authinfo -> 200 ${state}，第 ${generation} 份，剩余 ${left} 秒`,
      `served: GET /v1/authinfo -> 200 ${state}, generation ${generation}, ${left} s left`,
    );
  } else print(`GET /v1/authinfo -> ${served.status}`, `served: GET /v1/authinfo -> ${served.status}`);
  const at = status.next_attempt?.at;
  if (at && state === "fresh") print(`下次更新：${clockTime(at)}`, `next refresh: ${clockTime(at)}`);
}

/** Which way the request has gone, and that its answer was believed for its signature alone. */
function tellWay({ wechatpay }: DemoStatus, print: Print): void {
  const used = wechatpay?.base_urls.find(({ in_use }) => in_use);
  if (wechatpay === null || used === undefined) return;
  const { base_url: url, last_ms: ms, last_status: status } = used;
  if (wechatpay.mode === "gateway") {
    print(
      `接入方式：经商户网关 ${url}；终端没有商户私钥，由网关签名并转发给微信支付`,
      `mode: through the merchant's gateway ${url}; no merchant key is on this terminal, the gateway signs and forwards to WeChat Pay`,
    );
  } else {
    print(
      `接入方式：直连微信支付 ${url}；请求用本终端上的商户私钥签名`,
      `mode: directly to WeChat Pay ${url}; the request is signed with the merchant key on this terminal`,
    );
  }
  print(
    `应答已验证：HTTP ${status}，${ms} 毫秒，微信支付的签名与正文相符`,
    `answer verified: HTTP ${status} in ${ms} ms, WeChat Pay's signature fits the body`,
  );
}

interface DemoStatus {
  readonly started_at: string;
  readonly authinfo: { state: string; generation?: number };
  readonly bridge: { state: string; path: string; bridge: string | null; device_id: string | null } | null;
  readonly wechatpay: {
    readonly mode: "direct" | "gateway";
    readonly base_urls: readonly {
      readonly base_url: string;
      readonly in_use: boolean;
      readonly last_ms: number | null;
      readonly last_status: number | null;
    }[];
  } | null;
  readonly last_error: { code: string } | null;
  readonly next_attempt: { at: string } | null;
}
