import { execFile } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import type { Console } from "../../agent/diagnose/console.ts";
import type { Report, ReportedCheck } from "../../agent/diagnose/report.ts";
import { renderReport } from "../../agent/diagnose/text.ts";
import { AgentProcess, type Exit } from "./agent-process.ts";
import { openRig, type Rig, type RigOptions } from "./running-agent.ts";

export const execute = promisify(execFile);

export interface ShopOptions extends RigOptions {
  /** `dead`: it has worked and kept an authinfo, and was ended the polite way. */
  readonly agent: "running" | "dead";
}

/** What one run of diagnose came to. */
export interface Diagnosis {
  readonly exit: number | null;
  readonly ms: number;
  readonly report: Report;
  /** The first that has failed, in the order they ran. */
  readonly firstFailure: ReportedCheck | undefined;
  check(id: string): ReportedCheck;
  /** As it stands on a screen of 80 columns. */
  screen(language: Console["language"]): string;
}

/** China's time and no colours, so that a healthy terminal is one. */
const ENVIRONMENT = { TZ: "Asia/Shanghai" };

/**
 * A terminal in a temporary directory with stand-ins for its peers, an agent that runs or is dead, and the technician with
 * `facepay-agent diagnose` in front of it. A fault is made by whoever has the shop: in its files, its peers or its agent.
 */
export class Shop implements AsyncDisposable {
  readonly rig: Rig;
  readonly directory: string;
  readonly #remove: boolean;

  constructor(rig: Rig, directory: string, remove: boolean) {
    this.rig = rig;
    this.directory = directory;
    this.#remove = remove;
  }

  within(name: string): string {
    return path.join(this.directory, name);
  }

  /** `facepay-agent diagnose` as a process of its own. Nothing it says may hold a piece of a secret. */
  async run(
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<Exit & { stdout: string; stderr: string }> {
    const words = ["diagnose", "--config", this.within("config.toml"), ...args];
    await using technician = new AgentProcess(words, { env: { ...ENVIRONMENT, ...env } });
    const exit = await technician.exited;
    const { stdout, stderr } = technician;
    this.rig.saw(`diagnose ${args.join(" ")}`, stdout + stderr);
    return { ...exit, stdout, stderr };
  }

  async diagnose(args: readonly string[] = []): Promise<Diagnosis> {
    const startedAt = performance.now();
    const { code, stdout, stderr } = await this.run(["--json", ...args]);
    const ms = performance.now() - startedAt;
    if (stdout === "") throw new Error(`diagnose said nothing, exit ${code}: ${stderr}`);
    const report = JSON.parse(stdout) as Report;
    return {
      ...{ exit: code, ms, report },
      firstFailure: report.checks.find(({ status }) => status === "fail" || status === "crash"),
      check(id) {
        const found = report.checks.find((one) => one.id === id);
        if (found === undefined) throw new Error(`the report holds no ${id}`);
        return found;
      },
      screen: (language) => renderReport(report, { language, plain: false, colour: false, columns: 80 }),
    };
  }

  /** The same terminal once more, its agent dead: for a fault that must not meet the next one. Peers are shared. */
  async copy(): Promise<Shop> {
    const directory = await mkdtemp(path.join(os.tmpdir(), "facepay-shop-"));
    await cp(this.directory, directory, { recursive: true, preserveTimestamps: true, filter: isNoSocket });
    return new Shop(this.rig, directory, true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#remove) await rm(this.directory, { recursive: true, force: true });
    else await this.rig[Symbol.asyncDispose]();
  }
}

/** The bridge is named by its whole path, so that copies find it. */
export async function openShop({ agent, ...options }: ShopOptions): Promise<Shop> {
  const rig = await openRig(options);
  try {
    const place = rig.within(options.line === "serial" ? "ttyFACEPAY" : "bridge.sock");
    await rig.configure({ driver: { path: place } });
    await execute("chmod", ["0640", rig.configFile]);
    await rig.serve();
    // A cashier app that has asked: a terminal at work.
    await rig.get();
    if (agent === "dead") await rig.stop();
    return new Shop(rig, rig.directory, false);
  } catch (error) {
    await rig[Symbol.asyncDispose]();
    throw error;
  }
}

function isNoSocket(file: string): boolean {
  return !file.endsWith(".sock") && !file.endsWith("ttyFACEPAY");
}
