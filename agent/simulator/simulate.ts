import { chown, lchown, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { openPty } from "../../drivers/simulator/pty.ts";
import { SimulatedBridge } from "../../drivers/simulator/simulated-bridge.ts";
import { startGatewayServer } from "./gateway-server.ts";
import { createPlayground, type Playground } from "./playground.ts";
import { type ConfigSettings, playgroundConfig } from "./playground-config.ts";
import { startWechatPayServer } from "./wechatpay-server.ts";

export type SimulationLanguage = "zh-CN" | "en" | "both";

/**
 * The simulators alone, for `facepay-agent simulate`: a bridge on a pseudo-terminal and WeChat Pay (or a merchant's gateway)
 * on loopback HTTPS, with a matching configuration in `directory`. `print` takes one line at a time. Resolves when the signal has aborted and all is
 * closed.
 */
export async function runSimulation(options: {
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
  readonly lang: SimulationLanguage;
  readonly gateway?: boolean;
  /** Of the packaged service: directory, files and pseudo-terminal become this user's, who could not pass to them otherwise. */
  readonly owner?: { readonly uid: number; readonly gid: number };
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
      const { owner } = options;
      if (owner === undefined) say("在另一个终端运行：", "in another terminal:");
      else {
        await writeAnswers(playground, { baseUrls: [peer.url], mode });
        await giveAll(directory, owner);
        await chown(pty.path, owner.uid, owner.gid);
        say("在另一个终端用它设置已安装的服务：", "in another terminal, to set the installed service up with it:");
      }
      options.print(
        owner === undefined
          ? `  facepay-agent run --config ${config}`
          : `  sudo facepay-agent provision --non-interactive --from ${answersOf(playground)}`,
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

const answersOf = ({ directory }: Playground) => path.join(directory, "answers.toml");

/** What head office would give: everything but where the service keeps its own things. */
async function writeAnswers(
  playground: Playground,
  settings: Pick<ConfigSettings, "baseUrls" | "mode">,
): Promise<void> {
  const { identity, platform, merchant, deviceLink } = playground;
  const materials = { identity, publicKeyId: platform.keyId, merchantSerialNo: merchant.serialNo };
  const own = ["socket", "socket_mode", "admin_socket", "admin_socket_mode"].map((key) => [key, undefined] as const);
  const overrides = { store: { directory: undefined }, api: Object.fromEntries(own) };
  const driver = { type: "serial", path: deviceLink } as const;
  await writeFile(answersOf(playground), playgroundConfig(materials, { ...settings, driver, overrides }), {
    mode: 0o600,
  });
}

async function giveAll(directory: string, { uid, gid }: { readonly uid: number; readonly gid: number }): Promise<void> {
  await chown(directory, uid, gid);
  for (const name of await readdir(directory, { recursive: true })) await lchown(path.join(directory, name), uid, gid);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
