import type { BridgeFaults } from "../../drivers/simulator/bridge-faults.ts";
import { sdkFailures } from "../../drivers/simulator/simulated-sdk.ts";
import type { DiskTrouble } from "./disk.ts";
import type { NetworkTrouble } from "./network.ts";
import type { AnswerTrouble } from "./pay.ts";

/** All that may be wrong with the network, the disk, WeChat Pay's answers and the bridge's. */
export const NETWORK: readonly NetworkTrouble[] = [
  ...(["link_down", "no_dns", "no_route", "refused", "reset", "black_hole", "hang"] as const),
  ...(["cut", "answer_lost", "slow", "not_trusted"] as const),
];
export const DISK: readonly DiskTrouble[] = ["full", "read_only", "io_error", "hang", "slow"];
export const REFUSALS: readonly AnswerTrouble[] = [400, 401, 403, 404, 429, 500, 502, 503, 504, 302, 418].map(
  (status) => ({
    status,
  }),
);
export const ANSWERS: readonly AnswerTrouble[] = [
  { signature: "bad" },
  { signature: "probe" },
  { signature: "unknown-serial" },
  { signature: "none" },
  { signedOffS: -400 },
  { signedOffS: 400 },
  { replay: 1 },
  { replay: 2 },
  { body: "portal", signature: "none" },
  { body: "empty" },
  { body: "not_json" },
  { body: "charset" },
  { body: "other_authinfo" },
  { body: "same_authinfo" },
  { expiresIn: 59 },
  { expiresIn: "soon" },
];
export const BRIDGE: readonly BridgeFaults[] = [
  { silent: true },
  { silent: true, only: "getWxpayfaceRawdata" },
  { delayMs: 4_000 },
  { delayMs: 12_000 },
  { badFcs: true },
  { truncated: true },
  { wrongId: true },
  { duplicate: true },
  { stale: true },
  { echo: true },
  { noiseBefore: Buffer.from("login: \u0007\u007f") },
  { result: sdkFailures.systemError, only: "getWxpayfaceRawdata" },
  { result: sdkFailures.noNetwork, only: "getWxpayfaceRawdata" },
  { rawData: "" },
  { rawData: "QUJD RUZH" },
  { payload: "{not json" },
  { nativeStatus: -1, only: "getWxpayfaceRawdata" },
];
