import type { Command } from "commander";
import type { BridgeOptions } from "./bridge-options.ts";

/** The options of `bridge`, which is two commands: the reference bridge, and with --check the conformance kit. */
export function describeBridge(
  command: Command,
  t: (zh: string, en: string) => string,
  done: (exitCode: number) => void,
): void {
  command
    .description(
      t(
        "厂商刷脸 SDK 的参考刷脸模组；加 --check 为刷脸模组的一致性检查",
        "the reference bridge to the vendor's face SDK; with --check the conformance kit for bridges",
      ),
    )
    .option("--library <file>", t("厂商的库文件（.so）", "the vendor's library (.so)"))
    .option("--port <device>", t("在此串口上提供服务", "serve on this serial device"))
    .option("--socket <path>", t("在此 unix 套接字上提供服务", "serve on this unix socket"))
    .option("--socket-mode <mode>", t("套接字的权限（默认 0660）", "mode of the socket (default: 0660)"))
    .option("--socket-group <group>", t("套接字的用户组", "group of the socket"))
    .option(
      "--device-id <sn>",
      t("报告的设备SN（默认主板序列号）", "device id to report (default: the board's serial number)"),
    )
    .option("--device-id-file <file>", t("存放设备SN的文件", "file that holds it"))
    .option(
      "--net-id <id>",
      t(
        "报告的网络标识：auto（默认路由的网卡）、none 或自定文本",
        "network id to report: auto (card of the default route), none, or a text",
      ),
      "auto",
    )
    .option(
      "--call-timeout <ms>",
      t(
        "每次调用的时限，应小于 call_timeout_ms（默认 9000）",
        "deadline of a call, below the agent's call_timeout_ms (default: 9000)",
      ),
    )
    .option(
      "--init-timeout <ms>",
      t(
        "initWxpayface 和加载的时限，应小于 init_timeout_ms（默认 14000）",
        "deadline of initWxpayface and of loading, below init_timeout_ms (default: 14000)",
      ),
    )
    .option(
      "--sdk-output",
      t(
        "把库的输出转到 stderr；其中可能有敏感信息",
        "let what the library prints through to stderr; it may hold secrets",
      ),
    )
    .option(
      "--baud-rate <rate>",
      t("--port 和 --check 串口的速率（默认 115200）", "of --port and of a serial --check (default: 115200)"),
    )
    .option("--data-bits <bits>", t("8 或 7（默认 8）", "8 or 7 (default: 8)"))
    .option("--parity <parity>", t("none、even 或 odd（默认 none）", "none, even or odd (default: none)"))
    .option("--stop-bits <bits>", t("1 或 2（默认 1）", "1 or 2 (default: 1)"))
    .option("--rtscts", t("硬件流控", "hardware flow control"))
    .option(
      "--check <path>",
      t(
        "按协议检查此串口或 unix 套接字上的刷脸模组",
        "check the bridge on this serial device or unix socket against the protocol",
      ),
    )
    .option("--json", t("与 --check 一起：供程序读取的报告", "with --check: the report for programs"))
    .option(
      "--only <ids>",
      t("与 --check 一起：只做这些用例，如 F01,R02", "with --check: these cases only, as F01,R02"),
    )
    .option("--list", t("与 --check - 一起：只列出用例", "with --check -: the cases, without running any"))
    .option(
      "--calls <n>",
      t(
        "与 --check 一起：耐久用例的调用次数（默认 10000）",
        "with --check: calls of the endurance case (default: 10000)",
      ),
    )
    .option(
      "--silence <s>",
      t("与 --check 一起：静默用例的秒数（默认 31）", "with --check: length of the silence case (default: 31)"),
    )
    .option(
      "--restart <command>",
      t(
        "与 --check 一起：重启刷脸模组的命令，供需要的用例使用",
        "with --check: what restarts the bridge, for the cases that need it",
      ),
    )
    .action(async (options: BridgeOptions) => {
      const run =
        options.check === undefined && !options.list
          ? (await import("./bridge.ts")).bridge
          : (await import("./bridge-check.ts")).bridgeCheck;
      done(await run(options));
    });
}
