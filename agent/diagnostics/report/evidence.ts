import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { AgentUnreachable, askForText } from "../../api/admin-client.ts";
import { errorText, systemCode } from "../../common/errors.ts";
import { showConfigJson } from "../../config/show.ts";
import type { AnyMessage, Text } from "../../messages/message.ts";
import { textOf } from "../../messages/text-of.ts";
import type { DiagnoseContext } from "../check.ts";
import { configurationOf, stateDirectoryOf } from "../facts.ts";
import { runProgram } from "../host/program.ts";
import type { Report } from "./report.ts";

/** What goes into a bundle, before anything is dropped from it. */
export interface Evidence {
  readonly files: readonly { readonly name: string; readonly text: string }[];
  /** What could not be had, and why. */
  readonly missing: readonly { readonly name: string; readonly why: Text }[];
}

/** One source, with a deadline of its own. Throws Missing. */
type Source = (context: DiagnoseContext, signal: AbortSignal) => Promise<string>;

class Missing extends Error {
  override readonly name = "Missing";
  readonly why: AnyMessage;

  constructor(why: AnyMessage) {
    super(why.id);
    this.why = why;
  }
}

const SOURCE_MS = 4_000;
const JOURNAL_LINES = "2000";
const MOST_BYTES = 4 * 1024 * 1024;
const UNITS = ["facepay-agent.service", "facepay-agent.socket", "facepay-agent-admin.socket"];

const program =
  (name: string, ...args: readonly string[]): Source =>
  async (_context, signal) => {
    const result = await runProgram(name, args, { signal, mostBytes: MOST_BYTES });
    if (result.kind === "missing") throw new Missing({ id: "evidence.no_program", params: { name } });
    if (result.kind === "late") throw new Missing({ id: "evidence.late", params: { name, ms: SOURCE_MS } });
    if (result.stdout.trim() === "") {
      throw new Missing({ id: "evidence.no_output", params: { name, code: `${result.code}` } });
    }
    return result.stdout;
  };

const file =
  (name: string): Source =>
  async () =>
    await readFile(name, "utf8");

const fromAgent =
  (target: string): Source =>
  async ({ adminSocket }) => {
    try {
      return (await askForText(adminSocket, "GET", target, SOURCE_MS)).text;
    } catch (error) {
      if (error instanceof AgentUnreachable) {
        throw new Missing({ id: `evidence.agent_${error.reason}` });
      }
      throw error;
    }
  };

const ofUnit =
  (source: Source): Source =>
  async (context, signal) => {
    if (!context.installed) throw new Missing({ id: "turn.not_installed" });
    return await source(context, signal);
  };

const sources: Readonly<Record<string, Source>> = {
  "journal.jsonl": ofUnit(program("journalctl", "-u", "facepay-agent", "-n", JOURNAL_LINES, "-o", "cat", "--no-pager")),
  "config.json": readConfig,
  "units.txt": ofUnit(program("systemctl", "cat", "--no-pager", ...UNITS)),
  "systemctl-show.txt": ofUnit(program("systemctl", "show", "--no-pager", ...UNITS)),
  "lsusb.txt": program("lsusb"),
  "udevadm.txt": readUdev,
  "ip-addr.txt": program("ip", "addr"),
  "ip-route.txt": program("ip", "route", "show", "table", "all"),
  "resolv.conf": file("/etc/resolv.conf"),
  "timedatectl.txt": program("timedatectl"),
  "versions.json": readVersions,
  "status.json": fromAgent("/v1/status"),
  "history.json": fromAgent("/v1/history"),
  "metrics.prom": fromAgent("/metrics"),
  "store.json": readStore,
};

/** All sources at once, each within its deadline; what is not there is noted. Never rejects. */
export async function collectEvidence(
  context: DiagnoseContext,
  report: Report,
  signal: AbortSignal,
): Promise<Evidence> {
  const files = [{ name: "diagnose.json", text: json(report) }];
  const missing: { name: string; why: Text }[] = [];
  const collected = Object.entries(sources).map(async ([name, source]) => {
    try {
      return { name, text: await source(context, AbortSignal.any([signal, AbortSignal.timeout(SOURCE_MS)])) };
    } catch (error) {
      missing.push({ name, why: whyMissing(error) });
      return undefined;
    }
  });
  for (const each of await Promise.all(collected)) if (each !== undefined) files.push(each);
  return { files, missing };
}

function whyMissing(error: unknown): AnyMessage {
  if (error instanceof Missing) return error.why;
  const code = systemCode(error);
  if (code !== undefined) return { id: "plain", params: { text: code } };
  return { id: "evidence.error", params: { error: errorText(error) } };
}

/** The values in force without what might be a secret, and what is wrong with the file; never the file itself, in which a secret may stand by mistake. */
async function readConfig(context: DiagnoseContext): Promise<string> {
  const { loaded } = context;
  const present = await configurationOf(context);
  const shown = loaded === undefined ? null : showConfigJson(loaded);
  const problems =
    present.kind === "invalid"
      ? present.problems.map(({ key, origin, what }) => ({ key, origin, what: textOf(what).en }))
      : [];
  if (shown === null && problems.length === 0) throw new Missing({ id: "evidence.no_configuration" });
  return json({ file: context.configFile, kind: present.kind, in_force: shown, problems });
}

async function readUdev(context: DiagnoseContext, signal: AbortSignal): Promise<string> {
  const { type, path: device } = context.loaded?.config.driver ?? {};
  if (type !== "serial" || device === undefined) throw new Missing({ id: "evidence.no_serial_path" });
  return await program("udevadm", "info", "--query=all", `--name=${device}`)(context, signal);
}

async function readVersions({ clock }: DiagnoseContext): Promise<string> {
  const { default: own } = await import("../../../package.json", { with: { type: "json" } });
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  const kernel = await readFile("/proc/version", "utf8").catch(() => "");
  return json({
    agent: own.version,
    node: process.versions,
    arch: process.arch,
    kernel: kernel.trim(),
    os_release: release.split("\n").filter((line) => line !== ""),
    packages: own.dependencies,
    collected_at: new Date(clock.wall()).toISOString(),
    uptime_s: Math.floor(clock.boot() / 1_000),
  });
}

/** Names, sizes, rights and ages of what is kept; what stands in it stays there. */
async function readStore(context: DiagnoseContext): Promise<string> {
  const directory = stateDirectoryOf(context);
  const names = await readdir(directory).catch(() => {
    throw new Missing({ id: "evidence.no_directory", params: { directory } });
  });
  const files = await Promise.all(
    names.toSorted().map(async (name) => {
      const { size, mode, uid, gid, mtime } = await stat(path.join(directory, name));
      return { name, size, mode: (mode & 0o7777).toString(8), uid, gid, modified: mtime.toISOString() };
    }),
  );
  return json({ directory, files });
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
