import type { AnyMessage, MessageId, Text } from "../../messages/message.ts";
import { reloadCommand, startCommand } from "../../messages/start-command.ts";
import type { AgentReading } from "../check.ts";
import { isBad, type Result } from "../engine.ts";

/** How the agent that is looked at is started, and whether it is. */
export interface AgentFacts {
  readonly agent: AgentReading["kind"];
  readonly installed: boolean;
  readonly configFile: string;
  readonly privileged: boolean;
  /** Of the agent, where it is known. */
  readonly pid?: number | undefined;
}

/** Failures whose own remedy starts the agent. */
const STARTING = new Set(["svc.enabled", "svc.running", "pay.authinfo"]);
/** Remedies after which the agent has read its configuration, provision included. */
const RELOADING: ReadonlySet<string> = new Set<MessageId>(["configuration.reload", "setup.reload", "setup.provision"]);
/** Remedies after which the configuration is another one; those of the tables say so themselves. */
const EDITING: ReadonlySet<string> = new Set<MessageId>([
  "line.write_path",
  "line.name_one",
  "line.other_device",
  "line.start_bridge",
  "directory.move",
]);

/** The last lines: what to do first, enough of the why to do it, and the commands. Pure. */
export function adviceOf(first: Result | undefined, results: readonly Result[], facts: AgentFacts): AnyMessage {
  const { agent, privileged } = facts;
  if (isBarred(privileged, agent)) {
    if (first === undefined) return { id: "advice.sudo" };
    const { code, id } = first.check;
    return { id: "advice.sudo_seen", params: { code, id, detail: first.detail } };
  }
  const advice = first !== undefined && results.some(isBad) ? fix(first, facts) : improve(first, results, facts);
  return privileged ? advice : { id: "advice.sudo_shows_rest", params: { advice } };
}

function fix({ check, detail, remedy, value }: Result, { agent, installed, configFile, pid }: AgentFacts): AnyMessage {
  const { code, id } = check;
  const commands: string[] = [];
  // Fixed is not started: whoever does only what this says has to end with an agent at work.
  if (agent === "absent" && !STARTING.has(id)) commands.push(startCommand({ installed, configFile }));
  if (agent === "running" && (id === "cfg.valid" ? !isReload(remedy) : isEdit(remedy))) {
    commands.push(reloadCommand({ installed }, pid));
  }
  if (isOld(value)) commands.push("facepay-agent refresh");
  commands.push(`facepay-agent diagnose --only ${id}`);
  return { id: "advice.first", params: { code, id, detail, remedy, commands } };
}

function improve(first: Result | undefined, results: readonly Result[], facts: AgentFacts): AnyMessage {
  const verdict = verdictOf(first, results, facts);
  if (first === undefined) return verdict;
  const { code, id } = first.check;
  return { id: "advice.improve", params: { verdict, code, id, remedy: first.remedy } };
}

function verdictOf(first: Result | undefined, results: readonly Result[], facts: AgentFacts): AnyMessage {
  if (facts.agent === "absent") return { id: "advice.start", params: { command: startCommand(facts) } };
  if (results.every(({ status }) => status === "skip")) return { id: "advice.nothing_checked" };
  return { id: first === undefined ? "advice.all_well" : "advice.no_failure" };
}

/** The agent has met it, and repeats it until it asks anew (`asOf`). */
function isOld(value: unknown): boolean {
  return typeof value === "object" && value !== null && "since" in value;
}

/** What only the service's user and root may look at is most of it: whatever is found without that is a guess. */
export function isBarred(privileged: boolean, agent: AgentReading["kind"]): boolean {
  return !privileged && agent === "forbidden";
}

function isEdit(remedy: Text): boolean {
  return "zh" in remedy ? remedy.edits === true : "id" in remedy && EDITING.has(remedy.id);
}

function isReload(remedy: Text): boolean {
  return "id" in remedy && RELOADING.has(remedy.id);
}
