import { stat } from "node:fs/promises";
import path from "node:path";
import { distrustedOnTheWay } from "../../common/files/trust.ts";
import { leftoversIn } from "../../config/files/provision-leftovers.ts";
import { readSources } from "../../config/files/sources.ts";
import type { LoadResult } from "../../config/load.ts";
import type { Problem } from "../../config/problem.ts";
import type { Text } from "../../messages/message.ts";
import { checkRemedy } from "../../messages/remedies/remedies.ts";
import { reloadCommand, setUpRemedy } from "../../messages/start-command.ts";
import type { Check, DiagnoseContext, Outcome } from "../check.ts";
import { agentPid, configurationOf, hasNoConfiguration } from "../facts.ts";
import { accessOf, octal } from "../host/rights.ts";
import { distrusted, needsSudo, withoutConfig } from "../outcomes.ts";

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
      detail: { id: "configuration.absent", params: { file: found.file } },
    };
  }
  if (found.kind === "invalid") return invalid(found.problems, remembered);
  if (running !== undefined && running.hash !== found.hash) {
    const { hash, reload } = running;
    const remedy: Text = { id: "configuration.reload", params: { command: reload } };
    const value = { hash: found.hash, running_hash: hash };
    // It serves nothing at all, and whatever else is asked of it will say so in other words.
    if (hash === null) {
      const detail: Text = { id: "configuration.not_loaded" };
      return { status: "fail", value, detail, remedy };
    }
    return {
      status: "warn",
      value,
      detail: { id: "configuration.earlier_in_force" },
      remedy,
    };
  }
  const [first] = found.warnings;
  const value = { hash: found.hash, warnings: found.warnings.length };
  if (first === undefined) return { status: "pass", value, detail: { id: "configuration.valid" } };
  return { status: "warn", value, detail: told(first), remedy: first.instead };
}

function invalid(problems: readonly Problem[], remembered: boolean): Outcome {
  const [first] = problems;
  const others = problems.length - 1;
  const text: Text = first === undefined ? { id: "configuration.invalid" } : told(first);
  const problem: Text = others > 0 ? { id: "configuration.more", params: { problem: text, others } } : text;
  return {
    status: "fail",
    value: { problems: problems.map(({ key, origin }) => ({ key, origin })), remembered },
    detail: remembered ? { id: "configuration.last_valid_in_use", params: { problem } } : problem,
    ...(first === undefined ? {} : { remedy: first.instead }),
  };
}

const told = ({ key, origin, what }: Problem): Text => {
  const where = key === "" || key === origin ? origin : `${origin} ${key}`;
  return { id: "configuration.problem", params: { where, what } };
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
      detail: { id: "configuration.unreadable", params: { user: name, file, at, mode } },
      remedy: { id: "configuration.let_read", params: { user: name, at } },
    };
  }
  return undefined;
}

/** Users who may read the directory may read the files in it, long after the key itself was replaced. */
function leftOver(place: string): Outcome {
  return {
    status: "warn",
    value: { left: place },
    detail: { id: "configuration.left_over", params: { place } },
    remedy: { id: "configuration.remove_left_over", params: { place } },
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
      detail: { id: "configuration.mode", params: { file, mode: octalMode } },
      remedy: { id: "configuration.close", params: { file } },
    };
  }
  return { status: "pass", value, detail: { id: "plain", params: { text: octalMode } } };
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
    title: { id: "title.cfg.valid" },
    dependsOn: [],
    threshold: {
      warn: { id: "limit.cfg.valid.warn" },
      fail: { id: "limit.cfg.valid.fail" },
    },
    remedy: checkRemedy("cfg.valid"),
    async run(context) {
      const blind = !context.privileged && readSources(path.resolve(context.configFile)).problems.length > 0;
      // The calling user is judged in place of the service's user only where that one is not known.
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
    title: { id: "title.cfg.perms" },
    dependsOn: [],
    threshold: { warn: { id: "limit.cfg.perms.warn" }, fail: { id: "limit.cfg.perms.fail" } },
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
      return worst ?? { status: "skip", because: "cfg.valid", detail: { id: "configuration.no_file" } };
    },
  },
  {
    id: "cfg.mode",
    standing: true,
    code: 303,
    section: "config",
    title: { id: "title.cfg.mode" },
    dependsOn: [],
    threshold: { warn: { id: "limit.cfg.mode.warn" } },
    remedy: checkRemedy("cfg.mode"),
    async run({ loaded }) {
      if (loaded === undefined) return withoutConfig();
      const { mode } = loaded.config.wechatpay;
      return mode === "gateway"
        ? { status: "pass", value: mode, detail: { id: "configuration.gateway" } }
        : { status: "warn", value: mode, detail: { id: "configuration.direct" } };
    },
  },
];
