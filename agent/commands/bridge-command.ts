import type { Command } from "commander";
import type { BridgeOptions } from "./bridge-options.ts";

/** The options of `bridge`, which is two commands: the reference bridge, and with --check the conformance kit. */
export function describeBridge(command: Command, done: (exitCode: number) => void): void {
  command
    .description("the reference bridge to the vendor's face SDK; with --check the conformance kit for bridges")
    .option("--library <file>", "the vendor's library (.so)")
    .option("--port <device>", "serve on this serial device")
    .option("--socket <path>", "serve on this unix socket")
    .option("--socket-mode <mode>", "mode of the socket (default: 0660)")
    .option("--socket-group <group>", "group of the socket")
    .option("--device-id <sn>", "device id to report (default: the board's serial number)")
    .option("--device-id-file <file>", "file that holds it")
    .option("--net-id <id>", "network id to report: auto (card of the default route), none, or a text", "auto")
    .option("--call-timeout <ms>", "deadline of a call, below the agent's call_timeout_ms (default: 9000)")
    .option("--init-timeout <ms>", "deadline of initWxpayface and of loading, below init_timeout_ms (default: 14000)")
    .option("--sdk-output", "let what the library prints through to stderr; it may hold secrets")
    .option("--baud-rate <rate>", "of --port and of a serial --check (default: 115200)")
    .option("--data-bits <bits>", "8 or 7 (default: 8)")
    .option("--parity <parity>", "none, even or odd (default: none)")
    .option("--stop-bits <bits>", "1 or 2 (default: 1)")
    .option("--rtscts", "hardware flow control")
    .option("--check <path>", "check the bridge on this serial device or unix socket against the protocol")
    .option("--json", "with --check: the report for programs")
    .option("--only <ids>", "with --check: these cases only, as F01,R02")
    .option("--list", "with --check -: the cases, without running any")
    .option("--calls <n>", "with --check: calls of the endurance case (default: 10000)")
    .option("--silence <s>", "with --check: length of the silence case (default: 31)")
    .option("--restart <command>", "with --check: what restarts the bridge, for the cases that need it")
    .action(async (options: BridgeOptions) => {
      const run =
        options.check === undefined && !options.list
          ? (await import("./bridge.ts")).bridge
          : (await import("./bridge-check.ts")).bridgeCheck;
      done(await run(options));
    });
}
