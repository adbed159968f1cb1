import { randomBytes } from "node:crypto";
import { rename } from "node:fs/promises";
import path from "node:path";
import { systemCode } from "../../common/errors.ts";
import { createDurably, discard, nodeFileSystem, temporaryName } from "../../common/files/file-system.ts";
import type { Console } from "../../diagnostics/report/console.ts";
import type { AnyMessage } from "../../messages/message.ts";
import { sayText } from "../../messages/text-of.ts";
import type { CommandOptions } from "../options.ts";
import { qrFormOf, qrImage, qrLines, qrText } from "./qr-code.ts";

/** What `--qr` and `--qr-file` cannot do, before anything is asked; undefined when all is well. */
export function qrFault({ qrFile }: CommandOptions): AnyMessage | undefined {
  if (qrFile === undefined || qrFormOf(qrFile) !== undefined) return undefined;
  return { id: "qr.ending", params: { file: qrFile } };
}

/** Shows the code, writes it into a file, or both, as asked. False when it could not be had; then nothing half-written is left. */
export async function showQr(
  { qr, qrFile, json, ndjson }: CommandOptions,
  console: Console,
  supportCode: string,
  causes: readonly string[],
): Promise<boolean> {
  const text = qrText(supportCode, causes);
  const complain = (message: AnyMessage) => process.stderr.write(`${sayText(message, console.language)}\n`);
  if (qr && console.plain) complain({ id: "qr.plain_console" });
  else if (qr && !json && !ndjson) process.stdout.write(`${qrLines(text, console.colour).join("\n")}\n`);
  const form = qrFile === undefined ? undefined : qrFormOf(qrFile);
  if (qrFile === undefined || form === undefined) return !(qr && console.plain);
  const target = path.resolve(qrFile);
  const temporary = temporaryName(path.dirname(target), "qr", randomBytes(8));
  try {
    await createDurably(nodeFileSystem, temporary, await qrImage(text, form));
    await rename(temporary, target);
  } catch (error) {
    await discard(nodeFileSystem, temporary);
    complain({ id: "qr.not_written", params: { file: target, errno: systemCode(error) ?? "unknown error" } });
    return false;
  }
  complain({ id: "qr.written", params: { file: target } });
  return true;
}
