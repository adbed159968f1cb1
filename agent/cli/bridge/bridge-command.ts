import type { Command } from "commander";
import type { PlainId } from "../../messages/message.ts";
import type { BridgeOptions } from "./bridge-options.ts";

/** The options of `bridge`, which is two commands: the reference bridge, and with --check the conformance kit. */
export function describeBridge(command: Command, t: (id: PlainId) => string, done: (exitCode: number) => void): void {
  command
    .description(t("help.bridge"))
    .option("--library <file>", t("help.bridge.library"))
    .option("--port <device>", t("help.bridge.port"))
    .option("--socket <path>", t("help.bridge.socket"))
    .option("--socket-mode <mode>", t("help.bridge.socket_mode"))
    .option("--socket-group <group>", t("help.bridge.socket_group"))
    .option("--device-id <sn>", t("help.bridge.device_id"))
    .option("--device-id-file <file>", t("help.bridge.device_id_file"))
    .option("--net-id <id>", t("help.bridge.net_id"), "auto")
    .option("--call-timeout <ms>", t("help.bridge.call_timeout"))
    .option("--init-timeout <ms>", t("help.bridge.init_timeout"))
    .option("--sdk-output", t("help.bridge.sdk_output"))
    .option("--baud-rate <rate>", t("help.bridge.baud_rate"))
    .option("--data-bits <bits>", t("help.bridge.data_bits"))
    .option("--parity <parity>", t("help.bridge.parity"))
    .option("--stop-bits <bits>", t("help.bridge.stop_bits"))
    .option("--rtscts", t("help.bridge.rtscts"))
    .option("--check <path>", t("help.bridge.check"))
    .option("--json", t("help.bridge.json"))
    .option("--only <ids>", t("help.bridge.only"))
    .option("--list", t("help.bridge.list"))
    .option("--calls <n>", t("help.bridge.calls"))
    .option("--silence <s>", t("help.bridge.silence"))
    .option("--restart <command>", t("help.bridge.restart"))
    .action(async (options: BridgeOptions) => {
      const run =
        options.check === undefined && !options.list
          ? (await import("./bridge.ts")).bridge
          : (await import("./bridge-check.ts")).bridgeCheck;
      done(await run(options));
    });
}
