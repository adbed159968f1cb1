import { decodeSupportCode, type SupportCodeFault } from "../../common/support/support-code.ts";
import { consoleOf } from "../../diagnostics/report/console.ts";
import type { AnyMessage } from "../../messages/message.ts";
import { sayText, textOf } from "../../messages/text-of.ts";
import type { CommandOptions } from "../options.ts";
import { renderRows } from "../status/status-renderer.ts";
import { explained, explanationRows } from "./explanation.ts";

/** sysexits EX_USAGE. */
const USAGE = 64;

/** `facepay-agent support CODE`: 0, or 64 for what is no code. Needs no configuration, no agent and no network. */
export function support(code: string, options: CommandOptions): number {
  const { stdout, stderr, env } = process;
  // Head office and the shop may read different languages.
  const console = consoleOf(options.lang ?? "both", env, stdout);
  const reading = decodeSupportCode(code);
  if ("fault" in reading) {
    const text = faultText(reading);
    if (options.json) stdout.write(`${JSON.stringify({ fault: reading.fault, detail: textOf(text) }, undefined, 2)}\n`);
    stderr.write(`${sayText(text, console.language)}\n`);
    return USAGE;
  }
  if (options.json) stdout.write(`${JSON.stringify(explained(reading), undefined, 2)}\n`);
  else stdout.write(`${renderRows(explanationRows(reading), console).join("\n")}\n`);
  return 0;
}

function faultText(reading: SupportCodeFault): AnyMessage {
  switch (reading.fault) {
    case "length":
      return { id: "support.fault_length", params: { characters: reading.characters } };
    case "character":
      return { id: "support.fault_character", params: { character: reading.character } };
    case "mistyped":
      return { id: "support.fault_mistyped" };
  }
}
