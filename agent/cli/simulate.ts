import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
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

/** `facepay-agent simulate`: the stand-ins alone, until SIGINT or SIGTERM. */
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
