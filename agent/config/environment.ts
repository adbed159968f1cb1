import type { AnyMessage } from "../messages/message.ts";
import type { Problem } from "./problem.ts";
import type { Environment } from "./settings.ts";

/** Options of Node that open a debugger, weaken TLS or HTTP parsing, or write keys and memory to a file. */
const UNSAFE_OPTIONS: readonly (readonly [RegExp, AnyMessage])[] = [
  [/^--(inspect|debug)(-|$)/, { id: "environment.harm_debugger" }],
  [/^--tls-keylog$/, { id: "environment.harm_keylog" }],
  [/^--trace-tls$/, { id: "environment.harm_trace" }],
  [/^--tls-min-v1\.[01]$/, { id: "environment.harm_old_tls" }],
  [/^--insecure-http-parser$/, { id: "environment.harm_http_parser" }],
  [/^--security-revert$/, { id: "environment.harm_revert" }],
  [/^--heap(-prof|snapshot)/, { id: "environment.harm_heap" }],
];

/**
 * What in the environment or on Node's command line would defeat TLS or let someone look into the process (specification 1):
 * reasons not to start. Pure. `execArgv`: `process.execArgv`.
 */
export function environmentProblems(env: Environment, execArgv: readonly string[] = []): Problem[] {
  const problems: Problem[] = [];
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === "0") {
    problems.push(
      refused(
        "NODE_TLS_REJECT_UNAUTHORIZED",
        { id: "environment.no_verification" },
        { id: "environment.use_ca_file", params: { name: "NODE_TLS_REJECT_UNAUTHORIZED" } },
      ),
    );
  }
  if (env.SSLKEYLOGFILE) {
    problems.push(refused("SSLKEYLOGFILE", { id: "environment.writes_tls_keys" }));
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
  const [, harm] = found;
  return [
    refused(
      name,
      { id: "environment.option", params: { option, harm } },
      name === "NODE_OPTIONS"
        ? { id: "environment.remove_from_variable", params: { option, name } }
        : { id: "environment.remove_from_command", params: { option } },
    ),
  ];
}

function refused(
  name: string,
  what: AnyMessage,
  instead: AnyMessage = { id: "environment.unset", params: { name } },
): Problem {
  return { key: name, origin: name, what, instead };
}

/** Words as Node splits NODE_OPTIONS: at spaces, double quotes keep a word together, a backslash inside them escapes. */
function splitOptions(text: string): string[] {
  const words: string[] = [];
  for (const [word] of text.matchAll(/(?:[^\s"]|"(?:[^"\\]|\\.)*"?)+/g)) {
    words.push(word.replace(/\\(.)/g, "$1").replaceAll('"', ""));
  }
  return words;
}
