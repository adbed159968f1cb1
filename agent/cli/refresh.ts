import { AgentUnreachable, askAgent } from "../api/admin-client.ts";
import type { StatusDocument } from "../api/status-document.ts";
import { chooseLanguage } from "../common/language.ts";
import type { DescribedFailure } from "../messages/failure-text.ts";
import type { Text } from "../messages/message.ts";
import { failureIn, remedyOf } from "../messages/remedies/remedies.ts";
import { sayText } from "../messages/text-of.ts";
import { setUpOf, unreachableText, whereaboutsOf, whereIsAdminSocket } from "./admin-socket.ts";
import type { PackagedOptions } from "./options.ts";
import { withPortHolders } from "./status/port-holders.ts";

/** Bridge, both base URLs and the disk, each with its own deadline, fit into this. */
const PATIENCE_MS = 90_000;
const STATUS_MS = 2_000;

/** `facepay-agent refresh`: exit 0 with a new authinfo, 1 with the cause. */
export async function refresh(options: PackagedOptions): Promise<number> {
  const language = chooseLanguage(options.lang, process.env);
  const print = (text: Text) => process.stdout.write(`${sayText(text, language)}\n`);
  const socket = await whereIsAdminSocket(options.config);
  try {
    const { good, text, remedy } = await requestRefresh(socket, options);
    print(text);
    if (remedy) print({ id: "refresh.what_to_do", params: { remedy } });
    return good ? 0 : 1;
  } catch (error) {
    if (!(error instanceof AgentUnreachable)) throw error;
    const reason = unreachableText(error.reason, await whereaboutsOf(options));
    process.stderr.write(`${sayText({ id: "unreachable.socket", params: { reason, socket } }, language)}\n`);
    return 1;
  }
}

/** What came of a refresh, and what to do when it has failed. */
export interface RefreshOutcome {
  readonly good: boolean;
  readonly text: Text;
  readonly remedy?: Text;
}

/** Asks the agent at this socket for a new authinfo. Throws AgentUnreachable. */
export async function requestRefresh(socket: string, options: PackagedOptions): Promise<RefreshOutcome> {
  const { status, body } = await askAgent(socket, "POST", "/v1/authinfo/refresh", PATIENCE_MS);
  if (status === 200) {
    const { generation, remaining_s: left, persisted } = body as { [name: string]: unknown };
    const params = { generation: Number(generation), left: Number(left) };
    return { good: true, text: { id: persisted ? "refresh.obtained" : "refresh.obtained_unsaved", params } };
  }
  const { title = "", title_zh: titleZh = title } = body;
  const now = await statusFrom(socket);
  const cause = asTold(body.cause as DescribedFailure | undefined, now?.last_error);
  const code = cause?.code ?? String(body.code);
  if (code === "REFRESH_TOO_SOON") return { good: false, text: { id: "refresh.too_soon", params: { code } } };
  const failure = cause ?? { zh: `${titleZh}`, en: `${title}` };
  const remedy =
    now?.authinfo.state === "unprovisioned"
      ? await setUpOf(now, options)
      : remedyOf(failureIn(cause ?? { code }, now?.wechatpay));
  const text: Text = { id: "refresh.failed", params: { code, failure } };
  return { good: false, text, ...(remedy ? { remedy } : {}) };
}

/** What else the remedy goes by. An agent that has just answered and has ended meanwhile is no reason to say less. */
async function statusFrom(socket: string): Promise<StatusDocument | undefined> {
  const asked = await askAgent(socket, "GET", "/v1/status", STATUS_MS).catch(() => undefined);
  return asked?.status === 200 ? await withPortHolders(asked.body as unknown as StatusDocument) : undefined;
}

/** The status knows the same failure with more facts; of the line it may know better by now what is there (specification 5). */
export function asTold(
  cause: DescribedFailure | undefined,
  last: StatusDocument["last_error"] | undefined,
): DescribedFailure | undefined {
  if (!cause || !last) return cause;
  const ofLine = [cause.code, last.code].every((code) => code.startsWith("BRIDGE_"));
  return ofLine || cause.code === last.code ? last : cause;
}
