import type { Problem } from "./problem.ts";
import type { Environment } from "./settings.ts";

/** Options of Node that open a debugger, weaken TLS or HTTP parsing, or write keys and memory to a file. */
const UNSAFE_OPTIONS: readonly (readonly [RegExp, string, string])[] = [
  [/^--(inspect|debug)(-|$)/, "会打开调试端口", "opens a debugger, through which anyone may read the keys"],
  [/^--tls-keylog$/, "会把 TLS 密钥写入文件", "writes the keys of every TLS connection to a file"],
  [/^--trace-tls$/, "会把 TLS 内容写入日志", "writes the content of TLS connections to the log"],
  [/^--tls-min-v1\.[01]$/, "允许过时的 TLS 版本", "allows outdated versions of TLS"],
  [/^--insecure-http-parser$/, "放松 HTTP 检查", "loosens the checks of the HTTP parser"],
  [/^--security-revert$/, "撤销安全修复", "takes back a security fix"],
  [/^--heap(-prof|snapshot)/, "会把内存（含密钥）写入文件", "writes the memory, keys included, to a file"],
];

/**
 * What in the environment or on Node's command line would defeat TLS or let someone look into the process (specification 1):
 * reasons not to start. Pure. `execArgv`: `process.execArgv`.
 */
export function environmentProblems(env: Environment, execArgv: readonly string[] = []): Problem[] {
  const problems: Problem[] = [];
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === "0") {
    problems.push(
      refused("NODE_TLS_REJECT_UNAUTHORIZED", "关闭了证书校验", "turns off the verification of certificates", {
        zh: "请取消设置（unset NODE_TLS_REJECT_UNAUTHORIZED）；自有根证书请用 wechatpay.ca_file",
        en: "unset NODE_TLS_REJECT_UNAUTHORIZED; for a root certificate of your own use wechatpay.ca_file",
      }),
    );
  }
  if (env.SSLKEYLOGFILE) {
    problems.push(refused("SSLKEYLOGFILE", "会把 TLS 密钥写入文件", "writes the keys of TLS connections to a file"));
  }
  for (const [name, words] of [
    ["NODE_OPTIONS", splitOptions(env.NODE_OPTIONS ?? "")],
    ["execArgv", execArgv],
  ] as const) {
    for (const word of words) problems.push(...judgeOption(name, word));
  }
  return problems;
}

function judgeOption(name: "NODE_OPTIONS" | "execArgv", word: string): Problem[] {
  // Node takes an underscore for a dash, and a value after "=".
  const [option = ""] = word.replaceAll("_", "-").split("=");
  const found = UNSAFE_OPTIONS.find(([pattern]) => pattern.test(option));
  if (found === undefined) return [];
  const [, zh, en] = found;
  const place =
    name === "NODE_OPTIONS"
      ? { zh: "NODE_OPTIONS", en: "NODE_OPTIONS" }
      : { zh: "node 的命令行", en: "node's command line" };
  return [
    refused(name, `${option} ${zh}`, `holds ${option}, which ${en}`, {
      zh: `请从 ${place.zh} 中删除 ${option}`,
      en: `take ${option} out of ${place.en}`,
    }),
  ];
}

function refused(
  name: string,
  zh: string,
  en: string,
  instead = { zh: `请取消设置（unset ${name}）`, en: `unset ${name}` },
): Problem {
  return { key: name, origin: name, what: { zh, en }, instead };
}

/** Words as Node splits NODE_OPTIONS: at spaces, double quotes keep a word together, a backslash inside them escapes. */
function splitOptions(text: string): string[] {
  const words: string[] = [];
  for (const [word] of text.matchAll(/(?:[^\s"]|"(?:[^"\\]|\\.)*"?)+/g)) {
    words.push(word.replace(/\\(.)/g, "$1").replaceAll('"', ""));
  }
  return words;
}
