import { AgentUnreachable, askForText } from "../../api/admin-client.ts";
import { groupById, lookupGroup } from "../../common/files/group.ts";
import { localTime } from "../../common/local-time.ts";
import type { Text } from "../../messages/message.ts";
import { checkRemedy } from "../../messages/remedies/remedies.ts";
import { textById } from "../../messages/text-of.ts";
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
  const reasons = refusals.map(({ label, count }): Text => {
    return { id: "client.refused_count", params: { reason: textById(`denied.${label}`, label), count } };
  });
  if (denied > 0) {
    return {
      status: served > 0 ? "warn" : "fail",
      value,
      detail: { id: "client.refused", params: { reasons, served } },
      remedy: { id: "client.correct" },
    };
  }
  return served > 0
    ? {
        status: "pass",
        value,
        detail: { id: "client.served", params: { served } },
      }
    : {
        status: "warn",
        value,
        detail: { id: "client.never" },
      };
}

async function client({ agent, adminSocket, loaded }: DiagnoseContext): Promise<Outcome> {
  if (agent.kind === "forbidden") return needsSudo;
  if (agent.kind !== "running") return notRunning;
  // On a slow board the counts may come too late, which says nothing of the cashier app.
  const { status, text } = await askForText(adminSocket, "GET", "/metrics", ASK_MS).catch((error: unknown) => {
    if (error instanceof AgentUnreachable) return { status: 0, text: "" };
    throw error;
  });
  if (status !== 200) return { status: "skip", detail: { id: "client.no_counts" } };
  const judged = judgeClient(text);
  const group = loaded?.config.api.socketGroup;
  const gid = group === undefined ? undefined : lookupGroup(group);
  const empty = gid !== undefined && groupById(gid)?.members.length === 0;
  if (judged.status !== "warn" || !empty || group === undefined) return judged;
  return {
    ...judged,
    detail: { id: "client.group_empty", params: { detail: judged.detail, group } },
    remedy: { id: "client.join_group", params: { group } },
  };
}

export const clientCheck: Check = {
  id: "api.client",
  code: 605,
  section: "store",
  title: { id: "title.api.client" },
  dependsOn: ["api.selftest"],
  threshold: { warn: { id: "limit.api.client.warn" }, fail: { id: "limit.api.client.fail" } },
  remedy: checkRemedy("api.client"),
  run: client,
};

/** The agent's own word: only it may connect with the terminal's client id, for a second connection would end the first. */
async function telemetry({ agent, loaded }: DiagnoseContext): Promise<Outcome> {
  if (loaded?.config.telemetry === undefined) {
    return { status: "skip", detail: { id: "telemetry.none" } };
  }
  if (agent.kind === "forbidden") return needsSudo;
  if (agent.kind !== "running") return notRunning;
  const { host, port } = loaded.config.telemetry.broker;
  const down = agent.status.warnings?.find(({ code }) => code === "TELEMETRY_DOWN");
  const value = { broker: `${host}:${port}`, since: down?.since ?? null };
  return down === undefined
    ? { status: "pass", value, detail: { id: "telemetry.reports", params: { broker: `${host}:${port}` } } }
    : {
        status: "warn",
        value,
        detail: {
          id: "telemetry.down",
          params: { at: localTime(down.since), detail: down.detail ?? `${host}:${port}` },
        },
      };
}

export const telemetryCheck: Check = {
  id: "tel.broker",
  code: 607,
  section: "store",
  title: { id: "title.tel.broker" },
  dependsOn: ["svc.running"],
  threshold: { warn: { id: "limit.tel.broker.warn" } },
  remedy: checkRemedy("tel.broker"),
  run: telemetry,
};
