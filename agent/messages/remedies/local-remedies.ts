import type { Bilingual } from "../../common/language.ts";
import type { RemedyRule } from "./remedy-rule.ts";

/** What the technician does about a failure of kept state and the local API, by the id of the check that looks for it (docs/operations/diagnose.md). */
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
  "tel.broker": {
    zh: "无法向 MQTT 服务器上报，收款不受影响。请核对 [telemetry] 的 broker 和证书，放行其端口出站，并在服务器上核对本终端的权限。",
    en: "Nothing reaches the MQTT broker; payments go on. Check [telemetry], allow its port outbound, and check the rights on the broker.",
  },
} as const satisfies Readonly<Record<string, Bilingual>>;

/** The file system refuses although its modes allow it. `{directory}` stands for the state directory. */
const writeForbidden: Bilingual = {
  zh: "数据目录禁止写入。请查看属性，有 i 或 a 时解除：\n  lsattr -d {directory}\n  chattr -R -i -a {directory}\n没有时，请核对属主，再查看安全模块的拦截记录：\n  journalctl -k --grep='denied|audit'",
  en: "Writing is forbidden in the state directory. See its attributes, and take i and a away:\n  lsattr -d {directory}\n  chattr -R -i -a {directory}\nWithout them check its owner, and what a security module has denied:\n  journalctl -k --grep='denied|audit'",
};

export const localRules: readonly RemedyRule[] = [
  { code: /^STORE_WRITE$/, param: ["errno", "EPERM"], remedy: writeForbidden },
  { code: /^STORE_WRITE$/, param: ["errno", "EACCES"], remedy: writeForbidden },
  {
    code: /^STORE_WRITE$/,
    param: ["errno", "ENOENT"],
    remedy: {
      zh: "数据目录已被删除：请重启服务，它会重新建立。",
      en: "The state directory has been removed: restart the service, which makes it anew.",
    },
  },
];
