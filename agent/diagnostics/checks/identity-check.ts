import type { Bilingual } from "../../common/language.ts";
import { failureText } from "../../messages/failure-text.ts";
import { checkRemedy, remedyOf } from "../../messages/remedies/remedies.ts";
import type { Check, DiagnoseContext, Outcome } from "../check.ts";
import { asOf, withoutConfig } from "../outcomes.ts";

export const identityCheck: Check = {
  id: "cfg.identity",
  code: 308,
  section: "config",
  title: { zh: "设备与机构", en: "Identity" },
  dependsOn: [],
  after: ["ser.handshake"],

  threshold: { fail: "no device id, or not the bridge's" },
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
        detail: { zh: "刷脸模组无应答", en: "the bridge does not answer" },
      };
    }
    return refused ?? judgeIdentity(loaded.config.identity, device);
  },
};

function identityRefused({ agent }: DiagnoseContext): Outcome | undefined {
  if (agent.kind !== "running") return undefined;
  const { last_error: error } = agent.status;
  if (error?.code !== "DEVICE_ID_MISMATCH" && error?.code !== "DEVICE_ID_MISSING") return undefined;
  const detail = failureText(error);
  return asOf(error.since, {
    status: "fail",
    value: { code: error.code },
    detail: { zh: `设备SN device_id：${detail.zh}`, en: `device_id (设备SN): ${detail.en}` },
    ...remedyOfCode(error.code),
  });
}

/** As status and refresh say it. */
function remedyOfCode(code: "DEVICE_ID_MISMATCH" | "DEVICE_ID_MISSING"): { readonly remedy?: Bilingual } {
  const remedy = remedyOf({ code });
  return remedy === undefined ? {} : { remedy };
}

/** What the bridge calls itself: a string, null when it names none, undefined when nobody has asked it. */
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
  const shop = {
    zh: `机构ID organization_id ${organizationId}`,
    en: `organization_id (机构ID) ${organizationId}`,
  };
  if (typeof bridge === "string" && deviceId !== undefined && bridge !== deviceId) {
    return {
      status: "fail",
      value: { ...value, configured_device_id: deviceId },
      detail: {
        zh: `设备SN device_id 不一致：硬件 ${bridge}，配置 ${deviceId}`,
        en: `device_id (设备SN) differs: the bridge says ${bridge}, the configuration ${deviceId}`,
      },
      ...remedyOfCode("DEVICE_ID_MISMATCH"),
    };
  }
  const device = bridge ?? deviceId;
  if (device !== undefined) {
    return {
      status: "pass",
      value,
      detail: { zh: `设备SN device_id ${device}，${shop.zh}`, en: `device_id (设备SN) ${device}, ${shop.en}` },
    };
  }
  if (bridge === undefined) {
    return {
      status: "skip",
      detail: {
        zh: `设备SN 由刷脸模组提供，尚未得知；${shop.zh}`,
        en: `the bridge has not named its device_id yet; ${shop.en}`,
      },
    };
  }
  return {
    status: "fail",
    value,
    detail: {
      zh: "刷脸模组和配置都没有设备SN device_id",
      en: "neither bridge nor configuration names a device_id (设备SN)",
    },
    ...remedyOfCode("DEVICE_ID_MISSING"),
  };
}
