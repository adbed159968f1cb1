import type { SameTexts } from "../same-texts.ts";
import type { agentEn } from "./agent-en.ts";

export const agentZh: SameTexts<typeof agentEn> = {
  "failure.coded": ({ code, failure }) => `${code} ${failure}`,
  "setup.start": ({ command }) => `请启动服务：\n  ${command}`,
  "setup.reload": ({ command }) => `配置文件已放入，但服务还没有加载。请执行：\n  ${command}`,
  "setup.provision": ({ command }) => `请设置本终端：\n  ${command}`,
  "unreachable.hidden": ({ file }) => `没有权限读取 ${file}，无法找到服务：请用 sudo 重新运行`,
  "unreachable.no_configuration": ({ file, command }) =>
    `服务没有运行，也没有配置文件 ${file}。请设置本终端：\n  ${command}`,
  "unreachable.invalid": ({ problems, check, start }) =>
    `服务没有运行，配置有 ${problems} 处问题。请查看并改正，然后启动服务：\n  ${check}\n  ${start}`,
  "unreachable.stopped": ({ command }) => `服务没有运行。请启动：\n  ${command}`,
  "unreachable.forbidden": "没有权限：请用 sudo，或将用户加入 facepay-tech 组",
  "unreachable.silent_service": ({ command }) => `服务没有应答。请重启：\n  ${command}`,
  "unreachable.silent": "服务没有应答：请结束它，再重新启动",
  "unreachable.socket": ({ reason, socket }) => `${reason}\n套接字：${socket}`,
  "config.no_file": ({ file, setUp, example }) => `没有配置文件 ${file}，可参考示例 ${example}。${setUp}`,
  "config.barred": ({ files }) => `当前用户没有权限读取 ${files.join("、")}：请用 sudo 重新检查`,
  "config.is_valid": "配置有效",
  "config.is_invalid": "配置无效",
  "config.not_whole": "未能检查完整",
  "config.problems": "问题",
  "config.warnings": "警告",
  "config.count": ({ problems }) => `${problems} 处问题`,
  "config.in_force": ({ hash }) => `生效的配置，摘要 ${hash}`,
  "config.origins": "每行之后是来源",
  "config.default": "默认值",
  "config.environment": "环境变量",
  "config.gateway_valid": ({ devices }) => `配置有效，设备登记表中有 ${devices} 台终端`,
};
