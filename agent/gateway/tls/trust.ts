import type { X509Certificate } from "node:crypto";
import type { Problem } from "../../config/problem.ts";
import { type FileContext, MOST_CA, Reading } from "../../config/secrets/secret-file-loader.ts";
import type { AnyMessage } from "../../messages/message.ts";
import type { FileKey } from "../config.ts";
import { authoritiesOf } from "./authorities.ts";
import { noRevocations, type Revocations, readRevocations } from "./revocations.ts";

/** By whose word terminals are let in: authorities and their lists belong together, and are taken together. */
export interface Trust {
  /** PEM. Without it only tokens count. */
  readonly terminalCa?: string;
  readonly authorities: readonly X509Certificate[];
  readonly revocations: Revocations;
}

export interface ReadTrust {
  /** Absent when there is any problem. */
  readonly trust?: Trust;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

const RENEW: AnyMessage = { id: "gateway.renew_terminal_ca" };

/** Reads both files as one. All problems at once; never rejects. */
export async function readTrust(
  files: ReadonlyMap<FileKey, string>,
  surroundings: FileContext,
  origins: ReadonlyMap<string, string>,
): Promise<ReadTrust> {
  const reading = new Reading(files, surroundings, origins);
  const { problems, warnings } = reading;
  const ca = reading.certificates("devices.ca_file", "terminal-ca.pem", MOST_CA, RENEW);
  const authorities = authoritiesOf(ca?.text ?? "");
  if (authorities === undefined) {
    reading.problem("devices.ca_file", {
      what: { id: "gateway.ca_unparsable" },
      instead: { id: "gateway.put_ca_again" },
    });
  }
  const crl = reading.read("devices.crl_file", false, MOST_CA);
  // A list without its authorities would be told as that of a stranger.
  if (problems.length > 0 || authorities === undefined) return { problems, warnings };
  let revocations = noRevocations;
  if (crl !== undefined) {
    const read = await readRevocations(crl.text, authorities, crl.file);
    if (read.ok) ({ revocations } = read);
    else for (const fault of read.faults) reading.problem("devices.crl_file", fault);
  }
  if (problems.length > 0) return { problems, warnings };
  const terminalCa = ca === undefined ? {} : { terminalCa: ca.text };
  return { trust: { ...terminalCa, authorities, revocations }, problems, warnings };
}
