import { mkdir, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { systemClock } from "../common/clock.ts";
import { lookupGroup } from "../common/files/group.ts";
import { chooseLanguage, say } from "../common/language.ts";
import { userOfUnit } from "../diagnostics/host/service-user.ts";
import { runSimulation } from "../simulator/simulate.ts";
import type { CommandOptions } from "./options.ts";

/** sysexits: EX_USAGE. */
const USAGE = 64;

async function ownerOf(user: string): Promise<{ readonly uid: number; readonly gid: number } | "unknown"> {
  return (await userOfUnit({ user, group: "", supplementaryGroups: [] }, lookupGroup)) ?? "unknown";
}

/** `facepay-agent simulate`: the simulators alone, until SIGINT or SIGTERM. */
export async function simulate(options: CommandOptions): Promise<number> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  const owner = options.user === undefined ? undefined : await ownerOf(options.user);
  if (owner === "unknown") {
    process.stderr.write(
      `--user: ${say({ zh: `没有用户 ${options.user}`, en: `there is no user ${options.user}` }, chooseLanguage(options.lang, process.env))}\n`,
    );
    return USAGE;
  }
  // What lies in /tmp the packaged service does not see (PrivateTmp).
  const parent = owner === undefined ? os.tmpdir() : "/run";
  const directory = options.directory ?? (await mkdtemp(path.join(parent, "facepay-simulation-")));
  try {
    if (options.state !== undefined) return await simulateState(options, directory, stop.signal);
    await runSimulation({
      directory,
      signal: stop.signal,
      print: (line) => process.stdout.write(`${line}\n`),
      lang: chooseLanguage(options.lang, process.env),
      gateway: options.gateway ?? false,
      ...(owner === undefined ? {} : { owner }),
    });
  } finally {
    if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
  }
  return 0;
}

/** `--state`: the cashier app's socket in one state, without any peer. */
async function simulateState(options: CommandOptions, directory: string, signal: AbortSignal): Promise<number> {
  const { isSimulatedState, serveSimulatedState, simulatedStates } = await import("./simulated-state.ts");
  const lang = chooseLanguage(options.lang, process.env);
  const print = (zh: string, en: string) => {
    if (lang !== "en") process.stdout.write(`${zh}\n`);
    if (lang !== "zh-CN") process.stdout.write(`${en}\n`);
  };
  const { state = "" } = options;
  if (!isSimulatedState(state)) {
    const states = simulatedStates.join(", ");
    process.stderr.write(lang === "zh-CN" ? `--state 可以是：${states}\n` : `--state is one of: ${states}\n`);
    return USAGE;
  }
  const ready = (socket: string) => {
    print(`收银程序的套接字：${socket}（状态 ${state}）`, `the cashier app's socket: ${socket} (state ${state})`);
    print("读取：", "read it:");
    process.stdout.write(`curl -s --unix-socket ${socket} http://localhost/v1/authinfo\n`);
    print("按 Ctrl-C 结束。", "Ctrl-C ends it.");
  };
  await mkdir(directory, { recursive: true });
  await serveSimulatedState({ state, directory, clock: systemClock(), signal, ready });
  return 0;
}
