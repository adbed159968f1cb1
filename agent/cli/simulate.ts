import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { chooseLanguage } from "../common/language.ts";
import { runSimulation } from "../simulator/simulate.ts";
import type { CommandOptions } from "./options.ts";

/** `facepay-agent simulate`: the stand-ins alone, until SIGINT or SIGTERM. */
export async function simulate(options: CommandOptions): Promise<number> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  const directory = options.directory ?? (await mkdtemp(path.join(os.tmpdir(), "facepay-simulation-")));
  try {
    await runSimulation({
      directory,
      signal: stop.signal,
      print: (line) => process.stdout.write(`${line}\n`),
      lang: chooseLanguage(options.lang, process.env),
      gateway: options.gateway ?? false,
    });
  } finally {
    if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
  }
  return 0;
}
