import module from "node:module";
import path from "node:path";
import { isServed } from "../api/authinfo-document.ts";
import { type Clock, monotonicUs, systemClock } from "../common/clock.ts";
import { createClockSync, readBootId } from "../common/clock-sync.ts";
import { type AgentError, asAgentError, isAgentError } from "../common/errors.ts";
import { chooseLanguage, type Language } from "../common/language.ts";
import { writeStderr } from "../common/log/journal.ts";
import type { LogFields } from "../common/log/log.ts";
import { createLog, STDERR } from "../common/log/pino-log.ts";
import { type Random, systemRandom } from "../common/random.ts";
import { environmentProblems } from "../config/environment.ts";
import type { Problem } from "../config/problem.ts";
import { failureInEnglish } from "../messages/failure-text.ts";
import type { FileSinks } from "../runtime/file-sinks.ts";
import { loadConfiguration, remember } from "../runtime/load-configuration.ts";
import { type LocalApi, type LocalApiParts, openLocalApi } from "../runtime/local-api.ts";
import { createMetrics } from "../runtime/metrics/metrics.ts";
import { problemDetails } from "../runtime/problem-details.ts";
import { type Provision, Service } from "../runtime/service.ts";
import type { Notifier } from "../runtime/systemd/notifier.ts";
import type { TelemetryLink } from "../runtime/telemetry-link.ts";
import type { TerminalSystem } from "../runtime/terminal.ts";
import { prepareDirectory } from "../store/directory.ts";
import { type DirectoryLock, lockDirectory } from "../store/lock.ts";
import type { CommandOptions } from "./options.ts";
import { type Signals, stopSignals } from "./stop-signals.ts";

/** sysexits: specification 1. */
const LOCKED = 75;
const MISCONFIGURED = 78;
/** Callers that wait for the sockets are answered before the rest is loaded, which takes processor time. */
const SETTLE_MS = 50;

/** What `run` takes from the process and the system. What is left out is the real one. */
export interface Host {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly bootId?: string;
  /** The file whose presence says that the clock has been set. */
  readonly timesyncFlag?: string;
  readonly writeLog?: (line: string) => void;
  readonly signals?: Signals;
  readonly lockDirectory?: typeof lockDirectory;
  readonly openSocket?: NonNullable<LocalApiParts["open"]>;
  readonly system?: TerminalSystem;
  /** False where others live in this process: then its heap is not tuned, and nothing is cleared away around the configuration. */
  readonly ownProcess?: boolean;
}

/** `facepay-agent run`: works until SIGTERM or SIGINT. Resolves to the exit code. */
export async function run(options: CommandOptions, host: Host = {}): Promise<number> {
  const { env = process.env, clock = systemClock(), random = systemRandom, system = {}, ownProcess = true } = host;
  const language = chooseLanguage(options.lang, env);
  const unsafe = environmentProblems(env, process.execArgv);
  if (unsafe.length > 0) return await refuse(unsafe, undefined, language);
  const found = await loadConfiguration(options.config, env, clock.wall());
  if (found.kind === "invalid") return await refuse(found.problems, options.config, language);

  const level = "provision" in found ? found.provision.config.log.level : "info";
  let telemetry: TelemetryLink | undefined;
  const onEvent = (code: string, fields: LogFields) => telemetry?.event(code, fields);
  const write = host.writeLog === undefined ? {} : { write: host.writeLog };
  const log = createLog(level, clock, STDERR, { describe: failureInEnglish, onEvent, ...write });
  const bootId = host.bootId ?? readBootId(env, random);
  const clockSync = createClockSync(clock, bootId, host.timesyncFlag);
  const metrics = createMetrics();
  const service = new Service({ env, bootId, clock, clockSync, random, log, metrics, system });
  const renderMetrics = async () => {
    const { renderMetrics: render } = await import("../runtime/metrics/prometheus.ts");
    return await render(metrics.counts, service.metricSources());
  };
  /** On the socket besides what every process tells; in a text file that would collide with the node exporter's own. */
  const renderAllMetrics = async () => {
    const { renderProcessMetrics } = await import("../runtime/metrics/prometheus.ts");
    const runtime = service.provision?.config.metrics.runtime ?? false;
    return `${await renderMetrics()}\n${await renderProcessMetrics(runtime)}`;
  };
  const stop = stopSignals(host.signals ?? process);
  const open = host.openSocket === undefined ? {} : { open: host.openSocket };
  const apiParts = { service, metrics, renderMetrics: renderAllMetrics, env, clock, log, ...open };
  const memory = { log, random, ...(system.fileSystem ? { fileSystem: system.fileSystem } : {}) };
  const lockUp = async (directory: string): Promise<DirectoryLock> => {
    await (system.prepareDirectory ?? prepareDirectory)(directory);
    return await (host.lockDirectory ?? lockDirectory)(directory, { clock, random, log });
  };
  let lock: DirectoryLock | undefined;
  let api: LocalApi | undefined;
  let notifier: Notifier | undefined;
  let extras: FileSinks | undefined;
  const watch = new AbortController();
  let fixing = new AbortController();

  /** The optional files of the configuration in force, and its reports to the operator. */
  const startExtras = async ({ config, loaded: { named } }: Provision) => {
    if (extras === undefined) {
      const { FileSinks } = await import("../runtime/file-sinks.ts");
      const identity = () => service.provision?.config.identity;
      const { credentials } = service;
      const onTrouble: Service["sideTrouble"] = (code, reason) => service.sideTrouble(code, reason);
      extras = new FileSinks({ credentials, identity, renderMetrics, onTrouble, clock, log });
    }
    await extras.use(config);
    if (telemetry === undefined && config.telemetry !== undefined) {
      const { TelemetryLink } = await import("../runtime/telemetry-link.ts");
      telemetry = new TelemetryLink({
        ...{ service, metrics, env, bootId, clock, clockSync, random, log },
        file: options.config,
      });
    }
    await telemetry?.use(config, named);
  };

  /** Both sockets go to their new places; when they cannot be had there, they stay in the old ones, and the error is thrown. */
  const moveApi = async (to: LocalApi["config"]) => {
    if (!api || api.fits(to)) return;
    const { config: from } = api;
    await api.close();
    try {
      api = await openLocalApi(to, apiParts);
    } catch (error) {
      api = await openLocalApi(from, apiParts);
      throw error;
    }
  };

  /** The service manager, when one has started us, hears that we serve; all it needs is loaded only then. */
  const notify = async () => {
    if (env.NOTIFY_SOCKET === undefined) return undefined;
    const { notifyPlace } = await import("../runtime/systemd/notice.ts");
    const place = notifyPlace(env, process.pid);
    if (place === undefined) return undefined;
    const { startNotifier } = await import("../runtime/systemd/notifier.ts");
    const { credentials } = service;
    const apiSocket = () => api?.cashierPath;
    const live = () => service.live();
    return await startNotifier({ ...{ place, credentials, live, apiSocket, monotonicUs, language, clock, log } });
  };

  /** What was refused is looked at until it has changed: then the configuration is read anew, without anybody asking for it. */
  const awaitFix = async (provision?: Provision) => {
    const [{ watchFiles }, { placesOf }] = await Promise.all([
      import("../common/files/file-watch.ts"),
      import("../config/files/sources.ts"),
    ]);
    const signal = AbortSignal.any([watch.signal, fixing.signal]);
    const look = system.look === undefined ? {} : { look: system.look };
    const files = [...placesOf(options.config), ...(provision?.loaded.named.values() ?? [])];
    await watchFiles({ ...{ files, clock, signal }, ...look, onChange: async () => stop.reload() });
  };

  const refuseReload = (why: string, provision?: Provision) => {
    service.refuseReload(why);
    void awaitFix(provision);
  };

  const reload = async () => {
    fixing.abort();
    fixing = new AbortController();
    const again = await loadConfiguration(options.config, env, clock.wall());
    if (again.kind === "absent") return refuseReload(`${options.config} is missing`);
    if (again.kind !== "ready" || again.provision.source === "remembered") {
      const problems = again.kind === "ready" ? again.refused : again.problems;
      const why = (await problemDetails(problems)).join("\n");
      return refuseReload(why, "provision" in again ? again.provision : undefined);
    }
    const { provision } = again;
    const { directory } = provision.config.store;
    const before = service.provision;
    const moved = before?.config.store.directory !== directory;
    const newLock = moved || lock === undefined ? await lockUp(directory) : lock;
    const oldPlaces = api?.config;
    try {
      await moveApi(provision.config.api);
      await service.replace(provision, newLock);
    } catch (error) {
      if (newLock !== lock) await newLock.release();
      await moveApi(oldPlaces);
      return refuseReload(asAgentError(error).message);
    }
    if (newLock !== lock) await lock?.release();
    lock = newLock;
    log.setLevel(provision.config.log.level);
    await startExtras(provision);
    await remember(provision, memory);
  };

  try {
    if ("provision" in found) {
      const { config } = found.provision;
      lock = await lockUp(config.store.directory);
      const provided = service.provide(found.provision, lock);
      if (found.kind === "secrets_refused" && !(await servesWith(provided, service))) {
        return await refuse(found.problems, options.config, language);
      }
      await provided;
      api = await openLocalApi(config.api, apiParts);
    } else {
      log.warn("UNPROVISIONED", { file: options.config });
      api = await openLocalApi(found.api, apiParts);
    }
    log.info("SERVING", { sockets: api.paths });
    await clock.sleep(SETTLE_MS);
    if (ownProcess) (await import("./heap.ts")).keepHeapSmall();
    notifier = await notify();
    await log.flush();
    const { provision } = service;
    if (provision) await startExtras(provision);
    await service.start();
    if (ownProcess) void (await import("./heap.ts")).giveBackMemory(clock, watch.signal);
    void service.watch(watch.signal, {
      replaced: () => api?.replaced() ?? [],
      crowded: () => api?.crowded() ?? false,
    });
    if (ownProcess) {
      const { removeLeftovers } = await import("../config/files/provision-leftovers.ts");
      await removeLeftovers(path.dirname(path.resolve(options.config)));
    }
    if (found.kind === "secrets_refused" || provision?.source === "remembered") void awaitFix(provision);
    else if (provision?.source === "file") await remember(provision, memory);
    // Node itself would write it at the end, which a power cut leaves out.
    module.flushCompileCache();
    await stop.reloadingWith(async () => {
      try {
        await (notifier ? notifier.during(reload) : reload());
      } catch (error) {
        refuseReload(asAgentError(error).message);
      }
    });
    log.info("STOPPING");
    return 0;
  } catch (error) {
    if (!isAgentError(error)) throw error;
    log.error(error.code, { detail: error.message });
    const { failureReport } = await import("../messages/failure-report.ts");
    writeStderr(`facepay-agent: ${failureReport(error, language)}\n`);
    return exitCodeOf(error);
  } finally {
    await Promise.all([extras?.end(), telemetry?.end()]);
    watch.abort();
    await notifier?.stop();
    await api?.close();
    await service.close();
    await lock?.release();
    await log.flush();
    stop.release();
  }
}

/** Whether there is anything to serve without the secrets; also false when the key of the seal is one of those refused. */
async function servesWith(provided: Promise<void>, service: Service): Promise<boolean> {
  try {
    await provided;
    return isServed(service.credentials.view().state);
  } catch (error) {
    if (isAgentError(error, "KEY_FILE")) return false;
    throw error;
  }
}

/** What can only be fixed by a person is a matter of configuration; another instance is worth waiting for. */
function exitCodeOf({ code }: AgentError): number {
  return code === "STORE_LOCKED" ? LOCKED : MISCONFIGURED;
}

async function refuse(problems: readonly Problem[], where: string | undefined, language: Language): Promise<number> {
  const { renderRefusal } = await import("../messages/problem-text.ts");
  writeStderr(`facepay-agent: ${renderRefusal(where, problems, language)}`);
  return MISCONFIGURED;
}
