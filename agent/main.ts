import { type Command, CommanderError } from "commander";
import type { CommandOptions } from "./commands/options.ts";
import { languages } from "./language.ts";
import { version } from "./version.ts";

const DEFAULT_CONFIG = "/etc/facepay-agent/config.toml";
/** sysexits EX_USAGE (contract 1). */
const USAGE = 64;

/** The command line. Resolves to the exit code; each command's own code is loaded only when it is asked for. */
export async function main(argv: readonly string[]): Promise<number> {
  const { Command, Option } = await import("commander");
  let exitCode = 0;
  const shared = (command: Command): Command =>
    command
      .addOption(new Option("--config <file>", "configuration file").default(DEFAULT_CONFIG))
      .addOption(new Option("--lang <language>", "language of texts for people").choices(languages));
  const program = new Command("facepay-agent")
    .description("Keeps a valid WeChat Pay face-pay authinfo on this terminal / 在终端上保持刷脸凭证有效")
    .version(version, "--version")
    .exitOverride()
    .showHelpAfterError("(run facepay-agent --help for the commands)");
  const add = (name: string, description: string, act: (options: CommandOptions) => Promise<number>): Command =>
    shared(program.command(name).description(description)).action(async (options: CommandOptions) => {
      exitCode = await act({ ...options });
    });

  add("run", "keep the authinfo and serve it until SIGTERM", async (options) =>
    (await import("./commands/run.ts")).run(options),
  );
  add("status", "what the running agent holds and why", async (options) =>
    (await import("./commands/status.ts")).status(options),
  ).option("--json", "the whole status document");
  add("refresh", "ask the running agent for a new authinfo now", async (options) =>
    (await import("./commands/refresh.ts")).refresh(options),
  );
  add("simulate", "the stand-ins alone: a simulated bridge and a simulated WeChat Pay", async (options) =>
    (await import("./commands/simulate.ts")).simulate(options),
  )
    .option("--directory <directory>", "where to put the keys and the configuration (default: a temporary one)")
    .option("--gateway", "simulate a merchant's gateway instead of WeChat Pay itself");
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
    return error.exitCode === 0 ? 0 : USAGE;
  }
  return exitCode;
}
