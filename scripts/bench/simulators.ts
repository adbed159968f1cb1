/**
 * Bridge and WeChat Pay of one bench terminal, in a process of their own. The argument is the terminal's directory; each
 * message is a command, answered when it is done.
 */
import net from "node:net";
import path from "node:path";
import type { PayService } from "../../agent/simulator/pay-service.ts";
import { createPlayground, type playgroundIdentity } from "../../agent/simulator/playground.ts";
import type { ConfigSettings } from "../../agent/simulator/playground-config.ts";
import { startWechatPayServer } from "../../agent/simulator/wechatpay-server.ts";
import { SimulatedBridge } from "../../drivers/simulator/simulated-bridge.ts";

export type SimulatorCommand =
  /** Makes keys and certificates, opens both simulators and writes the configuration. */
  | { readonly do: "open"; readonly overrides?: ConfigSettings["overrides"] }
  /** From now on no request is answered, though all are accepted. */
  | { readonly do: "hang" }
  /** WeChat Pay is gone: connections are refused. */
  | { readonly do: "vanish" }
  /** How many requests have been answered well so far. */
  | { readonly do: "count" };

/** What a client needs to know besides the files in the directory. */
export interface PayFacts {
  readonly url: string;
  readonly publicKeyId: string;
  readonly merchantSerialNo: string;
  readonly identity: typeof playgroundIdentity;
}

const [, , directory = ""] = process.argv;
let pay: PayService | undefined;

async function open(overrides: ConfigSettings["overrides"]): Promise<PayFacts> {
  const playground = await createPlayground(directory);
  pay = await startWechatPayServer({ ...playground.wechatPayOptions, port: 0 });
  const bridge = new SimulatedBridge({ deviceId: playground.identity.deviceId });
  const line = net.createServer((socket) => bridge.attach(socket));
  await new Promise<void>((resolve) => line.listen(path.join(directory, "bridge.sock"), resolve));
  const driver = { type: "socket", path: "bridge.sock" } as const;
  await playground.writeConfig({ baseUrls: [pay.url], driver, ...(overrides === undefined ? {} : { overrides }) });
  const { platform, merchant, identity } = playground;
  return { url: pay.url, publicKeyId: platform.keyId, merchantSerialNo: merchant.serialNo, identity };
}

async function obey(command: SimulatorCommand): Promise<unknown> {
  switch (command.do) {
    case "open":
      return await open(command.overrides);
    case "hang":
      if (pay) pay.faults.always = { delivery: "hang" };
      return;
    case "vanish":
      return await pay?.stop();
    case "count":
      return pay?.requests.filter(({ verified, status }) => verified && status === 200).length ?? 0;
  }
}

process.on("message", async (command: SimulatorCommand) => {
  process.send?.({ answer: await obey(command) });
});
