import { execFileSync } from "node:child_process";
import path from "node:path";

/** What the program says of itself with --help, by command; "" is the program as a whole. */
export type Help = ReadonlyMap<string, string>;

/** Asks the program itself, so that manual and completion cannot differ from it. */
export function readHelp(root: string): Help {
  const ask = (command: readonly string[]) =>
    execFileSync(process.execPath, [path.join(root, "scripts/facepay-agent.js"), ...command, "--help"], {
      encoding: "utf8",
      env: { PATH: process.env.PATH ?? "", LANG: "en_US.UTF-8", COLUMNS: "80" },
    });
  const help = new Map<string, string>();
  const walk = (command: readonly string[]) => {
    const text = ask(command);
    help.set(command.join(" "), text);
    for (const name of commandsIn(text)) walk([...command, name]);
  };
  walk([]);
  return help;
}

export function commandsIn(text: string): string[] {
  const list = text.split(/^Commands:$/m)[1] ?? "";
  const names = [...list.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, name = ""]) => name);
  return names.filter((name) => name !== "help");
}

export function optionsIn(text: string): string[] {
  return [...text.matchAll(/^ {2}(?:-\w, )?(--[a-z][a-z-]*)/gm)].map(([, name = ""]) => name);
}

/** man(7): the help texts as they are, with the files and units around them. */
export function manualText(help: Help, version: string, at: Date): string {
  const chapters = [...help].map(
    ([command, text]) => `.SS facepay-agent ${command}\n.nf\n${escaped(text.trim())}\n.fi`,
  );
  return [
    `.TH FACEPAY-AGENT 1 "${at.toISOString().slice(0, 10)}" "facepay-agent ${version}"`,
    ".SH NAME",
    "facepay-agent \\- keeps a valid WeChat Pay face-pay authinfo on this terminal",
    ".SH SYNOPSIS\n.B facepay-agent\n.I command\n[\\-\\-config FILE] [\\-\\-lang zh-CN|en|both]",
    ".SH COMMANDS",
    ...chapters,
    ".SH FILES",
    ...[
      ["/etc/facepay-agent/config.toml", "the configuration; config.toml.example beside it explains every key"],
      ["/etc/facepay-agent/config.d/*.toml", "drop-ins, read in the order of their names"],
      ["/var/lib/facepay-agent", "the sealed state"],
      ["/run/facepay-agent/api.sock", "for the cashier app (group facepay-cashier)"],
      ["/run/facepay-agent/admin.sock", "for technician and monitoring (group facepay-tech)"],
    ].map(([file, words]) => `.TP\n.I ${file}\n${words}`),
    ".SH UNITS",
    "facepay-agent.service, facepay-agent.socket, facepay-agent-admin.socket, facepay-bridge.service (not enabled)",
    ".SH SEE ALSO\n.BR systemctl (1),\n.BR journalctl (1),\n.BR systemd-creds (1)\n",
  ].join("\n");
}

/** A backslash, a hyphen and a dot at the start of a line mean something to roff. */
function escaped(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^([.'])/gm, "\\&$1");
}

/** Commands, their options, and file names after --config. */
export function completionText(help: Help): string {
  const cases = [...help].map(([command, text]) => {
    const words = [...commandsIn(text), ...optionsIn(text)].join(" ");
    return `        "${command}") words="${words}" ;;`;
  });
  return `# bash completion for facepay-agent
_facepay_agent() {
    local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} command="" words i
    case $before in
        --lang) COMPREPLY=($(compgen -W "zh-CN en both" -- "$word")); return ;;
        --config | --directory) compopt -o default; COMPREPLY=(); return ;;
    esac
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ \${COMP_WORDS[i]} == [a-z]* ]] && command="\${command:+$command }\${COMP_WORDS[i]}"
    done
    case $command in
${cases.join("\n")}
        *) words="" ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _facepay_agent facepay-agent
`;
}
