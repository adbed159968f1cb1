import type { SameTexts } from "../same-texts.ts";
import { spaced } from "../spaced.ts";
import type { supportEn } from "./support-en.ts";

export const supportZh: SameTexts<typeof supportEn> = {
  "support.code": "支持代码",
  "support.version": "服务版本",
  "support.version_or_later": ({ version }) => `${version} 或更新`,
  "support.state": "刷脸凭证",
  "support.state_unknown": "未知",
  "support.state_not_running": "服务没有运行",
  "support.format_unknown": ({ format }) => `代码格式为 ${format}，来自更新的版本：请安装该版本后查看此项`,
  "support.device": "设备SN",
  "support.device_ends": ({ end }) => `尾号 ${end}`,
  "support.device_unknown": "未知",
  "support.cause": "首要原因",
  "support.no_cause": "无：当时没有故障",
  "support.cause_unknown": ({ number }) => `本版本不认识的原因，编号 ${number}：请用更新的版本查询`,
  "support.cause_unlisted": "没有编号的原因，请在终端上查看：\n  facepay-agent status",
  "support.check": ({ number, id, title }) => `诊断检查项 [${number} ${id}]${spaced(title)}`,
  "support.lasted": "已持续",
  "support.lasted_unknown": "未知",
  "support.lasted_below": ({ amount }) => `不到 ${amount}`,
  "support.lasted_between": ({ from, to }) => `${from}至 ${to}`,
  "support.lasted_from": ({ amount }) => `${amount}以上`,
  "support.min": ({ n }) => `${n} 分钟`,
  "support.h": ({ n }) => `${n} 小时`,
  "support.days": ({ n }) => `${n} 天`,
  "support.what_to_do": "处理办法",
  "support.with_gateway": ({ remedy }) => `使用商户网关时：${remedy}`,
  "support.without_gateway": ({ remedy }) => `直连微信支付时：${remedy}`,
  "support.placeholders": "代码装不下 <> 中的内容，可在终端上执行 facepay-agent status 查看。",
  "support.fault_length": ({ characters }) => `支持代码有 12 个字母和数字，这里是 ${characters} 个。`,
  "support.fault_character": ({ character }) =>
    `支持代码中没有 ${character}，只有数字和除 I、L、O、U 以外的字母 A 至 Z。`,
  "support.fault_mistyped": "这不是支持代码：有一个字符不对，或两个字符颠倒了。请再核对一遍。",
};
