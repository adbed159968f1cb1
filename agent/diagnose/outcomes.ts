import type { Bilingual } from "../language.ts";
import type { Outcome } from "./check.ts";

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

export const nothingKept: Skip = {
  status: "skip",
  detail: { zh: "还没有保存过凭证", en: "nothing has been kept yet" },
};
