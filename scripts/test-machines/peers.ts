/**
 * Runs inside a test machine, bundled into one file: `bridge` or `pay` of that terminal. The second argument is the directory
 * that `provision` has filled; it also holds the bridge's socket.
 */
import { chmodSync, readFileSync, rmSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { startWechatPayServer } from "../../agent/simulation/wechatpay-server.ts";
import { SimulatedBridge } from "../../drivers/simulator/simulated-bridge.ts";

const [, , part, directory = "."] = process.argv;
const { deviceId, ...pay } = JSON.parse(readFileSync(path.join(directory, "peers.json"), "utf8"));
if (part === "pay") {
  await startWechatPayServer(pay);
} else {
  const socket = path.join(directory, "bridge.sock");
  rmSync(socket, { force: true });
  const bridge = new SimulatedBridge({ deviceId });
  net.createServer((line) => bridge.attach(line)).listen(socket, () => chmodSync(socket, 0o666));
}
