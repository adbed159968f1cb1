import { AgentUnreachable, askAgent } from "../api/admin-client.ts";
import { isUsable, type StatusDocument } from "../api/status-document.ts";
import { type Clock, systemClock } from "../common/clock.ts";
import { tryHost } from "../diagnostics/host/host.ts";
import { consoleOf } from "../diagnostics/report/console.ts";
import { sayText } from "../messages/text-of.ts";
import { setUpOf, unreachableText, whereaboutsOf, whereIsAdminSocket } from "./admin-socket.ts";
import type { PackagedOptions } from "./options.ts";
import { configDrift } from "./status/config-drift.ts";
import { withPortHolders } from "./status/port-holders.ts";

const PATIENCE_MS = 5_000;

/** `facepay-agent status`: exit 0 while an authinfo is held that may be used, 1 otherwise. */
export async function status(options: PackagedOptions): Promise<number> {
  if (options.watch) {
    const { watchStatus } = await import("./status/status-watch.ts");
    return await watchStatus(options, systemClock());
  }
  return await showOnce(options, systemClock());
}

async function showOnce(options: PackagedOptions, clock: Clock): Promise<number> {
  const { stdout, env } = process;
  const console = consoleOf(options.lang, env, stdout);
  const socket = await whereIsAdminSocket(options.config);
  try {
    const { body } = await askAgent(socket, "GET", "/v1/status", PATIENCE_MS);
    const document = await withPortHolders(body as unknown as StatusDocument);
    const host = await tryHost(document.store?.directory);
    if (options.json) {
      stdout.write(`${JSON.stringify({ ...document, host: host ?? null }, undefined, 2)}\n`);
      return isUsable(document) ? 0 : 1;
    }
    const [{ statusRows }, { renderRows }] = await Promise.all([
      import("./status/status-view-model.ts"),
      import("./status/status-renderer.ts"),
    ]);
    const setUp = await setUpOf(document, options);
    const pending = await configDrift(document, options);
    const lines = renderRows(statusRows(document, host, clock.wall(), setUp, pending), console);
    stdout.write(`${lines.join("\n")}\n`);
    return isUsable(document) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof AgentUnreachable)) throw error;
    const reason = unreachableText(error.reason, await whereaboutsOf(options));
    const text = sayText({ id: "unreachable.socket", params: { reason, socket } }, console.language);
    process.stderr.write(`${text}
`);
    return 1;
  }
}
