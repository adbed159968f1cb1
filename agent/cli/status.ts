import { AgentUnreachable } from "../api/admin-client.ts";
import { isUsable, type StatusDocument } from "../api/status-document.ts";
import { type Clock, systemClock } from "../common/clock.ts";
import { chooseLanguage } from "../common/language.ts";
import { NOT_RUNNING } from "../common/support/cause-numbers.ts";
import { encodeSupportCode, type SupportState } from "../common/support/support-code.ts";
import { version } from "../common/version.ts";
import { tryHost } from "../diagnostics/host/host.ts";
import { consoleOf } from "../diagnostics/report/console.ts";
import type { AnyMessage } from "../messages/message.ts";
import { sayText } from "../messages/text-of.ts";
import { setUpOf, unreachableText, whereaboutsOf, whereIsAdminSocket } from "./admin-socket.ts";
import type { PackagedOptions } from "./options.ts";
import { configDrift } from "./status/config-drift.ts";
import { readStatus } from "./status/read-status.ts";
import { qrFault, showQr } from "./support/show-qr.ts";

const PATIENCE_MS = 5_000;
/** sysexits EX_USAGE. */
const USAGE = 64;

/** `facepay-agent status`: exit 0 while an authinfo is held that may be used, 1 otherwise and when a QR code could not be written. */
export async function status(options: PackagedOptions): Promise<number> {
  const fault = qrFault(options);
  if (fault !== undefined) {
    process.stderr.write(`${sayText(fault, chooseLanguage(options.lang, process.env))}\n`);
    return USAGE;
  }
  if (options.watch) {
    const { watchStatus } = await import("./status/status-watch.ts");
    return await watchStatus(options, systemClock());
  }
  return await showOnce(options, systemClock());
}

async function showOnce(options: PackagedOptions, clock: Clock): Promise<number> {
  const { stdout, stderr, env } = process;
  const console = consoleOf(options.lang, env, stdout);
  const socket = await whereIsAdminSocket(options.config);
  try {
    const document = await readStatus(socket, PATIENCE_MS);
    const host = await tryHost(document.store?.directory);
    if (options.json) {
      stdout.write(`${JSON.stringify({ ...document, host: host ?? null }, undefined, 2)}\n`);
      const kept = await showQr(options, console, codeIn(document), causesIn(document));
      return kept && isUsable(document) ? 0 : 1;
    }
    const [{ statusRows }, { renderRows }] = await Promise.all([
      import("./status/status-view-model.ts"),
      import("./status/status-renderer.ts"),
    ]);
    const setUp = await setUpOf(document, options);
    const pending = await configDrift(document, options);
    const lines = renderRows(statusRows(document, host, clock.wall(), setUp, pending), console);
    stdout.write(`${lines.join("\n")}\n`);
    const kept = await showQr(options, console, codeIn(document), causesIn(document));
    return kept && isUsable(document) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof AgentUnreachable)) throw error;
    const reason = unreachableText(error.reason, await whereaboutsOf(options));
    const code = codeWithoutAgent(error.reason === "absent" ? "not_running" : "unknown");
    const texts: AnyMessage[] = [
      { id: "unreachable.socket", params: { reason, socket } },
      { id: "support.line", params: { code } },
    ];
    stderr.write(`${texts.map((text) => sayText(text, console.language)).join("\n")}\n`);
    await showQr(options, console, code, [`agent.${error.reason}`]);
    return 1;
  }
}

/** An agent of an earlier version names none. */
function codeIn({ support_code: code }: StatusDocument): string {
  return code ?? codeWithoutAgent("unknown");
}

function codeWithoutAgent(state: SupportState): string {
  return encodeSupportCode({ version, state, cause: NOT_RUNNING });
}

/** What is wrong, the first cause first. */
function causesIn({ last_error, bridge, store, warnings }: StatusDocument): string[] {
  const failures = [last_error, bridge?.problem, store?.problem, ...warnings];
  return failures.flatMap((failure) => (failure ? [failure.code] : []));
}
