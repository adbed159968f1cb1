import { AgentUnreachable, askAgent } from "../api/admin-client.ts";
import type { StatusDocument } from "../api/status-document.ts";
import { chooseLanguage, say } from "../common/language.ts";
import { type DescribedFailure, failureText } from "../messages/failure-text.ts";
import { failureIn, remedyOf } from "../messages/remedies/remedies.ts";
import { setUpOf, unreachableText, whereaboutsOf, whereIsAdminSocket } from "./admin-socket.ts";
import type { PackagedOptions } from "./options.ts";
import { withPortHolders } from "./status/port-holders.ts";

/** Bridge, both base URLs and the disk, each with its own deadline, fit into this. */
const PATIENCE_MS = 90_000;
const STATUS_MS = 2_000;

/** `facepay-agent refresh`: exit 0 with a new authinfo, 1 with the cause. */
export async function refresh(options: PackagedOptions): Promise<number> {
  const language = chooseLanguage(options.lang, process.env);
  const print = (zh: string, en: string) => process.stdout.write(`${say({ zh, en }, language)}\n`);
  const socket = await whereIsAdminSocket(options.config);
  try {
    const { status, body } = await askAgent(socket, "POST", "/v1/authinfo/refresh", PATIENCE_MS);
    if (status === 200) {
      const { generation, remaining_s: left, persisted } = body;
      print(
        `已获取新的刷脸凭证：第 ${generation} 份，剩余 ${left} 秒${persisted ? "" : "（尚未写入磁盘）"}`,
        `new authinfo obtained: generation ${generation}, ${left} s left${persisted ? "" : " (not on disk yet)"}`,
      );
      return 0;
    }
    const { title = "", title_zh: titleZh = title } = body;
    const now = await statusFrom(socket);
    const cause = asTold(body.cause as DescribedFailure | undefined, now?.last_error);
    const code = cause?.code ?? String(body.code);
    const told = cause === undefined ? { zh: titleZh, en: title } : failureText(cause);
    if (code === "REFRESH_TOO_SOON") {
      print(
        `未能获取：${code} 刚刚已请求过，请等待 10 秒后再试`,
        `not obtained: ${code} ${title}: wait ten seconds and try again`,
      );
      return 1;
    }
    print(`未能获取：${code} ${told.zh}`, `not obtained: ${code} ${told.en}`);
    print(`未能获取：${code} ${told.zh}`, `not obtained: ${code} ${told.en}`);
    const remedy =
      now?.authinfo.state === "unprovisioned"
        ? await setUpOf(now, options)
        : remedyOf(failureIn(cause ?? { code }, now?.wechatpay));
    if (remedy) print(`处理办法：${remedy.zh}`, `what to do: ${remedy.en}`);
    return 1;
  } catch (error) {
    if (!(error instanceof AgentUnreachable)) throw error;
    process.stderr.write(`${say(unreachableText(error.reason, await whereaboutsOf(options)), language)} (${socket})\n`);
    return 1;
  }
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
