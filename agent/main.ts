import type { Command } from "commander";
import type { CommandOptions } from "./cli/options.ts";
import { languages, say } from "./common/language.ts";

const DEFAULT_CONFIG = "/etc/facepay-agent/config.toml";
const GATEWAY_CONFIG = "/etc/facepay-agent/gateway.toml";
/** sysexits EX_USAGE (specification 1). */
const USAGE = 64;
/** Specification 8. */
const DIAGNOSE_USAGE = 3;

/** Of status and diagnose. */
const QR = [
  "用二维码显示支持代码和前三项故障",
  "show the support code and the first three failures as a QR code",
] as const;
const QR_FILE = ["把二维码写入 .svg 或 .png 文件", "write the QR code into a .svg or .png file"] as const;

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
  const [{ Command, CommanderError, Option }, { version }, { languageAsked, localize }] = await Promise.all([
    import("commander"),
    import("./common/version.ts"),
    import("./cli/localized-help.ts"),
  ]);
  const language = languageAsked(argv, process.env);
  const t = (zh: string, en: string) => say({ zh, en }, language);
  let exitCode = 0;
  const shared = (command: Command, file = DEFAULT_CONFIG): Command =>
    command
      .addOption(new Option("--config <file>", t("配置文件", "configuration file")).default(file))
      .addOption(new Option("--lang <language>", t("文字的语言", "language of texts for people")).choices(languages));
  const program = new Command("facepay-agent")
    .description(
      t("在本终端上保持微信刷脸支付凭证 authinfo 有效", "Keeps a valid WeChat Pay face-pay authinfo on this terminal"),
    )
    .version(version, "--version", t("显示版本号", "output the version number"))
    .exitOverride()
    .showHelpAfterError(t("（facepay-agent --help 列出全部命令）", "(run facepay-agent --help for the commands)"));
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

  add(
    "run",
    t("保持凭证有效并提供给收银程序，直到 SIGTERM", "keep the authinfo and serve it until SIGTERM"),
    async (options) => (await import("./cli/run.ts")).run(options),
  );
  add("status", t("运行中的服务持有什么，原因何在", "what the running agent holds and why"), async (options) =>
    (await import("./cli/status.ts")).status({ ...options, packagedConfig: DEFAULT_CONFIG }),
  )
    .option("--json", t("完整的状态文档（JSON）", "the whole status document"))
    .option("--watch", t("持续显示，按 Ctrl-C 退出", "keep showing it, until Ctrl-C"))
    .option("--qr", t(...QR))
    .option("--qr-file <file>", t(...QR_FILE));
  add("refresh", t("让运行中的服务立即获取新凭证", "ask the running agent for a new authinfo now"), async (options) =>
    (await import("./cli/refresh.ts")).refresh({ ...options, packagedConfig: DEFAULT_CONFIG }),
  );
  add("diagnose", t("查明问题，并说明先处理什么", "find what is wrong, and say what to fix first"), async (options) =>
    (await import("./cli/diagnose.ts")).diagnose({ ...options, packagedConfig: DEFAULT_CONFIG }),
  )
    .option(
      "--json",
      t(
        "报告为一个 JSON 文档（docs/diagnose.schema.json）",
        "the report as one JSON document (docs/diagnose.schema.json)",
      ),
    )
    .option(
      "--ndjson",
      t("每项检查结束时输出一行 JSON，最后一行是报告", "a JSON line for each check as it ends, and one for the report"),
    )
    .option(
      "--only <ids>",
      t("只做这些检查（用逗号分隔）及其前提", "these checks, separated by commas, and what they depend on"),
    )
    .option("--skip <ids>", t("略过这些检查", "leave these checks out"))
    .option("--list", t("列出全部检查项", "say which checks there are"))
    .option("--offline", t("略过需要网络的检查", "leave out what needs the network"))
    .option("--warnings-as-errors", t("有警告时退出码也为 1", "exit 1 for warnings, too"))
    .option(
      "--bundle <file>",
      t(
        "把给支持人员的诊断包写成 .tar.gz，不含任何敏感信息",
        "write the evidence for support into a .tar.gz, without any secret",
      ),
    )
    .option("--qr", t(...QR))
    .option("--qr-file <file>", t(...QR_FILE))
    .option("--timeout <seconds>", t("全部检查的总时间（秒）", "for all checks together"), "60");
  add(
    "page",
    t(
      "在本机浏览器中显示状态、处理办法和诊断，供技术人员使用",
      "show state, remedies and diagnose in a browser on this machine, for a technician",
    ),
    async (options) => (await import("./cli/page.ts")).page({ ...options, packagedConfig: DEFAULT_CONFIG }),
  ).addOption(
    new Option(
      "--listen <address>",
      t("只能是本机地址；端口 0 由系统选择", "an address of this machine; port 0: any"),
    ).default("127.0.0.1:0"),
  );
  add(
    "provision",
    t(
      "设置本终端：身份、密钥、刷脸模组；验证后才保存",
      "set this terminal up: identity, keys, bridge; tried before it is kept",
    ),
    async (options) => (await import("./cli/provision.ts")).provision({ ...options, packagedConfig: DEFAULT_CONFIG }),
  )
    .option(
      "--set <key=value>",
      t(
        "直接给出答案，如 --set identity.sp_mchid=1900000100；可重复",
        "an answer, as in --set identity.sp_mchid=1900000100; repeatable",
      ),
      collectSettings,
      [],
    )
    .option(
      "--from <file>",
      t(
        "从文件读取答案，如总部放在 U 盘上的 TOML；其中的密钥路径相对于该文件",
        "answers from a file, such as head office's TOML on a stick; key files lie beside it",
      ),
    )
    .option("--non-interactive", t("不提问：缺少的项目即为错误", "ask nothing: what is missing is an error"))
    .option(
      "--user <name>",
      t(
        "服务的运行用户；以 root 执行时（默认 facepay-agent）",
        "the user the agent runs as; as root (default: facepay-agent)",
      ),
    )
    .option(
      "--no-trial",
      t("保存前不验证刷脸模组和微信支付", "do not try bridge and WeChat Pay before the configuration is kept"),
    )
    .option("--force", t("验证未通过也保存配置", "keep the configuration though the trial has failed"));
  add(
    "simulate",
    t("只运行模拟的刷脸模组和模拟的微信支付", "a simulated bridge and a simulated WeChat Pay only"),
    async (options) => (await import("./cli/simulate.ts")).simulate(options),
  )
    .option(
      "--directory <directory>",
      t("密钥和配置放在哪里（默认临时目录）", "where to put the keys and the configuration (default: a temporary one)"),
    )
    .option(
      "--gateway",
      t("模拟商户网关，而不是微信支付本身", "simulate a merchant's gateway instead of WeChat Pay itself"),
    )
    .option(
      "--user <name>",
      t(
        "供已安装的服务试用：文件和伪终端归此用户（如 facepay-agent），需要 root",
        "for the installed service: files and pseudo-terminal belong to this user (facepay-agent); as root",
      ),
    )
    .option(
      "--state <state>",
      t(
        "只提供收银程序的套接字，保持在该状态：fresh、due、expired、stale、rejected、absent、unprovisioned",
        "serve only the cashier app's socket, in this state: fresh, due, expired, stale, rejected, absent, unprovisioned",
      ),
    );
  const { describeBridge } = await import("./cli/bridge/bridge-command.ts");
  describeBridge(shared(program.command("bridge")), t, (code) => {
    exitCode = code;
  });
  add(
    "gateway",
    t(
      "为没有商户私钥的终端签名并转发，直到 SIGTERM",
      "sign and forward for terminals that hold no merchant key, until SIGTERM",
    ),
    async (options) => (await import("./cli/gateway.ts")).gateway(options),
    GATEWAY_CONFIG,
  ).option(
    "--check-config",
    t("检查配置、设备登记表和密钥，然后结束", "say whether configuration, register and keys are in order, and end"),
  );
  shared(program.command("support"))
    .description(
      t(
        "说明支持代码：原因、处理办法、设备尾号；任何机器，无需网络",
        "explain a support code: cause, remedy, device; on any machine, offline",
      ),
    )
    .argument("<code>", t("12 个字母和数字", "12 letters and digits"))
    .option("--json", t("供程序读取（JSON）", "for programs"))
    .action(async (code: string, options: CommandOptions) => {
      exitCode = (await import("./cli/support/support.ts")).support(code, options);
    });
  const config = program
    .command("config")
    .description(t("检查、显示或说明配置", "check, show or describe the configuration"));
  for (const [name, description] of [
    ["check", t("检查配置是否有效，一次列出全部问题", "say whether the configuration is valid; every problem at once")],
    ["show", t("当前生效的值及其来源", "the values in force and where each comes from")],
    ["schema", t("配置的 JSON Schema，供编辑器使用", "a JSON Schema of the configuration, for editors")],
  ] as const) {
    shared(config.command(name).description(description))
      .option("--json", t("供程序读取（JSON）", "for programs"))
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
