import { access, constants, stat } from "node:fs/promises";
import path from "node:path";
import { AgentError, systemCode } from "../errors.ts";
import { makeDirectories, nodeFileSystem, syncDirectory } from "../files/file-system.ts";

/** A disk in this condition may recover; the agent works from memory until then. ENOENT: a place that is not mounted. */
const DISK_TROUBLE = new Set(["EROFS", "ENOSPC", "EDQUOT", "EIO", "ENOENT"]);

/**
 * Makes the state directory (0700) when it is missing and checks it. Resolves to a STORE_WRITE error that does not prevent a
 * start (read-only or full disk), else to undefined. Throws STORE_READ for what only a person can mend.
 */
export async function prepareDirectory(directory: string): Promise<AgentError | undefined> {
  try {
    const created = await makeDirectories(path.resolve(directory), 0o700);
    if (created !== undefined) await syncParents(directory, created);
    await check(directory);
    return undefined;
  } catch (error) {
    if (error instanceof AgentError) throw error;
    const code = systemCode(error) ?? "unknown error";
    const context = { directory, errno: code };
    if (DISK_TROUBLE.has(code)) {
      return new AgentError("STORE_WRITE", `the state directory ${directory} cannot be written (${code})`, {
        cause: error,
        context,
      });
    }
    const what =
      code === "EEXIST" || code === "ENOTDIR"
        ? "is not a directory: move that file away or name another store.directory"
        : `cannot be used (${code}): give its owner read, write and search permission`;
    throw new AgentError("STORE_READ", `the state directory ${directory} ${what}`, { cause: error, context });
  }
}

async function check(directory: string): Promise<void> {
  const { mode, uid } = await stat(directory);
  const self = process.geteuid?.() ?? 0;
  // Whoever may rename in it can exchange the state; and root's files would lock the service out later.
  if ((mode & 0o022) !== 0) {
    const octal = (mode & 0o7777).toString(8);
    const message = `the state directory ${directory} (mode ${octal}) may be written by others: chmod 0700 ${directory}`;
    throw new AgentError("STORE_READ", message, { context: { directory, mode: octal } });
  }
  if (self !== 0 && uid !== self && uid !== 0) {
    const message = `the state directory ${directory} belongs to user ${uid}, the agent runs as ${self}: chown it`;
    throw new AgentError("STORE_READ", message, { context: { directory, uid } });
  }
  await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
}

/** A new directory survives a power cut only once its name is durable in its parent, and so upwards. */
async function syncParents(directory: string, first: string): Promise<void> {
  const top = path.dirname(path.resolve(first));
  let parent = path.resolve(directory);
  do {
    parent = path.dirname(parent);
    await syncDirectory(nodeFileSystem, parent);
  } while (parent !== top && parent !== path.dirname(parent));
}
