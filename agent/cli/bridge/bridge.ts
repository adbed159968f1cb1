import path from "node:path";
import type { Duplex } from "node:stream";
import { Bridge } from "../../../drivers/bridge/bridge.ts";
import { isDeviceId, readIdFile, systemSerialNumber } from "../../../drivers/bridge/device-id.ts";
import { activeNetworkCard } from "../../../drivers/bridge/network-card.ts";
import { SdkProcess } from "../../../drivers/bridge/sdk-process.ts";
import { serveLine } from "../../../drivers/bridge/serve-line.ts";
import { servePort } from "../../../drivers/bridge/serve-port.ts";
import { createSocketListener } from "../../../drivers/bridge/serve-socket.ts";
import { newFrameCounters } from "../../../drivers/line/frame.ts";
import { serialStream } from "../../../drivers/line/serial-port.ts";
import { openSocket } from "../../api/sockets.ts";
import { systemClock } from "../../common/clock.ts";
import { type AgentError, asAgentError, isAgentError } from "../../common/errors.ts";
import { type Bilingual, chooseLanguage, say } from "../../common/language.ts";
import { writeStderr } from "../../common/log/journal.ts";
import type { Log } from "../../common/log/log.ts";
import { createLog, STDERR } from "../../common/log/pino-log.ts";
import { systemRandom } from "../../common/random.ts";
import { version } from "../../common/version.ts";
import { environmentProblems } from "../../config/environment.ts";
import { failureReport } from "../../messages/failure-report.ts";
import { failureInEnglish } from "../../messages/failure-text.ts";
import { renderProblem } from "../../messages/problem-text.ts";
import { remedyFor } from "../../messages/remedies/remedies.ts";
import { type BridgeOptions, type BridgeSettings, BridgeUsage, settingsOf } from "./bridge-options.ts";

/** sysexits: specification 1. */
const USAGE = 64;
const IN_USE = 75;
const MISCONFIGURED = 78;
const COUNT_EVERY_MS = 60_000;

const NO_DEVICE_ID: Bilingual = {
  zh: "本机没有可读取的序列号，请用 --device-id 或 --device-id-file 指定设备SN；否则由服务的配置提供。",
  en: "This board has no serial number that can be read; give --device-id or --device-id-file, or configure the agent with one.",
};

/** `facepay-agent bridge --library FILE (--port DEVICE | --socket PATH)`: serves the vendor's SDK until SIGTERM or SIGINT. */
export async function bridge(options: BridgeOptions): Promise<number> {
  const language = chooseLanguage(options.lang, process.env);
  const unsafe = environmentProblems(process.env, process.execArgv);
  if (unsafe.length > 0) {
    const list = unsafe.map((problem) => renderProblem(problem, language)).join("\n");
    writeStderr(`facepay-agent bridge: ${list}\n`);
    return MISCONFIGURED;
  }
  try {
    return await serve(options, settingsOf(options), deviceIdOf(options));
  } catch (error) {
    if (error instanceof BridgeUsage) {
      writeStderr(`facepay-agent bridge: ${say(error.words, language)}\n`);
      return error.exitCode;
    }
    if (!isAgentError(error)) throw error;
    writeStderr(`facepay-agent bridge: ${failureReport(error, language)}\n`);
    return error.code === "API_SOCKET" ? IN_USE : MISCONFIGURED;
  }
}

async function serve(options: BridgeOptions, settings: BridgeSettings, deviceId: string | undefined): Promise<number> {
  const { library, place, callTimeoutMs, initTimeoutMs } = settings;
  const clock = systemClock();
  const log = createLog("info", clock, STDERR, { describe: failureInEnglish });
  const stop = new AbortController();
  const onSignal = () => stop.abort(new Error("the bridge was stopped"));
  for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, onSignal);
  const { signal } = stop;

  const tell = problemTeller(log);
  const tellLine = problemTeller(log);
  const sdk = new SdkProcess({
    library,
    command: [process.execPath, ownLauncher(), "bridge-sdk"],
    showOutput: options.sdkOutput ?? false,
    loadTimeoutMs: initTimeoutMs,
    clock,
    random: systemRandom,
    onEnd: ({ code, params }, session) => log.warn("SDK_ENDED", { session, cause: code, params }),
  });
  const served = new Bridge({
    sdk,
    name: `facepay-bridge/${version}`,
    ...(deviceId !== undefined && { deviceId }),
    netId: () => netIdOf(options.netId),
    callTimeoutMs,
    initTimeoutMs,
    describe: failureInEnglish,
    onOutcome: tell,
  });
  const counters = newFrameCounters();
  const serveOne = (stream: Duplex, gone: AbortSignal) =>
    serveLine(stream, (payload, left) => served.answer(payload, left), counters, gone);
  const identity = { library, device_id: deviceId ?? null, net_id: netIdOf(options.netId) ?? null };
  log.info("BRIDGE_STARTING", { version, ...identity });
  if (deviceId === undefined) log.warn("DEVICE_ID_MISSING", { ...NO_DEVICE_ID });
  await log.flush();
  // Not waited for: the line is answered from the start, and tells what is wrong with the library.
  sdk.start().then(
    () => log.info("SDK_LOADED", { library, session: sdk.session }),
    (error: unknown) => signal.aborted || tell(asAgentError(error)),
  );
  const counting = countFrames(log, counters, clock, signal);
  try {
    if ("port" in place) {
      const open = serialStream(place.port, clock);
      const onOpened = (port: string) => {
        log.info("BRIDGE_SERVING", { port });
        tellLine(undefined);
      };
      await servePort(open, serveOne, { clock, random: systemRandom, onOpened, onProblem: tellLine }, signal);
    } else {
      const socket = await openSocket(createSocketListener(serveOne, signal), place.socket);
      log.info("BRIDGE_SERVING", { socket: place.socket.path });
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      await socket.close();
    }
    log.info("STOPPING");
    return 0;
  } finally {
    stop.abort(new Error("the bridge has ended"));
    await sdk.close();
    await counting;
    await log.flush();
    for (const name of ["SIGTERM", "SIGINT"] as const) process.off(name, onSignal);
  }
}

/** What fails again and again is told once, in both languages, and again only when something else fails or after it has worked. */
function problemTeller(log: Log): (problem: AgentError | undefined) => void {
  let told = "";
  return (problem) => {
    const { code = "", params } = problem ?? {};
    if (problem && code !== told) log.error(code, { cause: code, params, ...remedyFor(code) });
    told = code;
  };
}

/** What the line loses is told at most once a minute, and only when it has lost something. */
async function countFrames(
  log: Log,
  counters: ReturnType<typeof newFrameCounters>,
  clock: ReturnType<typeof systemClock>,
  signal: AbortSignal,
): Promise<void> {
  let told = 0;
  while (!signal.aborted) {
    await clock.sleep(COUNT_EVERY_MS, signal).catch(() => undefined);
    if (counters.dropped_octets > told) log.warn("BRIDGE_FRAMES_DROPPED", { ...counters });
    told = counters.dropped_octets;
  }
}

function deviceIdOf({ deviceId, deviceIdFile }: BridgeOptions): string | undefined {
  if (deviceIdFile === undefined) return deviceId ?? systemSerialNumber();
  const found = readIdFile(path.resolve(deviceIdFile));
  if (found !== undefined && isDeviceId(found)) return found;
  const zh =
    found === undefined ? `无法读取 ${deviceIdFile}` : `${deviceIdFile} 的内容不是设备号（1 至 32 个可打印字符）`;
  const en = found === undefined ? "cannot be read" : "does not hold 1 to 32 printable ASCII characters";
  throw new BridgeUsage({ zh, en: `${deviceIdFile} ${en}` }, MISCONFIGURED);
}

function netIdOf(wanted = "auto"): string | undefined {
  if (wanted === "auto") return activeNetworkCard();
  return wanted === "none" ? undefined : wanted;
}

/** This program itself, so that it also works from a bundle: its entry knows `bridge-sdk`. */
function ownLauncher(): string {
  const [, launcher] = process.argv;
  if (launcher === undefined) throw new BridgeUsage({ zh: "无法确定程序路径", en: "this program has no file" }, USAGE);
  return launcher;
}
