import type { Text } from "../../messages/message.ts";
import { checkRemedy, remedyOf } from "../../messages/remedies/remedies.ts";
import type { Check, DiagnoseContext, Outcome } from "../check.ts";
import { asOf, withoutConfig } from "../outcomes.ts";

export const identityCheck: Check = {
  id: "cfg.identity",
  code: 308,
  section: "config",
  title: { id: "title.cfg.identity" },
  dependsOn: [],
  after: ["ser.handshake"],

  threshold: { fail: { id: "limit.cfg.identity.fail" } },
  remedy: checkRemedy("cfg.identity"),
  async run(context) {
    const { loaded } = context;
    if (loaded === undefined) return withoutConfig();
    const device = bridgeDevice(context);
    // An agent that has refused the bridge for its device id is proof enough, whatever the handshake came to.
    const refused = identityRefused(context);
    if (refused === undefined && device === undefined && context.outcome("ser.handshake")?.status === "fail") {
      return {
        status: "skip",
        because: "ser.handshake",
        detail: { id: "identity.no_answer" },
      };
    }
    return refused ?? judgeIdentity(loaded.config.identity, device);
  },
};

function identityRefused({ agent }: DiagnoseContext): Outcome | undefined {
  if (agent.kind !== "running") return undefined;
  const { last_error: error } = agent.status;
  if (error?.code !== "DEVICE_ID_MISMATCH" && error?.code !== "DEVICE_ID_MISSING") return undefined;
  return asOf(error.since, {
    status: "fail",
    value: { code: error.code },
    detail: { id: "identity.failure", params: { failure: error } },
    ...remedyOfCode(error.code),
  });
}

/** As status and refresh say it. */
function remedyOfCode(code: "DEVICE_ID_MISMATCH" | "DEVICE_ID_MISSING"): { readonly remedy?: Text } {
  const remedy = remedyOf({ code });
  return remedy === undefined ? {} : { remedy };
}

/** The name that the bridge gives: a string, null when it gives none, undefined when it was not asked. */
function bridgeDevice({ agent, outcome }: DiagnoseContext): string | null | undefined {
  const asked = outcome("ser.handshake");
  const answered = asked?.status === "pass" || asked?.status === "warn";
  const value = answered ? asked.value : undefined;
  const { device_id: told } = (value ?? {}) as { device_id?: unknown };
  if (typeof told === "string" || told === null) return told;
  if (agent.kind !== "running") return undefined;
  const { bridge } = agent.status;
  if (bridge?.state !== "ready") return undefined;
  return typeof bridge.device_id === "string" ? bridge.device_id : null;
}

/** 设备SN and 机构ID are what technicians call device_id and organization_id. */
export function judgeIdentity(
  { deviceId, organizationId, subMchid }: { deviceId?: string; organizationId: string; subMchid: string },
  bridge: string | null | undefined,
): Outcome {
  const value = { device_id: bridge ?? deviceId ?? null, organization_id: organizationId, sub_mchid: subMchid };
  if (typeof bridge === "string" && deviceId !== undefined && bridge !== deviceId) {
    return {
      status: "fail",
      value: { ...value, configured_device_id: deviceId },
      detail: { id: "identity.differs", params: { bridge, configured: deviceId } },
      ...remedyOfCode("DEVICE_ID_MISMATCH"),
    };
  }
  const device = bridge ?? deviceId;
  if (device !== undefined) {
    return {
      status: "pass",
      value,
      detail: { id: "identity.known", params: { device, organization: organizationId } },
    };
  }
  if (bridge === undefined) {
    return {
      status: "skip",
      detail: { id: "identity.not_named_yet", params: { organization: organizationId } },
    };
  }
  return {
    status: "fail",
    value,
    detail: { id: "identity.missing" },
    ...remedyOfCode("DEVICE_ID_MISSING"),
  };
}
