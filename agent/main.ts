import type { Command } from "commander";
import type { CommandOptions } from "./cli/options.ts";
import { languages } from "./common/language.ts";
import type { PlainId } from "./messages/message.ts";

const DEFAULT_CONFIG = "/etc/facepay-agent/config.toml";
const GATEWAY_CONFIG = "/etc/facepay-agent/gateway.toml";
/** sysexits EX_USAGE (specification 1). */
const USAGE = 64;
/** Specification 8. */
const DIAGNOSE_USAGE = 3;

/** The command line. Resolves to the exit code; each command's own code is loaded only when it is asked for. */
export async function main(argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv;
  const plain = command === "run" ? plainOptions(rest) : undefined;
  if (plain) return await (await import("./cli/run.ts")).run(plain);
  if (command === "bridge-sdk") return await (await import("./cli/bridge/bridge-sdk.ts")).bridgeSdk(rest);
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
  const [{ Command, CommanderError, Option }, { version }, { languageAsked, localize }, { sayText }] =
    await Promise.all([
      import("commander"),
      import("./common/version.ts"),
      import("./cli/localized-help.ts"),
      import("./messages/text-of.ts"),
    ]);
  const language = languageAsked(argv, process.env);
  const t = (id: PlainId) => sayText({ id }, language);
  let exitCode = 0;
  const shared = (command: Command, file = DEFAULT_CONFIG): Command =>
    command
      .addOption(new Option("--config <file>", t("help.option.config")).default(file))
      .addOption(new Option("--lang <language>", t("help.option.lang")).choices(languages));
  const program = new Command("facepay-agent")
    .description(t("help.program"))
    .version(version, "--version", t("help.version"))
    .exitOverride()
    .showHelpAfterError(t("help.after_error"));
  localize(program, language);
  const add = (
    name: string,
    description: string,
    act: (options: CommandOptions) => Promise<number>,
    file?: string,
  ): Command =>
    shared(program.command(name).description(description), file).action(async (options: CommandOptions) => {
      exitCode = await act({ ...options });
    });

  add("run", t("help.run"), async (options) => (await import("./cli/run.ts")).run(options));
  add("status", t("help.status"), async (options) =>
    (await import("./cli/status.ts")).status({ ...options, packagedConfig: DEFAULT_CONFIG }),
  )
    .option("--json", t("help.status.json"))
    .option("--watch", t("help.status.watch"))
    .option("--qr", t("help.option.qr"))
    .option("--qr-file <file>", t("help.option.qr_file"));
  add("refresh", t("help.refresh"), async (options) =>
    (await import("./cli/refresh.ts")).refresh({ ...options, packagedConfig: DEFAULT_CONFIG }),
  );
  add("diagnose", t("help.diagnose"), async (options) =>
    (await import("./cli/diagnose.ts")).diagnose({ ...options, packagedConfig: DEFAULT_CONFIG }),
  )
    .option("--json", t("help.diagnose.json"))
    .option("--ndjson", t("help.diagnose.ndjson"))
    .option("--only <ids>", t("help.diagnose.only"))
    .option("--skip <ids>", t("help.diagnose.skip"))
    .option("--list", t("help.diagnose.list"))
    .option("--offline", t("help.diagnose.offline"))
    .option("--warnings-as-errors", t("help.diagnose.warnings_as_errors"))
    .option("--bundle <file>", t("help.diagnose.bundle"))
    .option("--qr", t("help.option.qr"))
    .option("--qr-file <file>", t("help.option.qr_file"))
    .option("--timeout <seconds>", t("help.diagnose.timeout"), "60");
  add("page", t("help.page"), async (options) =>
    (await import("./cli/page.ts")).page({ ...options, packagedConfig: DEFAULT_CONFIG }),
  ).addOption(new Option("--listen <address>", t("help.page.listen")).default("127.0.0.1:0"));
  add("provision", t("help.provision"), async (options) =>
    (await import("./cli/provision.ts")).provision({ ...options, packagedConfig: DEFAULT_CONFIG }),
  )
    .option("--set <key=value>", t("help.provision.set"), collectSettings, [])
    .option("--from <file>", t("help.provision.from"))
    .option("--non-interactive", t("help.provision.non_interactive"))
    .option("--user <name>", t("help.provision.user"))
    .option("--no-trial", t("help.provision.no_trial"))
    .option("--force", t("help.provision.force"));
  add("simulate", t("help.simulate"), async (options) => (await import("./cli/simulate.ts")).simulate(options))
    .option("--directory <directory>", t("help.simulate.directory"))
    .option("--gateway", t("help.simulate.gateway"))
    .option("--user <name>", t("help.simulate.user"))
    .option("--state <state>", t("help.simulate.state"));
  const { describeBridge } = await import("./cli/bridge/bridge-command.ts");
  describeBridge(shared(program.command("bridge")), t, (code) => {
    exitCode = code;
  });
  add(
    "gateway",
    t("help.gateway"),
    async (options) => (await import("./cli/gateway.ts")).gateway(options),
    GATEWAY_CONFIG,
  ).option("--check-config", t("help.gateway.check_config"));
  shared(program.command("support"))
    .description(t("help.support"))
    .argument("<code>", t("help.support.code"))
    .option("--json", t("help.option.json"))
    .action(async (code: string, options: CommandOptions) => {
      exitCode = (await import("./cli/support/support.ts")).support(code, options);
    });
  const config = program.command("config").description(t("help.config"));
  for (const [name, description] of [
    ["check", t("help.config.check")],
    ["show", t("help.config.show")],
    ["schema", t("help.config.schema")],
  ] as const) {
    shared(config.command(name).description(description))
      .option("--json", t("help.option.json"))
      .action(async (options: CommandOptions) => {
        exitCode = await (await import("./cli/config.ts")).config(name, {
          ...options,
          packagedConfig: DEFAULT_CONFIG,
        });
      });
  }

  try {
    await program.parseAsync([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    if (argv[0] === "diagnose") return DIAGNOSE_USAGE;
    const { asksForCheck, CHECK_USAGE } = await import("./cli/bridge/bridge-options.ts");
    return asksForCheck(argv) ? CHECK_USAGE : USAGE;
  }
  return exitCode;
}

function collectSettings(setting: string, before: readonly string[]): string[] {
  return [...before, setting];
}
