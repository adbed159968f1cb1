import { chmod, chown, rename } from "node:fs/promises";
import path from "node:path";
import {
  createDurably,
  discard,
  nodeFileSystem,
  readSmallFile,
  syncDirectory,
  temporaryName,
} from "../common/files/file-system.ts";
import type { Bilingual } from "../common/language.ts";
import type { Random } from "../common/random.ts";
import { parseCertificate } from "../config/secrets/pem.ts";
import { fileFaultText } from "../messages/failure-text.ts";

/** Whom files are made for: the service's user. Undefined when not root, who alone can give files away. */
export type Owner = { readonly uid: number; readonly gid: number } | undefined;

export type KeyFile = { readonly ok: true; readonly bytes: Buffer } | { readonly ok: false; readonly what: Bilingual };

const LARGEST = 256 * 1024;

/** A key file wherever it lies: a USB stick knows no modes. What is in it is checked later, with the whole configuration. */
export async function readKeyFile(file: string): Promise<KeyFile> {
  const read = await readSmallFile(nodeFileSystem, file, LARGEST);
  if (read.kind === "missing") return { ok: false, what: { zh: `${file} 不存在`, en: `${file} does not exist` } };
  if (read.kind === "refused") {
    return {
      ok: false,
      what: {
        zh: `无法读取 ${file}（${fileFaultText(read.reason).zh}）`,
        en: `${file} cannot be read (${fileFaultText(read.reason).en})`,
      },
    };
  }
  if (read.bytes.length === 0) return { ok: false, what: { zh: `${file} 是空的`, en: `${file} is empty` } };
  return { ok: true, bytes: read.bytes };
}

/**
 * Writes a file that is complete under its name or not there, on the disk before this resolves. A secret is readable by the
 * service alone; anything else belongs to root, so that the service cannot change it, and is readable by the service's group.
 */
export async function installFile(
  target: string,
  bytes: Buffer,
  rights: { readonly secret: boolean; readonly owner: Owner },
  random: Random,
): Promise<void> {
  const directory = path.dirname(target);
  const temporary = temporaryName(directory, "config", random.bytes(8));
  await createDurably(nodeFileSystem, temporary, bytes);
  try {
    const { secret, owner } = rights;
    if (owner !== undefined) await chown(temporary, secret ? owner.uid : 0, owner.gid);
    await chmod(temporary, secret ? 0o400 : 0o640);
    await rename(temporary, target);
  } catch (error) {
    await discard(nodeFileSystem, temporary);
    throw error;
  }
  await syncDirectory(nodeFileSystem, directory);
}

/** The serial number of the certificate that WeChat Pay hands out beside a merchant key (apiclient_cert.pem). */
export async function serialBeside(keyFile: string): Promise<string | undefined> {
  const file = path.join(path.dirname(keyFile), "apiclient_cert.pem");
  const read = await readKeyFile(file);
  const parsed = read.ok ? parseCertificate(read.bytes.toString("latin1"), file, "apiclient_cert.pem") : undefined;
  return parsed?.ok ? parsed.value.serialNumber : undefined;
}
