import type { Clock } from "../clock.ts";
import { AgentUnreachable, askAgent } from "../commands/admin-client.ts";
import { runProgram } from "../diagnose/program.ts";
import { readUnits, SERVICE } from "../diagnose/units.ts";
import type { Bilingual } from "../language.ts";
import { failureIn, remedyOf, type ToldFailure, type ToldPlace } from "../remedies.ts";

const SYSTEMCTL_MS = 60_000;
const ASK_MS = 2_000;
const WAIT_MS = 30_000;
const EVERY_MS = 500;

/**
 * Lets the service take the configuration up, and says what comes of it. Without systemd that is for whoever started the agent.
 */
export async function takeUp(adminSocket: string, clock: Clock, tell: (text: Bilingual) => void): Promise<boolean> {
  const units = process.geteuid?.() === 0 ? await readUnits() : undefined;
  if (units === undefined) {
    tell({
      zh: "请让服务读取新配置：向正在运行的 facepay-agent 发送 SIGHUP，或重新启动它",
      en: "let the agent take it up: send SIGHUP to the running facepay-agent, or start it anew",
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
  const deadline = clock.boot() + WAIT_MS;
  for (;;) {
    const { state, error, place } = await look(adminSocket);
    if (state === "fresh") {
      tell({
        zh: "刷脸凭证已获取，本机可以刷脸收款",
        en: "the authinfo is there: this terminal can take face payments",
      });
      return true;
    }
    if (clock.boot() >= deadline) {
      tell({ zh: `还没有刷脸凭证：${error?.code ?? state}`, en: `no authinfo yet: ${error?.code ?? state}` });
      const remedy = error === undefined ? undefined : remedyOf(failureIn(error, place));
      if (remedy !== undefined) tell(remedy);
      return false;
    }
    await clock.sleep(EVERY_MS);
  }
}

interface Look {
  readonly state: string;
  readonly error?: ToldFailure | undefined;
  readonly place?: ToldPlace | null | undefined;
}

async function look(socket: string): Promise<Look> {
  try {
    const { body } = await askAgent(socket, "GET", "/v1/status", ASK_MS);
    const { authinfo, last_error, wechatpay } = body as {
      authinfo?: { state?: string };
      last_error?: ToldFailure | null;
      wechatpay?: ToldPlace | null;
    };
    return { state: authinfo?.state ?? "absent", error: last_error ?? undefined, place: wechatpay };
  } catch (error) {
    if (!(error instanceof AgentUnreachable)) throw error;
    return { state: error.reason };
  }
}
