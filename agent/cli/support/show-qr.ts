import path from "node:path";
import { systemCode } from "../../common/errors.ts";
import { nodeFileSystem, replaceDurably } from "../../common/files/file-system.ts";
import { systemRandom } from "../../common/random.ts";
import type { Console } from "../../diagnostics/report/console.ts";
import type { AnyMessage } from "../../messages/message.ts";
import { sayText } from "../../messages/text-of.ts";
import type { CommandOptions } from "../options.ts";
import type { QrForm } from "./qr-code.ts";

/** By the ending of its name; undefined for any other. */
export function qrFormOf(file: string): QrForm | undefined {
  const ending = path.extname(file).slice(1).toLowerCase();
  return ending === "svg" || ending === "png" ? ending : undefined;
}

/** What `--qr-file` cannot do, before anything is asked; undefined when all is well. */
export function qrFault({ qr, qrFile, watch }: CommandOptions): AnyMessage | undefined {
  if (watch && (qr || qrFile !== undefined)) return { id: "qr.watch" };
  if (qrFile === undefined || qrFormOf(qrFile) !== undefined) return undefined;
  return { id: "qr.ending", params: { file: qrFile } };
}

/**
 * Shows the code, writes it into a file, both or neither, as asked; what draws it is loaded only then. Resolves to false when the file could
 * not be written.
 */
export async function showQr(
  { qr, qrFile, json, ndjson }: CommandOptions,
  console: Console,
  supportCode: string,
  causes: readonly string[],
): Promise<boolean> {
  if (!qr && qrFile === undefined) return true;
  const { qrImage, qrLines, qrText } = await import("./qr-code.ts");
  const text = qrText(supportCode, causes);
  const tell = (message: AnyMessage) => process.stderr.write(`${sayText(message, console.language)}\n`);
  if (qr && console.plain) tell({ id: "qr.plain_console" });
  else if (qr && !json && !ndjson) process.stdout.write(`${qrLines(text, console.colour).join("\n")}\n`);
  const form = qrFile === undefined ? undefined : qrFormOf(qrFile);
  if (qrFile === undefined || form === undefined) return true;
  const file = path.resolve(qrFile);
  try {
    await replaceDurably(nodeFileSystem, file, await qrImage(text, form), {
      what: "qr",
      random: systemRandom.bytes(8),
    });
    tell({ id: "qr.written", params: { file } });
    return true;
  } catch (error) {
    tell({ id: "qr.not_written", params: { file, errno: systemCode(error) ?? "unknown error" } });
    return false;
  }
}
