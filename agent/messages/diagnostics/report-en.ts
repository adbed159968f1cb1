interface Check {
  readonly code: number;
  readonly id: string;
}

/** What a peer has said may break a line; a finding does not. */
const oneLine = (text: string) => text.replaceAll(/\s*\n\s*/g, " ");
const list = (commands: readonly string[]) => commands.map((command) => `\n  ${command}`).join("");

/** The report of diagnose, its advice, why a check had no turn, and the bundle for support. */
export const diagnoseReportEn = {
  "section_of_report.system": "System and service",
  "section_of_report.time": "Time",
  "section_of_report.config": "Configuration and keys",
  "section_of_report.bridge": "Bridge",
  "section_of_report.network": "Network and WeChat Pay",
  "section_of_report.store": "Kept state and local API",
  "outcome.pass": "ok",
  "outcome.warn": "warning",
  "outcome.fail": "failed",
  "outcome.skip": "skipped",
  "outcome.crash": "undecided",
  "outcome.count": ({ count, outcome }: { readonly count: number; readonly outcome: string }) => `${count} ${outcome}`,
  "agent.running": "running",
  "agent.absent": "not running",
  "agent.forbidden": "may not be asked (use sudo)",
  "agent.silent": "does not answer",
  "report.head": ({ version, at, run }: { readonly version: string; readonly at: string; readonly run: string }) =>
    `facepay-agent ${version} diagnose, ${at}, run ${run}`,
  "report.agent": ({ state, user, file }: { readonly state: string; readonly user: string; readonly file: string }) =>
    `agent: ${state} (user ${user}); configuration: ${file}`,
  "report.do_first": ({ remedy }: { readonly remedy: string }) => `first: ${remedy}`,
  "report.do": ({ remedy }: { readonly remedy: string }) => `to do: ${remedy}`,
  "report.result": ({ counts, seconds }: { readonly counts: readonly string[]; readonly seconds: string }) =>
    `result: ${counts.join(", ")}; ${seconds} s`,
  "report.limits": ({ title, limits }: { readonly title: string; readonly limits: readonly string[] }) =>
    [title, ...limits].join("; "),
  "report.limit_warn": ({ limit }: { readonly limit: string }) => `warn: ${limit}`,
  "report.limit_fail": ({ limit }: { readonly limit: string }) => `fail: ${limit}`,
  "advice.sudo_shows_rest": ({ advice }: { readonly advice: string }) => `sudo shows the rest.\n${advice}`,
  "advice.sudo": "Run this again with sudo first: this user may not ask the agent, and most could not be checked.",
  "advice.sudo_seen": ({ code, id, detail }: Check & { readonly detail: string }) =>
    `Run this again with sudo first: this user may not ask the agent, and most could not be checked. Seen so far: [${code} ${id}] ${oneLine(detail)}.`,
  "advice.first": ({
    code,
    id,
    detail,
    remedy,
    commands,
  }: Check & { readonly detail: string; readonly remedy: string; readonly commands: readonly string[] }) =>
    `Do this first [${code} ${id}] ${oneLine(detail)}. ${remedy}\nThen run:${list(commands)}`,
  "advice.improve": ({ verdict, code, id, remedy }: Check & { readonly verdict: string; readonly remedy: string }) =>
    `${verdict} First to improve [${code} ${id}]: ${remedy}`,
  "advice.start": ({ command }: { readonly command: string }) =>
    `No failure was found, but the agent is not running. Start it:\n  ${command}`,
  "advice.nothing_checked": "There was nothing that could be checked.",
  "advice.all_well": "All is well.",
  "advice.no_failure": "No failure.",
  "advice.trial": ({ code, id, detail, remedy }: Check & { readonly detail: string; readonly remedy: string }) =>
    `Do this first [${code} ${id}] ${oneLine(detail)}. ${remedy}`,
  "advice.trial_passed": "The trial has passed.",
  "turn.met_since": ({ detail, at }: { readonly detail: string; readonly at: string }) =>
    `${detail} (met by the agent since ${at})`,
  "turn.no_configuration": "there is no usable configuration",
  "turn.needs_sudo": "this user may not look; run this again with sudo",
  "turn.not_running": "the agent is not running",
  "turn.not_installed": "not installed as a service",
  "turn.systemd_late": "systemd could not be asked in time",
  "turn.nothing_kept": "nothing has been kept yet",
  "turn.left_out": ({ flag }: { readonly flag: string }) => `left out by ${flag}`,
  "turn.fix_first": ({ id }: { readonly id: string }) => `fix ${id} first`,
  "turn.no_time_left": "no time left (--timeout)",
  "turn.too_late": ({ seconds }: { readonly seconds: number }) => `not checked in time (${seconds} s)`,
  "turn.broken": ({ what }: { readonly what: string }) => `the check itself failed: ${what}`,
  "turn.tell_support":
    "Nothing can be said of this. Export a bundle for support:\n  facepay-agent diagnose --bundle facepay-bundle.tar.gz",
  "bundle.too_large": "the bundle would be larger than 16 MB; nothing was written",
  "bundle.secret": ({ name, secret }: { readonly name: string; readonly secret: string }) =>
    `a piece of a secret (${secret}) is in ${name}: no bundle was written; tell support`,
  "bundle.head": ({ files, bytes }: { readonly files: number; readonly bytes: number }) =>
    `the bundle (${files} files, ${bytes} bytes compressed):`,
  "bundle.missing": ({ name, why }: { readonly name: string; readonly why: string }) => `  ${name} missing: ${why}`,
  "bundle.not_written": ({ file, errno }: { readonly file: string; readonly errno: string }) =>
    `cannot write ${file} (${errno}): choose a directory you may write to`,
  "bundle.written": ({ file, run }: { readonly file: string; readonly run: string }) =>
    `written to ${file}; hand it to support, run ${run}`,
  "evidence.no_program": ({ name }: { readonly name: string }) => `there is no program ${name}`,
  "evidence.late": ({ name, ms }: { readonly name: string; readonly ms: number }) =>
    `${name} did not end within ${ms} ms`,
  "evidence.no_output": ({ name, code }: { readonly name: string; readonly code: string }) =>
    `${name} printed nothing (exit code ${code})`,
  "evidence.agent_absent": "the agent is not running",
  "evidence.agent_forbidden": "this user may not ask the agent",
  "evidence.agent_silent": "the agent does not answer",
  "evidence.no_configuration": "there is no configuration",
  "evidence.no_serial_path": "no serial device is configured by its path",
  "evidence.no_directory": ({ directory }: { readonly directory: string }) =>
    `${directory} cannot be read or does not exist`,
  "evidence.error": ({ error }: { readonly error: string }) => error,
  "diagnose.could_not_run": ({ error }: { readonly error: string }) => `diagnose could not run: ${error}`,
  "diagnose.unknown_check": ({ id }: { readonly id: string }) =>
    `there is no check ${id}. This command lists them all:\n  facepay-agent diagnose --list`,
  "diagnose.only_needs_id": "--only needs the id of a check",
  "diagnose.one_format": "either --json or --ndjson",
  "diagnose.timeout": "--timeout takes seconds, 1 to 3600",
};
