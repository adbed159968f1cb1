import { type Distrusted, distrustText } from "../common/files/trust.ts";
import type { Bilingual } from "../common/language.ts";
import { localTime } from "../common/local-time.ts";
import type { Problem } from "../config/problem.ts";
import { textOf } from "../messages/text-of.ts";
import type { Outcome } from "./check.ts";
import { octal } from "./host/rights.ts";

interface More {
  readonly value?: unknown;
  readonly remedy?: Bilingual | undefined;
}

/** A finding in both languages. */
export function found(status: "pass" | "warn" | "fail", zh: string, en: string, { value, remedy }: More = {}): Outcome {
  return {
    status,
    ...(value === undefined ? {} : { value }),
    detail: { zh, en },
    ...(remedy === undefined ? {} : { remedy }),
  };
}

/**
 * What the agent has met, and not this run. Whoever has fixed the cause since is told how to ask anew: after a refusal the agent waits up
 * to five minutes by itself (docs/specification.md section 4), and until then every diagnose repeats what it knows.
 * @param since RFC 3339; undefined from an agent that does not say
 */
export function asOf(since: string | undefined, outcome: Outcome): Outcome {
  if (since === undefined || outcome.status === "skip") return outcome;
  const { detail, value } = outcome;
  const at = localTime(since);
  return {
    ...outcome,
    value: { ...(value as object), since },
    detail: {
      zh: `${detail.zh}（服务自 ${at} 起遇到，改正后执行 facepay-agent refresh 重新请求）`,
      en: `${detail.en} (met by the agent since ${at}; once fixed, facepay-agent refresh asks anew)`,
    },
  };
}

/** What cannot be learned here. `because`: the check whose failure is the reason. */
export function skipped(zh: string, en: string, because?: string): Outcome {
  return { status: "skip", detail: { zh, en }, ...(because === undefined ? {} : { because }) };
}

export function withoutConfig(): Outcome {
  return skipped("没有可用的配置", "there is no usable configuration", "cfg.valid");
}

type Skip = Outcome & { readonly status: "skip" };

export const needsSudo: Skip = {
  status: "skip",
  detail: { zh: "没有权限查看，请用 sudo 重新运行", en: "no right to look; run this again with sudo" },
};

export const notRunning: Skip = { status: "skip", detail: { zh: "服务没有运行", en: "no agent is running" } };

export const notInstalled: Skip = {
  status: "skip",
  detail: { zh: "未安装为系统服务", en: "not installed as a service" },
};

export const systemdLate: Skip = {
  status: "skip",
  detail: { zh: "未能及时询问 systemd，未作判断", en: "systemd could not be asked in time" },
};

export const nothingKept: Skip = {
  status: "skip",
  detail: { zh: "还没有保存过凭证", en: "nothing has been kept yet" },
};

export function remedyOfProblem({ instead }: Pick<Problem, "instead">): Bilingual {
  return textOf(instead);
}

/** A file or directory by which others could decide whom the agent trusts. */
export function distrusted(found: Distrusted): Exclude<Outcome, Skip> {
  const { what, instead } = distrustText(found);
  const { place, uid, mode } = found;
  return {
    status: "fail",
    value: { file: place, mode: octal(mode), uid },
    detail: textOf(what),
    remedy: textOf(instead),
  };
}
