import path from "node:path";
import { openPty } from "../../drivers/simulator/pty.ts";
import { SimulatedBridge } from "../../drivers/simulator/simulated-bridge.ts";
import { startGatewayServer } from "./gateway-server.ts";
import { createPlayground } from "./playground.ts";
import { startWechatPayServer } from "./wechatpay-server.ts";

export type SimulationLanguage = "zh-CN" | "en" | "both";

/**
 * The stand-ins alone, for `facepay-agent simulate`: a bridge on a pseudo-terminal and WeChat Pay (or a merchant's gateway)
 * on loopback HTTPS, with a matching configuration in `directory`. `print` takes one line at a time. Resolves when the signal has aborted and all is
 * closed.
 */
export async function runSimulation(options: {
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
  readonly lang: SimulationLanguage;
  readonly gateway?: boolean;
}): Promise<void> {
  const { directory, signal, lang, gateway = false } = options;
  const say = (zh: string, en: string) => {
    if (lang !== "en") options.print(zh);
    if (lang !== "zh-CN") options.print(en);
  };
  const playground = await createPlayground(directory);
  const peer = gateway
    ? await startGatewayServer(playground.gatewayOptions)
    : await startWechatPayServer(playground.wechatPayOptions);
  try {
    const pty = await openPty({ link: playground.deviceLink });
    try {
      const bridge = new SimulatedBridge({ deviceId: playground.identity.deviceId });
      bridge.attach(pty.stream);
      const driver = { type: "serial", path: path.basename(playground.deviceLink) } as const;
      const mode = gateway ? "gateway" : "direct";
      const config = await playground.writeConfig({ baseUrls: [peer.url], driver, mode });
      say(
        `模拟刷脸模组：${playground.deviceLink}（${pty.path}）`,
        `bridge:        ${playground.deviceLink} (${pty.path})`,
      );
      if (gateway) say(`模拟商户网关：${peer.url}`, `gateway:       ${peer.url}`);
      else say(`模拟微信支付：${peer.url}`, `WeChat Pay:    ${peer.url}`);
      say(`配置文件：${config}`, `configuration: ${config}`);
      say(
        `在另一个终端运行：facepay-agent run --config ${config}`,
        `in another terminal: facepay-agent run --config ${config}`,
      );
      say("按 Ctrl-C 结束，即为断网断线。", "Ctrl-C ends both, which is an outage for the agent.");
      await aborted(signal);
      bridge.close();
    } finally {
      pty.unplug();
    }
  } finally {
    await peer.stop();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
