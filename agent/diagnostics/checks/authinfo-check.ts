import type { StatusDocument } from "../../api/status-document.ts";
import { codeAndText } from "../../messages/failure-text.ts";
import { checkRemedy, failureIn, remedyOf } from "../../messages/remedies/remedies.ts";
import { startRemedy } from "../../messages/start-command.ts";
import { stateTexts } from "../../messages/state-words.ts";
import type { Check, DiagnoseContext, Outcome } from "../check.ts";
import { found, skipped, withoutConfig } from "../outcomes.ts";
import { hasNoDirectory } from "./service-checks.ts";

/** What may keep an authinfo from being renewed, in order of cause. */
const CAUSES = [
  "cfg.valid",
  "key.file",
  "ser.present",
  "ser.unique",
  "ser.perm",
  "ser.busy",
  "ser.handshake",
  "ser.protocol",
  "ser.device_data",
  "net.link",
  "net.dns",
  "net.dns_sane",
  "net.ipv6",
  "net.proxy",
  "net.captive",
  "net.tls",
  "pay.reach",
  "time.offset",
  "pay.auth",
] as const;

/** What a dead agent is looked at after, so that whoever fixes the first failure can start it. */
const BEFORE_STARTING = ["key.match", "cert.expiry", "svc.running", "store.read", "store.write"] as const;

export const authinfoCheck: Check = {
  id: "pay.authinfo",
  code: 512,
  section: "network",
  title: { zh: "刷脸凭证", en: "Authinfo" },
  // Run after everything it could hang on, but not left out with it: whether the old one is still good is worth knowing.
  dependsOn: [],
  after: [...CAUSES, ...BEFORE_STARTING],
  threshold: { warn: "a refresh is overdue", fail: "none or expired, or no agent that renews it" },
  remedy: checkRemedy("pay.authinfo"),
  async run(context) {
    const { agent } = context;
    if (agent.kind === "absent") return judgeAbsence(context);
    if (agent.kind !== "running") return skipped("无法询问服务", "the agent cannot be asked");
    return judgeAuthinfo(agent.status, context);
  },
};

const isState = (state: string): state is keyof typeof stateTexts => Object.hasOwn(stateTexts, state);

/**
 * Nobody renews the authinfo, so the terminal stops taking money within its lifetime: a failure, unless another one is the reason. Without
 * an installed unit svc.running has no subject, and this is where it shows.
 */
function judgeAbsence(context: DiagnoseContext): Outcome {
  const { loaded, installed, configFile, outcome } = context;
  if (loaded === undefined) return withoutConfig();
  const cause =
    (["svc.enabled", "svc.running", "key.file", "key.match"] as const).find((id) => outcome(id)?.status === "fail") ??
    (hasNoDirectory(context) ? "store.read" : undefined);
  if (cause !== undefined)
    return skipped(`服务没有运行，先处理 ${cause}`, `no agent is running: fix ${cause} first`, cause);
  return found(
    "fail",
    "服务没有运行：没有程序提供和更新刷脸凭证，将无法刷脸收款",
    "no agent is running: nobody serves or renews the authinfo, and face payments will stop",
    { value: { agent: "absent" }, remedy: startRemedy({ installed, configFile }) },
  );
}

export function judgeAuthinfo(status: Partial<StatusDocument>, { outcome }: Pick<DiagnoseContext, "outcome">): Outcome {
  const { authinfo = { state: "absent" }, last_error: last = null, wechatpay } = status;
  const { state, remaining_s: left = 0, failures = 0, generation = 0 } = authinfo;
  const value = { state, remaining_s: left, generation, failures };
  const cause = CAUSES.find((id) => outcome(id)?.status === "fail");
  const told = isState(state) && state !== "absent" ? stateTexts[state] : { zh: "还没有获取到", en: state };
  const minutes = Math.floor(left / 60);
  const why = last === null ? { zh: "", en: "" } : codeAndText(last);
  const remedy = last === null ? undefined : remedyOf(failureIn(last, wechatpay));
  switch (state) {
    case "fresh":
    case "due":
      if (failures === 0) return found("pass", `有效，剩余 ${minutes} 分钟`, `good for ${minutes} min`, { value });
      return found(
        "warn",
        `有效，剩余 ${minutes} 分钟，但更新已失败 ${failures} 次：${why.zh}`,
        `good for ${minutes} min, but ${failures} refreshes have failed: ${why.en}`,
        {
          value,
          remedy,
        },
      );
    case "rejected":
      return found("warn", "被刷脸 SDK 拒绝，正在更新", "rejected by the face SDK, being renewed", { value, remedy });
    case "unprovisioned":
      return skipped("尚未配置", "not configured yet", "cfg.valid");
    default:
      if (cause !== undefined)
        return skipped(
          `没有可用的凭证（${told.zh}），先处理 ${cause}`,
          `none to use (${state}): fix ${cause} first`,
          cause,
        );
      return found("fail", `没有可用的凭证（${told.zh}）：${why.zh}`, `none to use (${state}): ${why.en}`, {
        value,
        remedy,
      });
  }
}
