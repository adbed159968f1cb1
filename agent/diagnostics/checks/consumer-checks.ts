import { askForText } from "../../api/admin-client.ts";
import { groupById, lookupGroup } from "../../common/files/group.ts";
import { checkRemedy } from "../../messages/remedies/remedies.ts";
import type { Check, DiagnoseContext, Outcome } from "../check.ts";
import { needsSudo, notRunning } from "../outcomes.ts";

const ASK_MS = 2_000;

/** Refusals that are not the cashier app's: the technician's own impatience. */
const NOT_THE_CASHIERS = new Set(["too_soon"]);

export function judgeClient(metrics: string): Outcome {
  const samples = (name: string) =>
    [...metrics.matchAll(new RegExp(`^${name}\\{(?:state|reason)="(\\w+)"\\} (\\d+)$`, "gm"))].map(
      ([, label = "", count]) => ({ label, count: Number(count) }),
    );
  const served = samples("facepay_authinfo_served_total").reduce((sum, { count }) => sum + count, 0);
  const refusals = samples("facepay_api_denied_total").filter(
    ({ label, count }) => count > 0 && !NOT_THE_CASHIERS.has(label),
  );
  const denied = refusals.reduce((sum, { count }) => sum + count, 0);
  const value = { served, denied };
  const reasons = refusals.map(({ label, count }) => `${label} ${count}`).join(", ");
  if (denied > 0) {
    return {
      status: served > 0 ? "warn" : "fail",
      value,
      detail: {
        zh: `有请求被拒绝：${reasons}；已提供 ${served} 次`,
        en: `requests were refused: ${reasons}; served ${served} times`,
      },
      remedy: {
        zh: "请按接口文档修改收银程序的请求（Host、方法、Content-Type）。",
        en: "Correct the cashier app's requests as documented (Host, method, Content-Type).",
      },
    };
  }
  return served > 0
    ? {
        status: "pass",
        value,
        detail: { zh: `收银程序已读取 ${served} 次`, en: `read by the cashier app: ${served}` },
      }
    : {
        status: "warn",
        value,
        detail: { zh: "启动以来收银程序未读取过", en: "no cashier app has asked since the start" },
      };
}

async function client({ agent, adminSocket, loaded }: DiagnoseContext): Promise<Outcome> {
  if (agent.kind === "forbidden") return needsSudo;
  if (agent.kind !== "running") return notRunning;
  const { status, text } = await askForText(adminSocket, "GET", "/metrics", ASK_MS);
  if (status !== 200) return { status: "skip", detail: { zh: "没有得到计数", en: "the counts cannot be had" } };
  const judged = judgeClient(text);
  const group = loaded?.config.api.socketGroup;
  const gid = group === undefined ? undefined : lookupGroup(group);
  const empty = gid !== undefined && groupById(gid)?.members.length === 0;
  if (judged.status !== "warn" || !empty || group === undefined) return judged;
  return {
    ...judged,
    detail: {
      zh: `${judged.detail.zh}；组 ${group} 中没有用户`,
      en: `${judged.detail.en}; the group ${group} has no member`,
    },
    remedy: {
      zh: `请执行 usermod -aG ${group} 收银程序用户。`,
      en: `Run usermod -aG ${group} CASHIER_USER, then restart the cashier app.`,
    },
  };
}

export const clientCheck: Check = {
  id: "api.client",
  code: 605,
  section: "store",
  title: { zh: "收银程序", en: "Cashier app" },
  dependsOn: ["api.selftest"],
  threshold: { warn: "has not asked since the start, or some requests refused", fail: "all requests refused" },
  remedy: checkRemedy("api.client"),
  run: client,
};

/** The agent's own word: only it may connect with the terminal's client id, for a second connection would end the first. */
async function telemetry({ agent, loaded }: DiagnoseContext): Promise<Outcome> {
  if (loaded?.config.telemetry === undefined) {
    return { status: "skip", detail: { zh: "没有配置 [telemetry]", en: "no [telemetry] in the configuration" } };
  }
  if (agent.kind === "forbidden") return needsSudo;
  if (agent.kind !== "running") return notRunning;
  const { host, port } = loaded.config.telemetry.broker;
  const down = agent.status.warnings?.find(({ code }) => code === "TELEMETRY_DOWN");
  const value = { broker: `${host}:${port}`, since: down?.since ?? null };
  return down === undefined
    ? { status: "pass", value, detail: { zh: `上报到 ${host}:${port}`, en: `reports to ${host}:${port}` } }
    : {
        status: "warn",
        value,
        detail: {
          zh: `自 ${down.since} 起无法上报到 ${host}:${port}`,
          en: `nothing is reported since ${down.since}: ${down.detail ?? ""}`,
        },
      };
}

export const telemetryCheck: Check = {
  id: "tel.broker",
  code: 607,
  section: "store",
  title: { zh: "状态上报", en: "Telemetry" },
  dependsOn: ["svc.running"],
  threshold: { warn: "the agent has not reached the broker for 5 min" },
  remedy: checkRemedy("tel.broker"),
  run: telemetry,
};
