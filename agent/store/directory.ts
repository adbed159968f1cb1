import { access, constants } from "node:fs/promises";
import path from "node:path";
import { AgentError, errnoOf } from "../common/errors.ts";
import { makeDirectories, nodeFileSystem, syncDirectory } from "../common/files/file-system.ts";
import { distrustedOnTheWay } from "../common/files/trust.ts";

/** A disk in this condition may recover; the agent works from memory until then. ENOENT: a place that is not mounted. EPERM: immutable (chattr). */
const DISK_TROUBLE = new Set(["EROFS", "ENOSPC", "EDQUOT", "EIO", "ENOENT", "EPERM"]);

/**
 * Makes the state directory (0700) when it is missing and checks it. Resolves to a STORE_WRITE error that does not prevent a
 * start (read-only, immutable or full disk), else to undefined. Throws STORE_READ for what only a person can fix.
 */
export async function prepareDirectory(directory: string): Promise<AgentError | undefined> {
  try {
    const created = await makeDirectories(path.resolve(directory), 0o700);
    if (created !== undefined) await syncParents(directory, created);
    return await check(directory);
  } catch (error) {
    if (error instanceof AgentError) throw error;
    const errno = errnoOf(error);
    if (DISK_TROUBLE.has(errno)) {
      return new AgentError("STORE_WRITE.directory", { directory, errno }, { cause: error });
    }
    if (errno === "EEXIST" || errno === "ENOTDIR") {
      throw new AgentError("STORE_READ.not_directory", { directory }, { cause: error });
    }
    throw new AgentError("STORE_READ.directory", { directory, errno }, { cause: error });
  }
}

async function check(directory: string): Promise<AgentError | undefined> {
  const self = process.geteuid?.() ?? 0;
  // A user who may rename files in it, or in its parents, can replace the state.
  const [first] = distrustedOnTheWay([directory], self);
  if (first?.why === "writable") {
    throw new AgentError("STORE_READ.writable_by_others", { directory: first.place, mode: first.mode.toString(8) });
  }
  if (first !== undefined) throw new AgentError("STORE_READ.owner", { directory: first.place, owner: first.uid, self });
  await access(directory, constants.R_OK | constants.X_OK);
  try {
    await access(directory, constants.W_OK);
    return undefined;
  } catch (error) {
    // What is kept can be served all the same. Where nothing is, somebody has set up the wrong directory or user.
    await access(path.join(directory, "state.sealed"), constants.R_OK).catch(() => {
      throw error;
    });
    return new AgentError("STORE_WRITE.directory", { directory, errno: errnoOf(error) }, { cause: error });
  }
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
