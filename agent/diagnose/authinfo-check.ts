import { checkRemedy, remedyFor } from "../remedies.ts";
import type { Check, DiagnoseContext, Outcome } from "./check.ts";
import { found, skipped } from "./outcomes.ts";

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
  "net.proxy",
  "net.captive",
  "net.tls",
  "pay.reach",
  "time.offset",
  "pay.auth",
] as const;

interface Held {
  readonly state: string;
  readonly generation?: number;
  readonly remaining_s?: number;
  readonly obtained_at?: string;
  readonly failures?: number;
}

export const authinfoCheck: Check = {
  id: "pay.authinfo",
  code: 512,
  section: "network",
  title: { zh: "刷脸凭证 authinfo", en: "authinfo" },
  // Run after everything it could hang on, but not left out with it: whether the old one is still good is worth knowing.
  dependsOn: [],
  after: CAUSES,
  threshold: { warn: "a refresh is overdue", fail: "none or expired" },
  remedy: checkRemedy("pay.authinfo"),
  async run(context) {
    const { agent } = context;
    if (agent.kind === "absent") {
      return skipped(
        "服务没有运行，请先启动：systemctl start facepay-agent",
        "the agent is not running: systemctl start facepay-agent",
      );
    }
    if (agent.kind !== "running") return skipped("无法询问服务", "the agent cannot be asked");
    return judgeAuthinfo(agent.status, context);
  },
};

export function judgeAuthinfo(
  status: Readonly<Record<string, unknown>>,
  { outcome }: Pick<DiagnoseContext, "outcome">,
): Outcome {
  const { authinfo, last_error: last } = status as {
    authinfo: Held;
    last_error: { code: string; detail?: string } | null;
  };
  const { state, remaining_s: left = 0, failures = 0, generation = 0 } = authinfo;
  const value = { state, remaining_s: left, generation, failures };
  const cause = CAUSES.find((id) => outcome(id)?.status === "fail");
  const minutes = Math.floor(left / 60);
  const why = last === null ? "" : ` ${last.code} ${last.detail ?? ""}`.trimEnd();
  const remedy = last === null ? undefined : remedyFor(last.code);
  switch (state) {
    case "fresh":
    case "due":
      if (failures === 0) return found("pass", `有效，剩余 ${minutes} 分钟`, `good for ${minutes} min`, { value });
      return found(
        "warn",
        `有效，剩余 ${minutes} 分钟，但更新已失败 ${failures} 次：${why}`,
        `good for ${minutes} min, but ${failures} refreshes have failed:${why}`,
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
          `没有可用的凭证（${state}），先处理 ${cause}`,
          `none to use (${state}): mend ${cause} first`,
          cause,
        );
      return found("fail", `没有可用的凭证（${state}）：${why}`, `none to use (${state}):${why}`, { value, remedy });
  }
}
