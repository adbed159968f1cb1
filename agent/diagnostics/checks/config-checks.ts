import { stat } from "node:fs/promises";
import path from "node:path";
import { distrustedOnTheWay } from "../../common/files/trust.ts";
import { leftoversIn } from "../../config/files/provision-leftovers.ts";
import { readSources } from "../../config/files/sources.ts";
import type { LoadResult } from "../../config/load.ts";
import type { Problem } from "../../config/problem.ts";
import { checkRemedy } from "../../messages/remedies/remedies.ts";
import { reloadCommand, setUpRemedy } from "../../messages/start-command.ts";
import { textOf } from "../../messages/text-of.ts";
import type { Check, DiagnoseContext, Outcome } from "../check.ts";
import { agentPid, configurationOf, hasNoConfiguration } from "../facts.ts";
import { accessOf, octal } from "../host/rights.ts";
import { distrusted, needsSudo, remedyOfProblem, withoutConfig } from "../outcomes.ts";

/** The main file and its drop-ins. */
async function configFiles(context: DiagnoseContext): Promise<string[]> {
  const main = path.resolve(context.configFile);
  const { texts } = readSources(main);
  return [...new Set([main, ...texts.map(({ file }) => file)])];
}

/** Pure: what reading and checking the file has come to. `running`: what the agent works with, where one answers. */
export function judgeConfiguration(
  found: LoadResult,
  remembered: boolean,
  running: RunningConfig | undefined,
): Outcome {
  if (found.kind === "absent") {
    return {
      status: "fail",
      value: { present: false },
      detail: { zh: `没有配置文件 ${found.file}`, en: `there is no configuration file ${found.file}` },
    };
  }
  if (found.kind === "invalid") return invalid(found.problems, remembered);
  if (running !== undefined && running.hash !== found.hash) {
    const { hash, reload } = running;
    const remedy = { zh: `请让服务重新读取配置：${reload}。`, en: `Make the agent read it again: ${reload}.` };
    const value = { hash: found.hash, running_hash: hash };
    // It serves nothing at all, and whatever else is asked of it will say so in other words.
    if (hash === null) {
      const detail = { zh: "配置有效，但服务还没有读取", en: "valid, but the running agent has not read it yet" };
      return { status: "fail", value, detail, remedy };
    }
    return {
      status: "warn",
      value,
      detail: {
        zh: "配置有效，但服务仍在使用先前的配置",
        en: "valid, but the agent still works with an earlier one",
      },
      remedy,
    };
  }
  const [first] = found.warnings;
  const value = { hash: found.hash, warnings: found.warnings.length };
  if (first === undefined) return { status: "pass", value, detail: { zh: "有效", en: "valid" } };
  return { status: "warn", value, detail: told(first), remedy: remedyOfProblem(first) };
}

function invalid(problems: readonly Problem[], remembered: boolean): Outcome {
  const [first] = problems;
  const others = problems.length - 1;
  const text = first === undefined ? { zh: "无效", en: "invalid" } : told(first);
  const more = others > 0 ? [`（另有 ${others} 处）`, ` (and ${others} more)`] : ["", ""];
  const kept = remembered ? ["；正在使用上一次有效的配置", "; the last valid one is in use"] : ["", ""];
  return {
    status: "fail",
    value: { problems: problems.map(({ key, origin }) => ({ key, origin })), remembered },
    detail: { zh: text.zh + more[0] + kept[0], en: text.en + more[1] + kept[1] },
    ...(first === undefined ? {} : { remedy: remedyOfProblem(first) }),
  };
}

const told = ({ key, origin, what }: Problem) => {
  const where = key === "" || key === origin ? origin : `${origin} ${key}`;
  return { zh: `${where}：${textOf(what).zh}`, en: `${where}: ${textOf(what).en}` };
};

interface RunningConfig {
  /** Null for an agent that has none. */
  readonly hash: string | null;
  /** The command that makes it read the file again. */
  readonly reload: string;
}

async function runningConfig(context: DiagnoseContext): Promise<RunningConfig | undefined> {
  const { agent } = context;
  if (agent.kind !== "running") return undefined;
  const { config } = agent.status;
  const hash = hasNoConfiguration(agent) ? null : config?.hash;
  if (typeof hash !== "string" && hash !== null) return undefined;
  return { hash, reload: reloadCommand(context, await agentPid(context)) };
}

/** Undefined when the service's user can read all of it. */
async function unreadable(context: DiagnoseContext): Promise<Outcome | undefined> {
  for (const file of await configFiles(context)) {
    const access = await accessOf(context.user, file, "r");
    if (access.kind === "unknown") return needsSudo;
    if (access.kind !== "denied") continue;
    const { at, mode } = access;
    const { name } = context.user;
    return {
      status: "fail",
      value: { file, at, mode },
      detail: {
        zh: `用户 ${name} 无法读取 ${file}（${at} 的权限是 ${mode}）`,
        en: `the user ${name} cannot read ${file} (mode ${mode} of ${at})`,
      },
      remedy: {
        zh: `请执行 chgrp ${name} ${at}，并 chmod g+r ${at}。`,
        en: `Run chgrp ${name} ${at}, and chmod g+r ${at}.`,
      },
    };
  }
  return undefined;
}

/** Whoever may read the directory may read what is in it, long after the key itself was exchanged. */
function leftOver(place: string): Outcome {
  return {
    status: "warn",
    value: { left: place },
    detail: {
      zh: `${place} 是中断的 provision 留下的，其中可能有密钥副本`,
      en: `${place} was left by a provision that was killed, and may hold a copy of a key`,
    },
    remedy: { zh: `请删除：rm -r ${place}。`, en: `Remove it: rm -r ${place}.` },
  };
}

export function judgePermissions(
  file: string,
  { mode, uid }: { readonly mode: number; readonly uid: number },
): Outcome & { status: "pass" | "warn" } {
  const octalMode = octal(mode);
  const value = { file, mode: octalMode, uid };
  if ((mode & 0o004) !== 0) {
    return {
      status: "warn",
      value,
      detail: { zh: `${file} 的权限是 ${octalMode}`, en: `${file} has mode ${octalMode}` },
      remedy: { zh: `请执行 chmod 0640 ${file}。`, en: `Run chmod 0640 ${file}.` },
    };
  }
  return { status: "pass", value, detail: { zh: octalMode, en: octalMode } };
}

/** Where drop-ins and sockets lie; of the state store.read tells. */
function otherPlaces({ configFile, loaded }: DiagnoseContext): string[] {
  const { api } = loaded?.config ?? {};
  const sockets = [api?.socket, api?.adminSocket].filter((socket) => socket !== undefined);
  return [readSources(path.resolve(configFile)).dropIns, ...sockets.map((socket) => path.dirname(socket))];
}

const gravity = { pass: 0, warn: 1 } as const;

export const configChecks: readonly Check[] = [
  {
    id: "cfg.valid",
    code: 301,
    section: "config",
    title: { zh: "配置文件", en: "Configuration" },
    dependsOn: [],
    threshold: {
      warn: "valid with a remark, or an earlier one is still in force",
      fail: "absent, unreadable or invalid (file:line), or not read yet by an agent that runs without one",
    },
    remedy: checkRemedy("cfg.valid"),
    async run(context) {
      const blind = !context.privileged && readSources(path.resolve(context.configFile)).problems.length > 0;
      // Whoever asks is judged in place of the service's user only where that one is not known.
      if (blind && context.user.uid === process.geteuid?.()) return needsSudo;
      const barred = await unreadable(context);
      if (barred !== undefined) return barred;
      const found = await configurationOf(context);
      if (blind) return needsSudo;
      const outcome = judgeConfiguration(found, context.loaded !== undefined, await runningConfig(context));
      return found.kind === "absent" ? { ...outcome, remedy: setUpRemedy(context, false) } : outcome;
    },
  },
  {
    id: "cfg.perms",
    code: 302,
    section: "config",
    title: { zh: "配置权限", en: "Configuration's mode" },
    dependsOn: [],
    threshold: { warn: "readable by everyone", fail: "writable by others, or of another owner" },
    remedy: checkRemedy("cfg.perms"),
    async run(context) {
      const [left] = await leftoversIn(path.dirname(path.resolve(context.configFile)));
      if (left !== undefined) return leftOver(left);
      const files = await configFiles(context);
      const [first] = distrustedOnTheWay([...files, ...otherPlaces(context)], context.user.uid);
      if (first !== undefined) return distrusted(first);
      const judged = await Promise.all(
        files.map(async (file) => {
          const found = await stat(file).catch(() => undefined);
          return found === undefined ? [] : [judgePermissions(file, found)];
        }),
      );
      const [worst] = judged.flat().toSorted((a, b) => gravity[b.status] - gravity[a.status]);
      return worst ?? { status: "skip", because: "cfg.valid", detail: { zh: "没有配置文件", en: "there is no file" } };
    },
  },
  {
    id: "cfg.mode",
    standing: true,
    code: 303,
    section: "config",
    title: { zh: "接入模式", en: "Mode" },
    dependsOn: [],
    threshold: { warn: "direct: the merchant's key is on this terminal" },
    remedy: checkRemedy("cfg.mode"),
    async run({ loaded }) {
      if (loaded === undefined) return withoutConfig();
      const { mode } = loaded.config.wechatpay;
      return mode === "gateway"
        ? { status: "pass", value: mode, detail: { zh: "网关模式", en: "gateway" } }
        : { status: "warn", value: mode, detail: { zh: "商户私钥在本终端（direct）", en: "direct: the key is here" } };
    },
  },
];
