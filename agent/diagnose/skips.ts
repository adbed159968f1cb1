import type { Outcome } from "./check.ts";

type Skip = Outcome & { readonly status: "skip" };

/** One words for one thing: why a check cannot be made here. */
export const noConfig: Skip = {
  status: "skip",
  because: "cfg.valid",
  detail: { zh: "没有可用的配置", en: "there is no configuration to go by" },
};

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
