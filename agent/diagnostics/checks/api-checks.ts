import { lstat } from "node:fs/promises";
import { AgentUnreachable, askForText } from "../../api/admin-client.ts";
import { isNotPermitted } from "../../common/errors.ts";
import { groupById, lookupGroup } from "../../common/files/group.ts";
import type { Text } from "../../messages/message.ts";
import { checkRemedy } from "../../messages/remedies/remedies.ts";
import type { Check, DiagnoseContext, Outcome } from "../check.ts";
import { agentPid, unitsOf } from "../facts.ts";
import { listenersOf } from "../host/exposure.ts";
import { octal } from "../host/rights.ts";
import { SOCKETS, type Units } from "../host/units.ts";
import { needsSudo, notRunning, skipped, systemdLate } from "../outcomes.ts";
import { clientCheck, telemetryCheck } from "./consumer-checks.ts";

const FAST_MS = 50;
const SLOW_MS = 500;
const ASK_MS = 1_500;
const ROUNDS = 3;
const DEFAULT_MODE = 0o660;

export interface SocketFile {
  readonly path: string;
  /** Undefined when there is nothing. */
  readonly found: { readonly isSocket: boolean; readonly mode: number; readonly gid: number } | undefined;
  readonly mode: number;
  readonly group: { readonly name: string; readonly gid: number | undefined } | undefined;
}

export function judgeSocket({ path, found, mode, group }: SocketFile): Outcome {
  if (found === undefined) {
    return { status: "fail", value: { path }, detail: { id: "api.missing", params: { path } } };
  }
  const has = octal(found.mode);
  const value = { path, mode: has, gid: found.gid };
  if (!found.isSocket) {
    return {
      status: "fail",
      value,
      detail: { id: "api.not_socket", params: { path } },
      remedy: { id: "api.remove", params: { path } },
    };
  }
  if (group !== undefined && found.gid !== group.gid) {
    const actual = groupById(found.gid)?.name ?? String(found.gid);
    return {
      status: "fail",
      value,
      detail: { id: "api.other_group", params: { path, actual, name: group.name } },
      remedy: { id: "api.set_group", params: { name: group.name, path } },
    };
  }
  const wanted = octal(mode);
  const less = mode & ~found.mode & 0o666;
  const more = found.mode & ~mode & 0o777;
  if (less === 0 && more === 0)
    return { status: "pass", value, detail: { id: "api.mode", params: { path, mode: has } } };
  return {
    // A cashier app that is shut out cannot take payments; a mode that lets too many in is less urgent.
    status: less !== 0 ? "fail" : "warn",
    value,
    detail: { id: "api.other_mode", params: { path, has, wanted } },
    remedy: { id: "api.set_mode", params: { wanted, path } },
  };
}

/** Mode and group that the unit gives a socket which systemd makes (specification 2: a configured path comes first). */
export function systemds(units: Units | undefined, id: string): Pick<SocketFile, "mode" | "group"> | undefined {
  const unit = units?.sockets.find(({ Id }) => Id === id);
  if (unit === undefined) return undefined;
  const { SocketGroup: name = "", SocketMode: mode = "" } = unit;
  return {
    mode: /^[0-7]{3,4}$/.test(mode) ? Number.parseInt(mode, 8) : DEFAULT_MODE,
    group: name === "" ? undefined : { name, gid: lookupGroup(name) },
  };
}

/** The sockets have to be there when a unit keeps them, or an agent runs that should have made them. */
async function sockets(context: DiagnoseContext): Promise<Outcome> {
  const { agent, installed, adminSocket } = context;
  const pid = await agentPid(context);
  if (!installed && agent.kind === "absent" && pid === undefined) return notRunning;
  const api = context.loaded?.config.api;
  const units = await unitsOf(context);
  // What modes they are to have stands in the units.
  if (installed && units === undefined) return systemdLate;
  const group = (name: string | undefined) => (name === undefined ? undefined : { name, gid: lookupGroup(name) });
  const files = [
    {
      path: context.apiSocket,
      ...((api?.socket === undefined ? systemds(units, SOCKETS[0]) : undefined) ?? {
        mode: api?.socketMode ?? DEFAULT_MODE,
        group: group(api?.socketGroup),
      }),
    },
    {
      path: context.adminSocket,
      ...((api?.adminSocket === undefined ? systemds(units, SOCKETS[1]) : undefined) ?? {
        mode: api?.adminSocketMode ?? DEFAULT_MODE,
        group: group(api?.adminSocketGroup),
      }),
    },
  ];
  const judged = await Promise.all(
    files.map(async (file) => {
      const found = await lstat(file.path).catch((error: unknown) => (isNotPermitted(error) ? "hidden" : undefined));
      if (found === "hidden") return needsSudo;
      const seen = found && { isSocket: found.isSocket(), mode: found.mode, gid: found.gid };
      return judgeSocket({ ...file, found: seen });
    }),
  );
  for (const status of ["fail", "warn", "skip"] as const) {
    const bad = judged.find((outcome) => outcome.status === status);
    if (bad !== undefined) return bad;
  }
  if (agent.kind === "absent" || agent.kind === "silent") {
    return {
      status: "fail",
      value: { pid: pid ?? null, socket: adminSocket },
      detail:
        pid === undefined
          ? { id: "api.silent", params: { socket: adminSocket } }
          : { id: "api.silent_process", params: { pid, socket: adminSocket } },
    };
  }
  const both = files.map(({ path, mode }) => `${path} (${octal(mode)})`).join(", ");
  return { status: "pass", detail: { id: "plain", params: { text: both } } };
}

async function selftest({ apiSocket, agent, installed, clock }: DiagnoseContext): Promise<Outcome> {
  if (!installed && agent.kind === "absent") return notRunning;
  try {
    let status = 0;
    let ms = Number.POSITIVE_INFINITY;
    // The best of three: what is judged is the agent, not the moment.
    for (let round = 0; round < ROUNDS && ms >= FAST_MS; round++) {
      const startedAt = clock.boot();
      ({ status } = await askForText(apiSocket, "GET", "/livez", ASK_MS));
      ms = Math.min(ms, Math.round(clock.boot() - startedAt));
    }
    const detail: Text = { id: "api.answers", params: { status, ms } };
    const value = { status, ms };
    return { status: status !== 200 || ms >= SLOW_MS ? "fail" : ms >= FAST_MS ? "warn" : "pass", value, detail };
  } catch (error) {
    if (!(error instanceof AgentUnreachable)) throw error;
    if (error.reason === "forbidden") return needsSudo;
    const id = error.reason === "absent" ? "api.nobody_listens" : "api.no_answer";
    const detail: Text = { id, params: { socket: apiSocket } };
    return { status: "fail", value: error.reason, detail };
  }
}

const notFound = skipped({ id: "api.no_process" });

async function exposed(context: DiagnoseContext): Promise<Outcome> {
  const pid = await agentPid(context);
  // It holds no state whose lock would name it, or may not be looked at.
  if (pid === undefined) return context.agent.kind === "absent" ? notRunning : notFound;
  const found = await listenersOf(pid, [context.apiSocket, context.adminSocket]);
  if (found === undefined) return needsSudo;
  const [first] = found;
  if (first === undefined) return { status: "pass", detail: { id: "api.local_only" } };
  const who = `${first.name} (pid ${first.pid}) ${first.address}:${first.port}`;
  return {
    status: "fail",
    value: found,
    detail: { id: "api.exposed", params: { who } },
  };
}

export const apiChecks: readonly Check[] = [
  {
    id: "api.socket",
    code: 603,
    section: "store",
    title: { id: "title.api.socket" },
    dependsOn: ["svc.running", "cfg.valid"],
    threshold: { warn: { id: "limit.api.socket.warn" }, fail: { id: "limit.api.socket.fail" } },
    remedy: checkRemedy("api.socket"),
    run: sockets,
  },
  {
    id: "api.selftest",
    code: 604,
    section: "store",
    title: { id: "title.api.selftest" },
    dependsOn: ["api.socket"],
    threshold: { warn: { id: "limit.api.selftest.warn" }, fail: { id: "limit.api.selftest.fail" } },
    remedy: checkRemedy("api.selftest"),
    run: selftest,
  },
  clientCheck,
  {
    id: "api.exposed",
    code: 606,
    section: "store",
    title: { id: "title.api.exposed" },
    dependsOn: ["svc.running"],
    threshold: { fail: { id: "limit.api.exposed.fail" } },
    remedy: checkRemedy("api.exposed"),
    run: exposed,
  },
  telemetryCheck,
];
