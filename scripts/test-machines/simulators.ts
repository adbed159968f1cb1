import { chmodSync, readFileSync, rmSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { startWechatPayServer } from "../../agent/simulator/wechatpay-server.ts";
import { SimulatedBridge } from "../../drivers/simulator/simulated-bridge.ts";

/** Bridge and WeChat Pay of a test machine. `directory` is what `provision` has filled; the bridge's socket is there, too. */
export async function startBridge(directory: string): Promise<void> {
  const { deviceId } = readFacts(directory);
  const socket = path.join(directory, "bridge.sock");
  rmSync(socket, { force: true });
  const bridge = new SimulatedBridge({ deviceId });
  const server = net.createServer((line) => bridge.attach(line));
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  // The agent is another user.
  chmodSync(socket, 0o666);
}

export async function startPay(directory: string): Promise<void> {
  await startWechatPayServer(readFacts(directory).pay);
}

function readFacts(directory: string) {
  return JSON.parse(readFileSync(path.join(directory, "peers.json"), "utf8"));
}
