/** Runs inside a test machine, bundled into one file: `peers.mjs bridge DIR` or `peers.mjs pay DIR`. */
import { startBridge, startPay } from "./simulators.ts";

const [, , part, directory = "."] = process.argv;
await (part === "pay" ? startPay : startBridge)(directory);
