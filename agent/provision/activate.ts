import { AgentUnreachable, askAgent } from "../api/admin-client.ts";
import type { Clock } from "../common/clock.ts";
import type { Bilingual } from "../common/language.ts";
import { runProgram } from "../diagnostics/host/program.ts";
import { readUnits, SERVICE } from "../diagnostics/host/units.ts";
import { failureIn, remedyOf, type ToldFailure, type ToldPlace } from "../messages/remedies/remedies.ts";
import { codedText, textOf } from "../messages/text-of.ts";

const SYSTEMCTL_MS = 60_000;
const ASK_MS = 2_000;
const WAIT_MS = 30_000;
const EVERY_MS = 500;
/** Sooner, what the agent says may be of the configuration before. */
const SETTLE_MS = 3_000;

export interface Written {
  /** Absolute. */
  readonly target: string;
  /** The one that the installed service works with. */
  readonly packagedConfig: string;
  readonly adminSocket: string;
}

/**
 * Lets the service take the configuration up, and says what comes of it. Without systemd, or with another configuration than the service's,
 * that is for the one who starts the agent: what another agent holds says nothing about this one.
 */
export async function restore(written: Written, clock: Clock, tell: (text: Bilingual) => void): Promise<boolean> {
  const { target, packagedConfig, adminSocket } = written;
  const own = target === packagedConfig && process.geteuid?.() === 0;
  // Where systemd is slow to answer, its unit is there all the same.
  if (!own || (await readUnits()).kind === "not_installed") {
    tell({
      zh: `请让使用 ${target} 的服务读取新配置：向它发送 SIGHUP，或启动它。此后能否获取刷脸凭证，没有检查`,
      en: `let the agent that works with ${target} take it up: send it SIGHUP, or start it. Whether it then gets an authinfo was not checked`,
    });
    return true;
  }
  const signal = AbortSignal.timeout(SYSTEMCTL_MS);
  const done = await runProgram("systemctl", ["reload-or-restart", SERVICE], { signal });
  if (done.kind !== "ended" || done.code !== 0) {
    tell({ zh: `systemctl reload-or-restart ${SERVICE} 失败`, en: `systemctl reload-or-restart ${SERVICE} failed` });
    return false;
  }
  tell({ zh: "服务已读取新配置，等待刷脸凭证……", en: "the agent has taken it up; waiting for an authinfo ..." });
  const startedAt = clock.boot();
  for (;;) {
    const judged = judgeTakenUp(await look(adminSocket), target, clock.boot() - startedAt);
    if (judged !== undefined) {
      for (const text of judged.texts) tell(text);
      return judged.ok;
    }
    await clock.sleep(EVERY_MS);
  }
}

/** As far as `GET /v1/status` tells it, or why it could not be asked. */
export interface Look {
  readonly authinfo?: { readonly state?: string; readonly remaining_s?: number };
  readonly config?: { readonly file?: string } | null;
  readonly bridge?: { readonly problem?: ToldFailure | null } | null;
  readonly last_error?: ToldFailure | null;
  readonly wechatpay?: ToldPlace | null;
  readonly unreachable?: string;
}

/** Pure: undefined while it is worth waiting. An authinfo from before serves on; that it cannot be renewed is said as soon as that is known. */
export function judgeTakenUp(
  seen: Look,
  target: string,
  waitedMs: number,
): { readonly ok: boolean; readonly texts: readonly Bilingual[] } | undefined {
  const { authinfo, config, bridge, last_error, wechatpay, unreachable } = seen;
  const state = authinfo?.state ?? unreachable ?? "absent";
  const ours = config?.file === target;
  const error = ours ? (last_error ?? bridge?.problem ?? undefined) : undefined;
  const held = ours && ["fresh", "due", "rejected"].includes(state);
  if (held && state === "fresh" && error === undefined) {
    const there = {
      zh: "刷脸凭证已获取，本机可以刷脸收款",
      en: "the authinfo is there: this terminal can take face payments",
    };
    return { ok: true, texts: [there] };
  }
  const wrong = held && error !== undefined && waitedMs >= SETTLE_MS;
  if (!wrong && waitedMs < WAIT_MS) return undefined;
  const what = error === undefined ? { zh: state, en: state } : textOf(codedText(error));
  const minutes = Math.floor((authinfo?.remaining_s ?? 0) / 60);
  const first = held
    ? {
        zh: `先前的刷脸凭证仍然有效，剩余 ${minutes} 分钟，期间可以收款；但现在无法更新：${what.zh}`,
        en: `the authinfo from before is good for another ${minutes} min, but it cannot be renewed now: ${what.en}`,
      }
    : { zh: `还没有刷脸凭证：${what.zh}`, en: `no authinfo yet: ${what.en}` };
  const remedy = error === undefined ? undefined : remedyOf(failureIn(error, wechatpay));
  return { ok: false, texts: remedy === undefined ? [first] : [first, remedy] };
}

async function look(socket: string): Promise<Look> {
  try {
    return (await askAgent(socket, "GET", "/v1/status", ASK_MS)).body as Look;
  } catch (error) {
    if (!(error instanceof AgentUnreachable)) throw error;
    return { unreachable: error.reason };
  }
}
