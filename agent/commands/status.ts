import { type Clock, systemClock } from "../clock.ts";
import { consoleOf } from "../diagnose/console.ts";
import { tryHost } from "../host.ts";
import { say } from "../language.ts";
import { AgentUnreachable, askAgent } from "./admin-client.ts";
import { setUpOf, unreachableText, whereaboutsOf, whereIsAdminSocket } from "./admin-socket.ts";
import { notInForce } from "./in-force.ts";
import type { PackagedOptions } from "./options.ts";
import { isUsable, type StatusDocument } from "./status-document.ts";

const PATIENCE_MS = 5_000;
/** Wide enough for everything where no terminal says how wide it is. */
const COLUMNS_OF_A_FILE = 200;

/** `facepay-agent status`: exit 0 while an authinfo is held that may be used, 1 otherwise. */
export async function status(options: PackagedOptions): Promise<number> {
  if (options.watch) {
    const { watchStatus } = await import("./status-watch.ts");
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
    const document = body as unknown as StatusDocument;
    const host = await tryHost(document.store?.directory);
    if (options.json) {
      stdout.write(`${JSON.stringify({ ...body, host: host ?? null }, undefined, 2)}\n`);
      return isUsable(document) ? 0 : 1;
    }
    const [{ statusRows }, { renderRows }] = await Promise.all([
      import("./status-rows.ts"),
      import("./status-screen.ts"),
    ]);
    const setUp = await setUpOf(document, options);
    const columns = stdout.isTTY ? console.columns : COLUMNS_OF_A_FILE;
    const pending = await notInForce(document, options);
    const lines = renderRows(statusRows(document, host, clock.wall(), setUp, pending), { ...console, columns });
    stdout.write(`${lines.join("\n")}\n`);
    return isUsable(document) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof AgentUnreachable)) throw error;
    process.stderr.write(
      `${say(unreachableText(error.reason, await whereaboutsOf(options)), console.language)} (${socket})\n`,
    );
    return 1;
  }
}
