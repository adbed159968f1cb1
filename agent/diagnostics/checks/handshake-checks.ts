import { sanitizeUntrusted } from "../../common/log/sanitize-untrusted.ts";
import type { Text } from "../../messages/message.ts";
import { checkRemedy, remedyOf } from "../../messages/remedies/remedies.ts";
import type { BridgeLine } from "../bridge-line.ts";
import { type BridgeProbe, type ProbedBridge, probeBridge, TALK_MS } from "../bridge-probe.ts";
import type { Check, DiagnoseContext, Outcome } from "../check.ts";
import { hasNoConfiguration } from "../facts.ts";
import { found, skipped, withoutConfig } from "../outcomes.ts";

/** Specification 3: what this agent speaks. */
const MAJOR = 1;
const MINOR = 0;
const SLOW_HELLO_MS = 1_000;
const SLOW_RAWDATA_MS = 3_000;
/** Fewer frames than this say little: one that was cut when the line was opened must not alarm. */
const TELLING_FRAMES = 200;
const BAD_FRAMES_PERCENT = 1;
const SOME_BAD_FRAMES_PERCENT = 0.01;

export function talkChecks(line: BridgeLine): readonly Check[] {
  const judged =
    (judge: (spoken: ProbedBridge, context: DiagnoseContext) => Outcome) =>
    async (context: DiagnoseContext): Promise<Outcome> => {
      if (context.loaded === undefined) return withoutConfig();
      if (hasNoConfiguration(context.agent)) return notReadYet;
      const talk = await probeBridge(context, line);
      return unasked(talk) ?? judge(talk as ProbedBridge, context);
    };
  const common = { section: "bridge", timeoutMs: TALK_MS } as const;
  return [
    {
      ...common,
      id: "ser.handshake",
      code: 406,
      title: { id: "title.ser.handshake" },
      dependsOn: ["ser.unique", "ser.perm", "ser.busy"],
      threshold: { warn: { id: "limit.ser.handshake.warn" }, fail: { id: "limit.ser.handshake.fail" } },
      remedy: checkRemedy("ser.handshake"),
      run: judged(judgeHandshake),
    },
    {
      ...common,
      id: "ser.protocol",
      code: 407,
      title: { id: "title.ser.protocol" },
      dependsOn: ["ser.handshake"],
      threshold: { warn: { id: "limit.ser.protocol.warn" }, fail: { id: "limit.ser.protocol.fail" } },
      remedy: checkRemedy("ser.protocol"),
      run: judged(judgeProtocol),
    },
    {
      ...common,
      id: "ser.crc",
      code: 408,
      title: { id: "title.ser.crc" },
      dependsOn: ["ser.handshake"],
      threshold: { warn: { id: "limit.ser.crc.warn" }, fail: { id: "limit.ser.crc.fail" } },
      remedy: checkRemedy("ser.crc"),
      run: judged(judgeFrames),
    },
    {
      ...common,
      id: "ser.device_data",
      code: 409,
      title: { id: "title.ser.device_data" },
      dependsOn: ["ser.protocol"],
      threshold: { warn: { id: "limit.ser.device_data.warn" }, fail: { id: "limit.ser.device_data.fail" } },
      remedy: checkRemedy("ser.device_data"),
      run: judged(judgeData),
    },
  ];
}

/** The line is free, but will not be in the moment in which the agent reads its configuration. */
const notReadYet = skipped({ id: "handshake.not_loaded" }, "cfg.valid");

function unasked(talk: BridgeProbe): Outcome | undefined {
  if (talk.kind === "spoken") return undefined;
  return talk.why === "forbidden"
    ? skipped({ id: "handshake.forbidden" })
    : skipped({ id: "handshake.silent_agent" }, "svc.running");
}

/** Failures of a bridge that has answered all the same; and one that has answered once, and now does not say hello, is silent. */
function hasAnswered({ hello, failure }: ProbedBridge): boolean {
  const { code = "", params = {} } = failure ?? {};
  if (code === "BRIDGE_PROTOCOL" || code === "BRIDGE_REFUSED_CALL") return true;
  const silent = code === "BRIDGE_FOREIGN_DATA" || code === "BRIDGE_ECHO" || params.method === "hello";
  return hello !== undefined && !silent;
}

export function judgeHandshake(spoken: ProbedBridge): Outcome {
  const { hello, helloMs, failure, path, by } = spoken;
  // Null: it has none. Left out: what it said was not understood, or nothing was said.
  const value = { ...(hello && { device_id: hello.deviceId ?? null }), hello_ms: helloMs, by, path };
  if (!hasAnswered(spoken)) {
    const { code } = failure ?? { code: "BRIDGE_TIMEOUT" };
    const told: Text | string = failure ?? "";
    return found(
      "fail",
      { id: "handshake.no_answer", params: { path: `${path}`, code, failure: told } },
      {
        value: { ...value, error: failure?.code, frames: spoken.frames },
        remedy: failure && remedyOf(failure),
      },
    );
  }
  const name = hello === undefined ? path : sanitizeUntrusted(hello.bridge, 60);
  if (helloMs === undefined) return found("pass", { id: "handshake.answers", params: { name } }, { value });
  const ms = Math.round(helloMs);
  return found(ms < SLOW_HELLO_MS ? "pass" : "warn", { id: "handshake.answers_in", params: { name, ms } }, { value });
}

export function judgeProtocol({ hello, failure }: ProbedBridge): Outcome {
  const [, major, minor] = /^(\d+)\.(\d+)$/.exec(hello?.protocol ?? "") ?? [];
  const unfit = failure?.code === "BRIDGE_PROTOCOL" || failure?.code === "BRIDGE_REFUSED_CALL";
  if (hello === undefined || Number(major) !== MAJOR || unfit) {
    const protocol = hello?.protocol ?? "?";
    const said: Text | string = failure ?? protocol;
    return found(
      "fail",
      { id: "handshake.other_protocol", params: { major: MAJOR, said } },
      {
        value: { error: failure?.code },
        ...(unfit && { remedy: remedyOf(failure) }),
      },
    );
  }
  const value = { protocol: hello.protocol };
  if (Number(minor) >= MINOR)
    return found("pass", { id: "handshake.protocol", params: { protocol: hello.protocol } }, { value });
  return found("warn", { id: "handshake.older_protocol", params: { protocol: hello.protocol } }, { value });
}

/** Noise that is over says so: an agent counts from its start, and a cable that was exchanged since is no failure any more. */
export function judgeFrames({ frames, earlier = {} }: Pick<ProbedBridge, "frames" | "earlier">): Outcome {
  const now = countOf(frames);
  const before = countOf(earlier);
  const value = { ...now, earlier: before };
  const status = statusOf(now);
  if (status !== "pass" || statusOf(before) === "pass")
    return found(status, { id: "handshake.frames", params: now }, { value });
  return found("warn", { id: "handshake.earlier_frames", params: before }, { value });
}

interface FrameCount {
  readonly bad: number;
  readonly total: number;
}

function countOf({ ok = 0, fcs = 0, short = 0, oversize = 0, aborted = 0 }: ProbedBridge["frames"]): FrameCount {
  const bad = fcs + short + oversize + aborted;
  return { bad, total: ok + bad };
}

function statusOf({ bad, total }: FrameCount): "pass" | "warn" | "fail" {
  const percent = total === 0 ? 0 : (bad / total) * 100;
  if (percent < SOME_BAD_FRAMES_PERCENT) return "pass";
  const telling = total >= TELLING_FRAMES || bad >= 3;
  return telling && percent >= BAD_FRAMES_PERCENT ? "fail" : "warn";
}

function judgeData(spoken: ProbedBridge, { loaded, trial }: Pick<DiagnoseContext, "loaded" | "trial">): Outcome {
  const { failure, rawDataMs, rawDataLength, hello } = spoken;
  if (failure !== undefined) return judgeFailure(failure);
  const deviceId = hello?.deviceId ?? loaded?.config.identity.deviceId;
  if (deviceId === undefined) {
    return found(
      "fail",
      { id: "identity.missing" },
      {
        value: { device_id: null },
        remedy: remedyOf({ code: "DEVICE_ID_MISSING" }),
      },
    );
  }
  const ms = Math.round(rawDataMs ?? 0);
  const untried = untriedIn(trial);
  const value = {
    ...{ device_id: deviceId, rawdata_length: rawDataLength, rawdata_ms: ms },
    ...(untried.length > 0 && { untried }),
  };
  return found(
    ms < SLOW_RAWDATA_MS ? "pass" : "warn",
    { id: "handshake.data", params: { device: deviceId, characters: rawDataLength ?? 0, ms } },
    { value },
  );
}

/** Keys of the line on trial that were not tried, since the agent at work has the line as its own configuration sets it. */
export function untriedIn(trial: DiagnoseContext["trial"]): readonly string[] {
  return trial?.holder.kind === "agent" ? trial.holder.untried : [];
}

function judgeFailure(failure: NonNullable<ProbedBridge["failure"]>): Outcome {
  const { code, params = {} } = failure;
  if (code === "SDK_NO_NETWORK") {
    return skipped({ id: "handshake.no_network" }, "net.link");
  }
  const { errCode, returnCode, status } = params;
  const value = { error: code, err_code: errCode, return_code: returnCode, native_status: status };
  return found(
    "fail",
    { id: "handshake.no_data", params: { failure } },
    {
      value,
      // Some failures of the SDK have a text of their own in the agent's table.
      remedy: remedies[code] ?? remedyOf(failure),
    },
  );
}

const remedies: Readonly<Record<string, Text>> = {
  BRIDGE_TIMEOUT: { id: "handshake.check_camera" },
};
