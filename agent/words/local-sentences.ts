import type { SentencePattern } from "./sentence-pattern.ts";

/** What the store, the local sockets and the service say about a failure, in Chinese. */
export const localSentences: readonly SentencePattern[] = [
  // Why a file cannot be opened: agent/store/envelope.ts, agent/files/file-system.ts.
  [/^the seal is broken$/, "封存已损坏"],
  [/^sealed with another key$/, "由另一把密钥封存"],
  [/^not a sealed state$/, "不是封存的数据"],
  [/^unknown format version (.+)$/, "未知的格式版本 $1"],
  [/^unknown state format$/, "未知的数据格式"],
  [/^unreadable header$/, "文件头无法读取"],
  [/^cut short$/, "不完整"],
  [/^too long$/, "过长"],
  [/^missing$/, "缺失"],
  [/^not a regular file$/, "不是普通文件"],
  [/^a symbolic link$/, "是符号链接"],
  [/^longer than (.+) octets$/, "超过 $1 字节"],
  [/^unknown error$/, "未知错误"],
  // The state directory.
  [/^(.+) cannot be opened \((.+)\) nor moved \((.+)\)$/, "$1 无法打开（{2}），也无法移走（$3）"],
  [/^the state was not written: (\S+) in (\S+)$/, "数据没有写入：$1（$2）"],
  [/^the state was not written: (.+)$/, "数据没有写入：{1}"],
  [/^the store is closed$/, "数据存储已关闭"],
  [/^the state directory (\S+) is held by another instance \(pid (.+)\)$/, "数据目录 $1 正被另一个服务使用（进程 $2）"],
  [
    /^the state directory (\S+) \(mode (\d+)\) may be written by others: (.+)$/,
    "数据目录 $1（权限 $2）他人可写：请执行 $3",
  ],
  [
    /^the state directory (\S+) belongs to user (.+), the agent runs as (.+): chown it$/,
    "数据目录 $1 属于用户 $2，服务以用户 $3 运行：请用 chown 改正",
  ],
  [/^the state directory (\S+) cannot be written \((.+)\)$/, "数据目录 $1 无法写入（$2）"],
  [/^the state directory (\S+) is not a directory: .+$/, "数据目录 $1 不是目录：请移走该文件，或改写 store.directory"],
  [
    /^the state directory (\S+) cannot be used \((.+)\): .+$/,
    "数据目录 $1 无法使用（$2）：请给其属主读、写、进入的权限",
  ],
  [/^the state directory (\S+) .+$/, "数据目录 $1 无法使用"],
  [/^the configuration cannot be remembered in (\S+) \((.+)\)$/, "配置无法保存到 $1（$2）"],
  // The key of the seal.
  [/^the key file (\S+) is missing: .+$/, "密钥文件 $1 缺失：请创建它，或改正 store.key_file"],
  [/^the key file (\S+) cannot be used \((.+)\): .+$/, "密钥文件 $1 无法使用（{2}）：请放回服务自己的密钥文件"],
  [/^the key file (\S+) may be read by others: (.+)$/, "密钥文件 $1 他人可读：请执行 $2"],
  [
    /^the key file (\S+) holds (.+) octets: .+, (.+) random octets at least$/,
    "密钥文件 $1 只有 $2 字节：请放回原密钥，至少 $3 个随机字节",
  ],
  [/^the key file (\S+) .+$/, "密钥文件 $1 无法使用"],
  [/^no key file can be made \((.+)\)$/, "无法创建密钥文件（{1}）"],
  // What a diagnose bundle has to do without.
  [/^there is no program (\S+)$/, "没有程序 $1"],
  [/^(\S+) did not end within (.+) ms$/, "$1 在 $2 毫秒内没有结束"],
  [/^(\S+) said nothing \(exit (.+)\)$/, "$1 没有输出（退出码 $2）"],
  [/^the agent's admin socket is absent$/, "服务没有运行"],
  [/^the agent's admin socket is forbidden$/, "没有权限询问服务"],
  [/^the agent's admin socket is silent$/, "服务没有应答"],
  [/^not installed as a service of systemd$/, "未安装为系统服务"],
  [/^there is no configuration$/, "没有配置"],
  [/^no serial device is configured by its path$/, "没有按路径配置串口"],
  [/^(\S+) may not be read, or is not there$/, "$1 无法读取或不存在"],
  // Node's own: "ENOENT: no such file or directory, open '/etc/resolv.conf'".
  [/^(E[A-Z0-9]+): [^,]+, \w+ '(.+)'$/, "$2（$1）"],
  // The local sockets and files.
  [
    /^There is no group (\S+); create it or correct file_copy\.group$/,
    "没有用户组 $1；请创建它，或改正 file_copy.group",
  ],
  [
    /^There is no group (\S+) for (\S+); create it \((.+)\) or correct the configuration$/,
    "$2 的用户组 $1 不存在；请创建（$3）或改正配置",
  ],
  [/^File descriptor (.+) from systemd is not open$/, "systemd 交来的文件描述符 $1 没有打开"],
  [/^File descriptor (.+) from systemd is not a socket$/, "systemd 交来的文件描述符 $1 不是套接字"],
  [/^A socket path is absolute$/, "套接字路径应为绝对路径"],
  [/^(\S+) has (.+) octets; a socket path has at most (.+)$/, "$1 有 $2 字节；套接字路径最多 $3 字节"],
  [
    /^(\S+) cannot be given(.*) mode (\d+) \((.+)\); .+$/,
    "无法设置 $1 的用户组或权限 $3（$4）；请以 root 或该组成员的身份运行服务",
  ],
  [/^(\S+) cannot be made \((.+)\)$/, "$1 无法创建（$2）"],
  [/^(\S+) cannot be looked at \((.+)\)$/, "$1 无法查看（$2）"],
  [/^(\S+) cannot be removed \((.+)\)$/, "$1 无法删除（$2）"],
  [/^(\S+) is in the way and is not a socket; remove it$/, "$1 已存在但不是套接字；请删除它"],
  [
    /^(\S+) is in use \((.+)\); stop the other agent or choose another path$/,
    "$1 已被占用；请停止另一个服务，或换一个路径",
  ],
  [/^Cannot listen on (.+) \((.+)\)$/, "无法监听 $1（$2）"],
  [/^This terminal has no configuration yet$/, "本终端尚未配置"],
  [/^(\S+) is missing$/, "$1 缺失"],
];
