import type { Text } from "../../messages/message.ts";
import { checkRemedy } from "../../messages/remedies/remedies.ts";
import type { AgentReading, Check, DiagnoseContext, Outcome } from "../check.ts";
import { agentPid, unitsReadingOf } from "../facts.ts";
import type { UnitProperties, Units } from "../host/units.ts";
import { needsSudo, notInstalled, systemdLate } from "../outcomes.ts";

const STEADY_MS = 60_000;
const DAY_MS = 86_400_000;
const MANY_RESTARTS = 5;

export function judgeEnabled({ service, sockets }: Units): Outcome {
  const states = [service, ...sockets].map(({ Id, UnitFileState }) => ({ id: Id ?? "", state: UnitFileState ?? "" }));
  const off = states.filter(({ state }) => state === "disabled" || state === "masked");
  const value = Object.fromEntries(states.map(({ id, state }) => [id, state]));
  const [first] = off;
  if (first === undefined) return { status: "pass", value, detail: { id: "service.started_at_boot" } };
  const detail: Text = { id: "service.unit_off", params: { id: first.id, state: first.state } };
  if (first.state !== "masked") return { status: "fail", value, detail };
  return {
    status: "fail",
    value,
    detail,
    remedy: { id: "service.unmask", params: { id: first.id } },
  };
}

/** `bootMs`: now, on the clock that systemd counts by. */
export function judgeRunning(service: UnitProperties, bootMs: number): Outcome {
  const { ActiveState: active = "", SubState: sub = "", Result: result = "", ExecMainStatus: code = "" } = service;
  const value = { active, sub, result, exit_status: Number(code) };
  if (active !== "active") {
    const state = active === sub ? active : `${active} ${sub}`;
    const failed = result !== "success" && result !== "";
    return {
      status: "fail",
      value,
      detail: failed
        ? { id: "service.failed", params: { state, result, code } }
        : { id: "service.stopped", params: { state } },
    };
  }
  const forMs = bootMs - Number(service.ActiveEnterTimestampMonotonic ?? 0) / 1_000;
  const seconds = Math.max(0, Math.round(forMs / 1_000));
  return {
    status: forMs >= STEADY_MS ? "pass" : "warn",
    value: { ...value, active_s: seconds },
    detail: { id: "service.running_for", params: { seconds } },
    remedy: { id: "service.look_again" },
  };
}

/** systemd counts since the last start by hand; a service that has been up for a day has none in 24 hours. */
export function judgeRestarts(service: UnitProperties, bootMs: number): Outcome {
  const restarts = Number(service.NRestarts ?? 0);
  const steady = bootMs - Number(service.ActiveEnterTimestampMonotonic ?? 0) / 1_000 >= DAY_MS;
  const status = restarts === 0 || steady ? "pass" : restarts < MANY_RESTARTS ? "warn" : "fail";
  return {
    status,
    value: restarts,
    detail: steady ? { id: "service.no_restart" } : { id: "service.restarts", params: { restarts } },
  };
}

/** Without a unit nothing is judged, only reported: the agent is run by hand, or not at all. */
export function withoutUnit(agent: AgentReading, socket: string, pid: number | undefined): Outcome {
  if (agent.kind === "forbidden") return needsSudo;
  const told: Text =
    agent.kind === "running"
      ? { id: "service.by_hand_running" }
      : pid === undefined
        ? { id: "service.by_hand_stopped" }
        : { id: "service.by_hand_silent", params: { pid, socket } };
  return { status: "skip", detail: told };
}

async function ofUnits(context: DiagnoseContext, judge: (units: Units) => Outcome): Promise<Outcome> {
  const reading = await unitsReadingOf(context);
  if (reading.kind === "late") return systemdLate;
  return reading.kind === "installed" ? judge(reading.units) : notInstalled;
}

const stopped: Text = { id: "service.no_directory" };

/** Damaged state does not prevent a start; a directory that cannot be used does. */
export function hasNoDirectory({ outcome }: Pick<DiagnoseContext, "outcome">): boolean {
  const kept = outcome("store.read");
  return kept?.status === "fail" && typeof kept.value === "object" && kept.value !== null && "directory" in kept.value;
}

export const serviceChecks: readonly Check[] = [
  {
    id: "svc.enabled",
    code: 104,
    section: "system",
    title: { id: "title.svc.enabled" },
    dependsOn: [],
    threshold: { fail: { id: "limit.svc.enabled.fail" } },
    remedy: checkRemedy("svc.enabled"),
    run: (context) => ofUnits(context, judgeEnabled),
  },
  {
    id: "svc.running",
    code: 105,
    section: "system",
    title: { id: "title.svc.running" },
    // What keeps it from starting is fixed first: specification 1, exit codes 75 and 78.
    dependsOn: ["svc.enabled", "cfg.valid", "key.file", "key.match"],
    after: ["store.read"],
    threshold: { warn: { id: "limit.svc.running.warn" }, fail: { id: "limit.svc.running.fail" } },
    remedy: checkRemedy("svc.running"),
    async run(context) {
      if (context.installed) {
        const outcome = await ofUnits(context, ({ service }) => judgeRunning(service, context.clock.boot()));
        return outcome.status === "fail" && hasNoDirectory(context)
          ? { status: "skip", because: "store.read", detail: stopped }
          : outcome;
      }
      return withoutUnit(context.agent, context.adminSocket, await agentPid(context));
    },
  },
  {
    id: "svc.restarts",
    code: 106,
    section: "system",
    title: { id: "title.svc.restarts" },
    dependsOn: ["svc.running"],
    threshold: { warn: { id: "limit.svc.restarts.warn" }, fail: { id: "limit.svc.restarts.fail" } },
    remedy: checkRemedy("svc.restarts"),
    run: (context) => ofUnits(context, ({ service }) => judgeRestarts(service, context.clock.boot())),
  },
];
