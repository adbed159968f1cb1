interface Command {
  readonly command: string;
}

/** Where the agent is, how it is started and set up, and what a failure is shown as. */
export const agentEn = {
  "failure.coded": ({ code, failure }: { readonly code: string; readonly failure: string }) => `${code} ${failure}`,
  "setup.start": ({ command }: Command) => `Start the agent:\n  ${command}`,
  "setup.reload": ({ command }: Command) =>
    `The configuration is there, but the agent has not loaded it yet. Run:\n  ${command}`,
  "setup.provision": ({ command }: Command) => `Set this terminal up:\n  ${command}`,
  "unreachable.hidden": ({ file }: { readonly file: string }) =>
    `no permission to read ${file}, so the agent cannot be found: run this again with sudo`,
  "unreachable.no_configuration": ({ file, command }: Command & { readonly file: string }) =>
    `the agent is not running, and there is no configuration ${file}. Set this terminal up:\n  ${command}`,
  "unreachable.invalid": ({
    problems,
    check,
    start,
  }: {
    readonly problems: number;
    readonly check: string;
    readonly start: string;
  }) =>
    `the agent is not running, and its configuration has ${problems} problem(s). See them, fix them, then start the agent:\n  ${check}\n  ${start}`,
  "unreachable.stopped": ({ command }: Command) => `the agent is not running. Start it:\n  ${command}`,
  "unreachable.forbidden": "no permission: use sudo, or add this user to the group facepay-tech",
  "unreachable.silent_service": ({ command }: Command) => `the agent does not answer. Restart it:\n  ${command}`,
  "unreachable.silent": "the agent does not answer: end it and start it again",
  "unreachable.socket": ({ reason, socket }: { readonly reason: string; readonly socket: string }) =>
    `${reason}\nsocket: ${socket}`,
  "config.no_file": ({
    file,
    setUp,
    example,
  }: {
    readonly file: string;
    readonly setUp: string;
    readonly example: string;
  }) => `There is no configuration ${file}, and ${example} is one to begin with. ${setUp}`,
  "config.barred": ({ files }: { readonly files: readonly string[] }) =>
    `This user may not read ${files.join(", ")}: check again with sudo`,
  "config.is_valid": "the configuration is valid",
  "config.is_invalid": "the configuration is invalid",
  "config.not_whole": "the configuration could not be checked as a whole",
  "config.problems": "problems",
  "config.warnings": "warnings",
  "config.count": ({ problems }: { readonly problems: number }) => `${problems} problem(s)`,
  "config.in_force": ({ hash }: { readonly hash: string }) => `the configuration in force, hash ${hash}`,
  "config.origins": "behind each line: where it comes from",
  "config.default": "default",
  "config.environment": "environment",
  "config.gateway_valid": ({ devices }: { readonly devices: number }) =>
    `the configuration is valid, ${devices} terminal(s) in the register`,
};
