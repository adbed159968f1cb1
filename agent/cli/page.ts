import { isIPv4 } from "node:net";
import { AgentUnreachable, askAgent } from "../api/admin-client.ts";
import type { HistoryDocument } from "../api/history-document.ts";
import { systemClock } from "../common/clock.ts";
import { errnoOf, errorText } from "../common/errors.ts";
import { chooseLanguage } from "../common/language.ts";
import { systemRandom } from "../common/random.ts";
import { version } from "../common/version.ts";
import { allChecks } from "../diagnostics/checks.ts";
import { leave } from "../diagnostics/force-exit.ts";
import { tryHost } from "../diagnostics/host/host.ts";
import type { Text } from "../messages/message.ts";
import { sayText } from "../messages/text-of.ts";
import { BackgroundAction } from "../page/background-action.ts";
import { openPage, type PageServer } from "../page/page-server.ts";
import type { Look } from "../page/page-view.ts";
import { setUpOf, unreachableText, whereaboutsOf, whereIsAdminSocket } from "./admin-socket.ts";
import { BUNDLE_MS, examine, understand } from "./diagnose.ts";
import type { PackagedOptions } from "./options.ts";
import { requestRefresh } from "./refresh.ts";
import { configDrift } from "./status/config-drift.ts";
import { readStatus } from "./status/read-status.ts";
import { statusRows } from "./status/status-view-model.ts";

/** sysexits EX_USAGE (specification 1). */
const USAGE = 64;
const LOOK_MS = 3_000;

type Examined = Awaited<ReturnType<typeof examine>>;

/** `facepay-agent page`: a page in the browser of this machine, until Ctrl-C or ten idle minutes. Works with the agent dead. */
export async function page(options: PackagedOptions): Promise<number> {
  const language = chooseLanguage(options.lang, process.env);
  const tell = (text: Text) => process.stderr.write(`${sayText(text, language)}\n`);
  const asked = options.listen ?? "";
  const place = loopbackOf(asked);
  if (place === undefined) {
    tell({ id: "page.not_loopback", params: { place: asked } });
    return USAGE;
  }
  const clock = systemClock();
  let examined: Examined | undefined;
  const could = (error: unknown): Text => ({ id: "diagnose.could_not_run", params: { error: errorText(error) } });
  const diagnose = new BackgroundAction(
    async () => {
      examined = await examineNow(options);
      return { good: true, text: { id: "page.diagnosed" } };
    },
    (error) => ({ good: false, text: could(error) }),
  );
  const refresh = new BackgroundAction(
    async () => await requestRefresh(await whereIsAdminSocket(options.config), options),
    (error) => ({ good: false, text: { id: "plain", params: { text: errorText(error) } } }),
  );
  let server: PageServer;
  try {
    server = await openPage(place, {
      language: language === "both" ? undefined : language === "en" ? "en" : "zh",
      view: async () => {
        const look = await lookAt(options, clock.wall());
        const { report } = examined ?? {};
        return { atWallMs: clock.wall(), version, look, report, refresh: refresh.now, diagnose: diagnose.now };
      },
      act: { refresh: () => refresh.start(), diagnose: () => diagnose.start() },
      bundle: async () => examined && (await bundleOf(examined)),
      failed: (error) => process.stderr.write(`${errorText(error)}\n`),
      clock,
      random: systemRandom,
    });
  } catch (error) {
    tell({ id: "page.cannot_listen", params: { place: asked, errno: errnoOf(error) } });
    return 1;
  }
  // The report is there when the technician has opened the link, and without an agent it is all there is.
  diagnose.start();
  process.stdout.write(`${sayText({ id: "page.open" }, language)}\n  ${server.link}\n`);
  const why = await Promise.race([server.ended, stopped()]);
  await server.close();
  if (why === "idle") tell({ id: "page.ended" });
  if (why === "void") tell({ id: "page.void" });
  const exit = why === "void" ? 1 : 0;
  leave(exit, true);
  return exit;
}

/** An address of this machine alone, and its port; undefined for any other, names included: whom they lead to is for others to say. */
export function loopbackOf(text: string): { host: string; port: number } | undefined {
  const [, v6, v4, digits] = /^(?:\[([0-9a-f:]+)\]|([0-9.]+)):(\d{1,5})$/i.exec(text) ?? [];
  const port = Number(digits);
  if (!(port <= 65_535)) return undefined;
  if (v4 !== undefined && isIPv4(v4) && v4.startsWith("127.")) return { host: v4, port };
  return v6 === "::1" ? { host: v6, port } : undefined;
}

/** What `status` shows, and what has been. */
async function lookAt(options: PackagedOptions, nowMs: number): Promise<Look> {
  const socket = await whereIsAdminSocket(options.config);
  try {
    const [status, history] = await Promise.all([
      readStatus(socket, LOOK_MS),
      // An older agent has none.
      askAgent(socket, "GET", "/v1/history", LOOK_MS).catch(() => undefined),
    ]);
    const [host, setUp, drift] = await Promise.all([
      tryHost(status.store?.directory),
      setUpOf(status, options),
      configDrift(status, options),
    ]);
    const facts = statusRows(status, host, nowMs, setUp, drift);
    const told = history?.status === 200 ? (history.body as unknown as HistoryDocument) : undefined;
    return { kind: "running", status, facts, setUp, history: told };
  } catch (error) {
    if (!(error instanceof AgentUnreachable)) throw error;
    const words = unreachableText(error.reason, await whereaboutsOf(options));
    const facts = [{ label: { id: "status.agent" }, value: { id: "plain", params: { text: socket } } }] as const;
    return { kind: "unreachable", words, facts };
  }
}

async function examineNow(options: PackagedOptions): Promise<Examined> {
  // Without a progress line: the console belongs to the link.
  const quiet = { ...options, json: true };
  const asked = understand(quiet, allChecks);
  if ("id" in asked) throw new TypeError(asked.id);
  return await examine(quiet, asked);
}

async function bundleOf({ report, context }: Examined) {
  const { BundleRefused, collectBundle } = await import("../diagnostics/report/bundle.ts");
  try {
    const { archive } = await collectBundle(report, context, AbortSignal.timeout(BUNDLE_MS));
    return { name: `facepay-${report.run_id}.tar.gz`, archive };
  } catch (error) {
    if (error instanceof BundleRefused) return { why: error.words };
    throw error;
  }
}

async function stopped(): Promise<"stopped"> {
  const { promise, resolve } = Promise.withResolvers<"stopped">();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve("stopped"));
  return await promise;
}
