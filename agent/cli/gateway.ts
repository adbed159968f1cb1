import { systemClock } from "../common/clock.ts";
import { isAgentError } from "../common/errors.ts";
import { chooseLanguage, type Language } from "../common/language.ts";
import { writeStderr } from "../common/log/journal.ts";
import { createLog } from "../common/log/pino-log.ts";
import { systemRandom } from "../common/random.ts";
import { environmentProblems } from "../config/environment.ts";
import { exampleFile } from "../config/example-file.ts";
import type { Problem } from "../config/problem.ts";
import { type Gateway, openGateway } from "../gateway/gateway.ts";
import { loadGateway } from "../gateway/load.ts";
import { renderProblem, renderRefusal } from "../messages/problem-text.ts";
import { sayText } from "../messages/text-of.ts";
import { giveBackMemory, keepHeapSmall } from "./heap.ts";
import type { CommandOptions } from "./options.ts";

/** sysexits EX_CONFIG and EX_NOINPUT. */
const INVALID = 78;
const MISSING = 66;
const STDERR = 2;
/** The audit: one line for each request that a known terminal made within its limit. */
const AUDIT = new Set(["GATEWAY_REQUEST"]);

/** `facepay-agent gateway`: works until SIGTERM or SIGINT; SIGHUP reads everything anew. Resolves to the exit code. */
export async function gateway(options: CommandOptions): Promise<number> {
  const { env } = process;
  const { config: file, checkConfig = false } = options;
  const language = chooseLanguage(options.lang, env);
  const clock = systemClock();
  const unsafe = environmentProblems(env, process.execArgv);
  if (unsafe.length > 0) return refuse(unsafe, undefined, language);
  const read = await loadGateway(file, { env, wallMs: clock.wall() });
  if (read.kind === "absent") {
    const example = exampleFile("gateway.example.toml");
    process.stderr.write(`${sayText({ id: "gateway.no_file", params: { file, example } }, language)}
`);
    return MISSING;
  }
  for (const warning of read.kind === "ok" ? read.warnings : []) {
    writeStderr(`${renderProblem(warning, language)}\n`, "warn");
  }
  if (read.kind === "invalid") return refuse(read.problems, file, language);
  if (checkConfig) {
    const devices = read.loaded.register.size;
    process.stdout.write(`${file}: ${sayText({ id: "config.gateway_valid", params: { devices } }, language)}
`);
    return 0;
  }
  return await serve(file, read.loaded);
}

async function serve(file: string, loaded: Parameters<typeof openGateway>[1]): Promise<number> {
  const { env } = process;
  const clock = systemClock();
  const log = createLog(loaded.config.logLevel, clock, STDERR, { unlimited: AUDIT, busy: true });
  const stopped = Promise.withResolvers<void>();
  const ending = new AbortController();
  let running: Gateway | undefined;
  let early = false;
  const onStop = () => stopped.resolve();
  const onReload = () => {
    if (running === undefined) early = true;
    else void running.reload();
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, onStop);
  process.on("SIGHUP", onReload);
  try {
    running = await openGateway({ file, env, clock, random: systemRandom, log }, loaded);
    await log.flush();
    if (early) onReload();
    keepHeapSmall();
    void giveBackMemory(clock, ending.signal);
    await stopped.promise;
    log.info("GATEWAY_STOPPING");
    await running.close();
    return 0;
  } catch (error) {
    if (!isAgentError(error)) throw error;
    log.error(error.code, { error });
    return INVALID;
  } finally {
    ending.abort("the gateway has ended");
    await log.flush();
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.off(signal, onStop);
    process.off("SIGHUP", onReload);
  }
}

function refuse(problems: readonly Problem[], where: string | undefined, language: Language): number {
  writeStderr(`facepay-agent gateway: ${renderRefusal(where, problems, language)}`);
  return INVALID;
}
