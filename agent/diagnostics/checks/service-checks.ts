import type { Bilingual } from "../../common/language.ts";
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
  if (first === undefined) return { status: "pass", value, detail: { zh: "开机自动启动", en: "started at boot" } };
  const detail = { zh: `${first.id} 是 ${first.state}`, en: `${first.id} is ${first.state}` };
  if (first.state !== "masked") return { status: "fail", value, detail };
  return {
    status: "fail",
    value,
    detail,
    remedy: { zh: `请先执行 systemctl unmask ${first.id}。`, en: `First run systemctl unmask ${first.id}.` },
  };
}

/** `bootMs`: now, on the clock that systemd counts by. */
export function judgeRunning(service: UnitProperties, bootMs: number): Outcome {
  const { ActiveState: active = "", SubState: sub = "", Result: result = "", ExecMainStatus: code = "" } = service;
  const value = { active, sub, result, exit_status: Number(code) };
  if (active !== "active") {
    const state = active === sub ? active : `${active} ${sub}`;
    const failed = result !== "success" && result !== "";
    const why = failed ? { zh: `，${result}，退出码 ${code}`, en: `, ${result}, exit ${code}` } : { zh: "", en: "" };
    return {
      status: "fail",
      value,
      detail: { zh: `服务没有运行（${state}${why.zh}）`, en: `the service does not run (${state}${why.en})` },
    };
  }
  const forMs = bootMs - Number(service.ActiveEnterTimestampMonotonic ?? 0) / 1_000;
  const seconds = Math.max(0, Math.round(forMs / 1_000));
  return {
    status: forMs >= STEADY_MS ? "pass" : "warn",
    value: { ...value, active_s: seconds },
    detail: { zh: `已运行 ${seconds} 秒`, en: `has been running for ${seconds} s` },
    remedy: { zh: "刚刚启动，请一分钟后再检查。", en: "It has just started; look again in a minute." },
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
    detail: steady
      ? { zh: "24 小时内没有重启", en: "no restart in 24 h" }
      : { zh: `自启动以来重启 ${restarts} 次`, en: `${restarts} restart(s) since it was started` },
  };
}

/** Without a unit there is nothing to judge, only to tell: somebody runs the agent by hand, or nobody does. */
export function withoutUnit(agent: AgentReading, socket: string, pid: number | undefined): Outcome {
  if (agent.kind === "forbidden") return needsSudo;
  const told: Bilingual =
    agent.kind === "running"
      ? { zh: "未安装为系统服务；正在运行", en: "not installed as a service; it is running" }
      : pid === undefined
        ? { zh: "未安装为系统服务，也没有运行", en: "not installed as a service, and not running" }
        : {
            zh: `未安装为系统服务；进程 ${pid} 在运行，但 ${socket} 无应答`,
            en: `not installed as a service; process ${pid} runs, but ${socket} does not answer`,
          };
  return { status: "skip", detail: told };
}

async function ofUnits(context: DiagnoseContext, judge: (units: Units) => Outcome): Promise<Outcome> {
  const reading = await unitsReadingOf(context);
  if (reading.kind === "late") return systemdLate;
  return reading.kind === "installed" ? judge(reading.units) : notInstalled;
}

const stopped: Bilingual = { zh: "数据目录不可用，服务无法启动", en: "it cannot start without its state directory" };

/** Damaged state keeps nobody from starting; a directory that cannot be used does. */
export function hasNoDirectory({ outcome }: Pick<DiagnoseContext, "outcome">): boolean {
  const kept = outcome("store.read");
  return kept?.status === "fail" && typeof kept.value === "object" && kept.value !== null && "directory" in kept.value;
}

export const serviceChecks: readonly Check[] = [
  {
    id: "svc.enabled",
    code: 104,
    section: "system",
    title: { zh: "开机启动", en: "Start at boot" },
    dependsOn: [],
    threshold: { fail: "service or socket unit disabled" },
    remedy: checkRemedy("svc.enabled"),
    run: (context) => ofUnits(context, judgeEnabled),
  },
  {
    id: "svc.running",
    code: 105,
    section: "system",
    title: { zh: "服务运行", en: "Service" },
    // What keeps it from starting is fixed first: specification 1, exit codes 75 and 78.
    dependsOn: ["svc.enabled", "cfg.valid", "key.file", "key.match"],
    after: ["store.read"],
    threshold: { warn: "active < 60 s", fail: "not active" },
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
    title: { zh: "服务重启", en: "Restarts" },
    dependsOn: ["svc.running"],
    threshold: { warn: "1 to 4 in 24 h", fail: ">= 5" },
    remedy: checkRemedy("svc.restarts"),
    run: (context) => ofUnits(context, ({ service }) => judgeRestarts(service, context.clock.boot())),
  },
];
