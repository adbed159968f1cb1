import type { Command } from "commander";
import type { CommandOptions } from "./commands/options.ts";
import { languages } from "./language.ts";

const DEFAULT_CONFIG = "/etc/facepay-agent/config.toml";
const GATEWAY_CONFIG = "/etc/facepay-agent/gateway.toml";
/** sysexits EX_USAGE (contract 1). */
const USAGE = 64;
/** Contract 8. */
const DIAGNOSE_USAGE = 3;

/** The command line. Resolves to the exit code; each command's own code is loaded only when it is asked for. */
export async function main(argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv;
  const plain = command === "run" ? plainOptions(rest) : undefined;
  if (plain) return await (await import("./commands/run.ts")).run(plain);
  if (command === "bridge-sdk") return await (await import("./commands/bridge-sdk.ts")).bridgeSdk(rest);
  return await parse(argv);
}

/**
 * The options of a `run` as a service unit writes it, or undefined when there is anything else, which is for the full
 * parser: loading that one would cost every start 20 ms and the running agent 10 MB.
 */
function plainOptions(args: readonly string[]): CommandOptions | undefined {
  let options: CommandOptions = { config: DEFAULT_CONFIG };
  for (let i = 0; i < args.length; i += 2) {
    const [name, value] = args.slice(i);
    const known = name === "--config" || (name === "--lang" && languages.some((language) => language === value));
    if (!known || !value || value.startsWith("-")) return undefined;
    options = { ...options, [name.slice(2)]: value };
  }
  return options;
}

async function parse(argv: readonly string[]): Promise<number> {
  const [{ Command, CommanderError, Option }, { version }] = await Promise.all([
    import("commander"),
    import("./version.ts"),
  ]);
  let exitCode = 0;
  const shared = (command: Command, file = DEFAULT_CONFIG): Command =>
    command
      .addOption(new Option("--config <file>", "configuration file").default(file))
      .addOption(new Option("--lang <language>", "language of texts for people").choices(languages));
  const program = new Command("facepay-agent")
    .description("Keeps a valid WeChat Pay face-pay authinfo on this terminal / 在终端上保持刷脸凭证有效")
    .version(version, "--version")
    .exitOverride()
    .showHelpAfterError("(run facepay-agent --help for the commands)");
  const add = (
    name: string,
    description: string,
    act: (options: CommandOptions) => Promise<number>,
    file?: string,
  ): Command =>
    shared(program.command(name).description(description), file).action(async (options: CommandOptions) => {
      exitCode = await act({ ...options });
    });

  add("run", "keep the authinfo and serve it until SIGTERM", async (options) =>
    (await import("./commands/run.ts")).run(options),
  );
  add("status", "what the running agent holds and why", async (options) =>
    (await import("./commands/status.ts")).status(options),
  )
    .option("--json", "the whole status document")
    .option("--watch", "keep showing it, until Ctrl-C");
  add("refresh", "ask the running agent for a new authinfo now", async (options) =>
    (await import("./commands/refresh.ts")).refresh(options),
  );
  add("diagnose", "find what is wrong, and say what to mend first", async (options) =>
    (await import("./commands/diagnose.ts")).diagnose({ ...options, packagedConfig: DEFAULT_CONFIG }),
  )
    .option("--json", "the report as one JSON document (docs/diagnose.schema.json)")
    .option("--ndjson", "a JSON line for each check as it ends, and one for the report")
    .option("--only <ids>", "these checks, separated by commas, and what they depend on")
    .option("--skip <ids>", "leave these checks out")
    .option("--list", "say which checks there are")
    .option("--offline", "leave out what needs the network")
    .option("--warnings-as-errors", "exit 1 for warnings, too")
    .option("--bundle <file>", "write the evidence for support into a .tar.gz, without any secret")
    .option("--timeout <seconds>", "for all checks together", "60");
  add("provision", "set this terminal up: identity, keys, bridge; tried before it is kept", async (options) =>
    (await import("./commands/provision.ts")).provision({ ...options, packagedConfig: DEFAULT_CONFIG }),
  )
    .option("--set <key=value>", "an answer, as in --set identity.sp_mchid=1900000100; repeatable", collectSettings, [])
    .option("--non-interactive", "ask nothing: what is missing is an error")
    .option("--user <name>", "the user the agent runs as; as root (default: facepay-agent)")
    .option("--no-trial", "do not try bridge and WeChat Pay before the configuration is kept")
    .option("--force", "keep the configuration though the trial has failed");
  add("simulate", "the stand-ins alone: a simulated bridge and a simulated WeChat Pay", async (options) =>
    (await import("./commands/simulate.ts")).simulate(options),
  )
    .option("--directory <directory>", "where to put the keys and the configuration (default: a temporary one)")
    .option("--gateway", "simulate a merchant's gateway instead of WeChat Pay itself");
  const { describeBridge } = await import("./commands/bridge-command.ts");
  describeBridge(shared(program.command("bridge")), (code) => {
    exitCode = code;
  });
  add(
    "gateway",
    "sign and forward for terminals that hold no merchant key, until SIGTERM",
    async (options) => (await import("./commands/gateway.ts")).gateway(options),
    GATEWAY_CONFIG,
  ).option("--check-config", "say whether configuration, register and keys are in order, and end");
  const config = program.command("config").description("check, show or describe the configuration");
  for (const [name, description] of [
    ["check", "say whether the configuration is valid; every problem at once"],
    ["show", "the values in force and where each comes from"],
    ["schema", "a JSON Schema of the configuration, for editors"],
  ] as const) {
    shared(config.command(name).description(description))
      .option("--json", "for programs")
      .action(async (options: CommandOptions) => {
        exitCode = await (await import("./commands/config.ts")).config(name, options);
      });
  }

  try {
    await program.parseAsync([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    if (argv[0] === "diagnose") return DIAGNOSE_USAGE;
    const { asksForCheck, CHECK_USAGE } = await import("./commands/bridge-options.ts");
    return asksForCheck(argv) ? CHECK_USAGE : USAGE;
  }
  return exitCode;
}

function collectSettings(setting: string, before: readonly string[]): string[] {
  return [...before, setting];
}
