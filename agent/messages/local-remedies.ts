import type { Bilingual } from "../language.ts";
import type { RemedyRule } from "./remedy-rule.ts";

/** What the technician does about a failure of kept state and the local API, by the id of the check that looks for it (reference 7.3). */
export const localRemedies = {
  "store.read": {
    zh: "无法使用数据目录，请核对其属主和权限。",
    en: "The state directory cannot be used; check its owner and mode.",
  },
  "store.write": {
    zh: "无法写入数据，请检查磁盘空间与只读状态。",
    en: "Cannot write; check free space and read-only state.",
  },
  "api.socket": {
    zh: "本地接口缺失或不可用，请核对路径与用户组，停止占用它的程序，并重启服务。",
    en: "The local socket is missing or wrong; check path and group, stop what uses it, restart the service.",
  },
  "api.selftest": { zh: "本地接口异常，请重启服务。", en: "The local API does not answer well; restart the service." },
  "api.client": {
    zh: "请确认收银程序已启动，并把其用户加入 facepay-cashier 组。",
    en: "See that the cashier app runs, and add its user to the group facepay-cashier.",
  },
  "api.exposed": {
    zh: "接口暴露到网络，请停止转发它的程序。",
    en: "The local API is reachable over the network; stop the program that forwards it.",
  },
} as const satisfies Readonly<Record<string, Bilingual>>;

export const localRules: readonly RemedyRule[] = [
  {
    code: /^STORE_WRITE$/,
    param: ["errno", "ENOENT"],
    remedy: {
      zh: "数据目录已被删除：请重启服务，它会重新建立。",
      en: "The state directory has been removed: restart the service, which makes it anew.",
    },
  },
];
