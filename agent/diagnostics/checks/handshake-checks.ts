import type { Bilingual } from "../../common/language.ts";
import { sanitizeUntrusted } from "../../common/log/sanitize-untrusted.ts";
import { failureText } from "../../messages/failure-text.ts";
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
      title: { zh: "刷脸模组应答", en: "Bridge answers" },
      dependsOn: ["ser.unique", "ser.perm", "ser.busy"],
      threshold: { warn: ">= 1 s", fail: "no answer within 5 s" },
      remedy: checkRemedy("ser.handshake"),
      run: judged(judgeHandshake),
    },
    {
      ...common,
      id: "ser.protocol",
      code: 407,
      title: { zh: "刷脸模组协议", en: "Bridge protocol" },
      dependsOn: ["ser.handshake"],
      threshold: { warn: "older minor version", fail: "another major version" },
      remedy: checkRemedy("ser.protocol"),
      run: judged(judgeProtocol),
    },
    {
      ...common,
      id: "ser.crc",
      code: 408,
      title: { zh: "线路质量", en: "Line quality" },
      dependsOn: ["ser.handshake"],
      threshold: { warn: ">= 0.01 % bad frames", fail: ">= 1 % bad frames" },
      remedy: checkRemedy("ser.crc"),
      run: judged(judgeFrames),
    },
    {
      ...common,
      id: "ser.device_data",
      code: 409,
      title: { zh: "SDK 数据", en: "SDK data" },
      dependsOn: ["ser.protocol"],
      threshold: { warn: ">= 3 s", fail: "none or invalid" },
      remedy: checkRemedy("ser.device_data"),
      run: judged(judgeData),
    },
  ];
}

/** The line is free, but will not be in the moment in which the agent reads its configuration. */
const notReadYet = skipped("服务还没有读取配置", "the agent has not read its configuration yet", "cfg.valid");

function unasked(talk: BridgeProbe): Outcome | undefined {
  if (talk.kind === "spoken") return undefined;
  return talk.why === "forbidden"
    ? skipped("没有权限询问服务，请用 sudo", "this user may not ask the agent: use sudo")
    : skipped("服务没有应答，串口仍归它使用", "the agent does not answer, and the line is its own", "svc.running");
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
    const told = failure === undefined ? { zh: "", en: "" } : failureText(failure);
    const words = [
      `${path} 没有刷脸模组应答（${code}）：${told.zh}`,
      `no bridge answers on ${path} (${code}): ${told.en}`,
    ] as const;
    return found("fail", ...words, {
      value: { ...value, error: failure?.code, frames: spoken.frames },
      remedy: failure && remedyOf(failure),
    });
  }
  const name = hello === undefined ? path : sanitizeUntrusted(hello.bridge, 60);
  if (helloMs === undefined) return found("pass", `${name} 有应答`, `${name} answers`, { value });
  const ms = Math.round(helloMs);
  return found(ms < SLOW_HELLO_MS ? "pass" : "warn", `${name}，${ms} ms`, `${name}, ${ms} ms`, { value });
}

export function judgeProtocol({ hello, failure }: ProbedBridge): Outcome {
  const [, major, minor] = /^(\d+)\.(\d+)$/.exec(hello?.protocol ?? "") ?? [];
  const unfit = failure?.code === "BRIDGE_PROTOCOL" || failure?.code === "BRIDGE_REFUSED_CALL";
  if (hello === undefined || Number(major) !== MAJOR || unfit) {
    const protocol = hello?.protocol ?? "?";
    const words = failure === undefined ? { zh: protocol, en: protocol } : failureText(failure);
    return found(
      "fail",
      `刷脸模组的应答不符合协议 ${MAJOR}：${words.zh}`,
      `the bridge does not speak protocol ${MAJOR}: ${words.en}`,
      {
        value: { error: failure?.code },
        ...(unfit && { remedy: remedyOf(failure) }),
      },
    );
  }
  const value = { protocol: hello.protocol };
  if (Number(minor) >= MINOR) return found("pass", `协议 ${hello.protocol}`, `protocol ${hello.protocol}`, { value });
  return found("warn", `协议 ${hello.protocol} 较旧`, `protocol ${hello.protocol} is an older one`, { value });
}

/** Noise that is over says so: an agent counts from its start, and a cable that was exchanged since is no failure any more. */
export function judgeFrames({ frames, earlier = {} }: Pick<ProbedBridge, "frames" | "earlier">): Outcome {
  const now = countOf(frames);
  const before = countOf(earlier);
  const value = { ...now, earlier: before };
  const status = statusOf(now);
  if (status !== "pass" || statusOf(before) === "pass")
    return found(status, `坏帧 ${now.bad} / ${now.total}`, `${now.bad} bad frames of ${now.total}`, { value });
  const { bad, total } = before;
  const zh = `服务启动以来坏帧 ${bad} / ${total}，目前没有`;
  return found("warn", zh, `${bad} bad frames of ${total} since the agent was started, none now`, { value });
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
      "刷脸模组没有给出设备SN（device_id），配置中也没有",
      "neither bridge nor configuration names a device_id",
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
    `设备SN device_id ${deviceId}，raw_data ${rawDataLength} 字符，${ms} ms`,
    `device_id ${deviceId}, raw_data of ${rawDataLength} characters, ${ms} ms`,
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
    return skipped(
      "刷脸 SDK 所在主板没有网络地址「ip address is null」：先处理网络",
      "the SDK's board has no network address (ip address is null): fix the network first",
      "net.link",
    );
  }
  const words = failureText(failure);
  const { errCode, returnCode, status } = params;
  const value = { error: code, err_code: errCode, return_code: returnCode, native_status: status };
  return found("fail", `刷脸 SDK 没有数据：${words.zh}`, `the face SDK gives no data: ${words.en}`, {
    value,
    // Some failures of the SDK have a text of their own in the agent's table.
    remedy: remedies[code] ?? remedyOf(failure),
  });
}

const remedies: Readonly<Record<string, Bilingual>> = {
  BRIDGE_TIMEOUT: {
    zh: "取数据时 SDK 不应答：请检查摄像头连接，然后将刷脸模组断电 10 秒。",
    en: "The SDK does not answer when asked for data: check the camera, then power-cycle the bridge for 10 s.",
  },
};
