import type { StatusDocument } from "../../api/status-document.ts";
import type { Text } from "../../messages/message.ts";
import { checkRemedy, failureIn, remedyOf } from "../../messages/remedies/remedies.ts";
import { startRemedy } from "../../messages/start-command.ts";
import { codedText, textById } from "../../messages/text-of.ts";
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
  "net.mtu",
  "pay.reach",
  "time.offset",
  "pay.auth",
] as const;

/** The checks that come before the one of a dead agent, so that it can be started once the first failure is fixed. */
const BEFORE_STARTING = ["key.match", "cert.expiry", "svc.running", "store.read", "store.write"] as const;

export const authinfoCheck: Check = {
  id: "pay.authinfo",
  code: 512,
  section: "network",
  title: { id: "title.pay.authinfo" },
  // Run after everything it could hang on, but not left out with it: whether the old one is still good is worth knowing.
  dependsOn: [],
  after: [...CAUSES, ...BEFORE_STARTING],
  threshold: { warn: { id: "limit.pay.authinfo.warn" }, fail: { id: "limit.pay.authinfo.fail" } },
  remedy: checkRemedy("pay.authinfo"),
  async run(context) {
    const { agent } = context;
    if (agent.kind === "absent") return judgeAbsence(context);
    if (agent.kind !== "running") return skipped({ id: "authinfo.unknown" });
    return judgeAuthinfo(agent.status, context);
  },
};

/**
 * Without a running agent the authinfo is not renewed, so the terminal stops taking money within its lifetime: a failure, unless another one is the reason. Without
 * an installed unit svc.running has no subject, and this is where it shows.
 */
function judgeAbsence(context: DiagnoseContext): Outcome {
  const { loaded, installed, configFile, outcome } = context;
  if (loaded === undefined) return withoutConfig();
  const cause =
    (["svc.enabled", "svc.running", "key.file", "key.match"] as const).find((id) => outcome(id)?.status === "fail") ??
    (hasNoDirectory(context) ? "store.read" : undefined);
  if (cause !== undefined) return skipped({ id: "authinfo.stopped_because", params: { cause } }, cause);
  return found(
    "fail",
    { id: "authinfo.stopped" },
    { value: { agent: "absent" }, remedy: startRemedy({ installed, configFile }) },
  );
}

export function judgeAuthinfo(status: Partial<StatusDocument>, { outcome }: Pick<DiagnoseContext, "outcome">): Outcome {
  const { authinfo = { state: "absent" }, last_error: last = null, wechatpay } = status;
  const { state, remaining_s: left = 0, failures = 0, generation = 0 } = authinfo;
  const value = { state, remaining_s: left, generation, failures };
  const cause = CAUSES.find((id) => outcome(id)?.status === "fail");
  const minutes = Math.floor(left / 60);
  const failure = last === null ? undefined : codedText(last);
  const remedy = last === null ? undefined : remedyOf(failureIn(last, wechatpay));
  switch (state) {
    case "fresh":
    case "due":
      if (failures === 0 || failure === undefined)
        return found("pass", { id: "authinfo.good", params: { minutes } }, { value });
      return found(
        "warn",
        { id: "authinfo.failing", params: { minutes, failures, failure } },
        {
          value,
          remedy,
        },
      );
    case "rejected":
      return found("warn", { id: "authinfo.rejected" }, { value, remedy });
    case "unprovisioned":
      return skipped({ id: "authinfo.unprovisioned" }, "cfg.valid");
    default: {
      const told = textById(`state.${state}`, state);
      if (cause !== undefined) return skipped({ id: "authinfo.none_because", params: { state: told, cause } }, cause);
      const detail: Text =
        failure === undefined
          ? { id: "authinfo.none", params: { state: told } }
          : { id: "authinfo.none_failing", params: { state: told, failure } };
      return found("fail", detail, { value, remedy });
    }
  }
}
