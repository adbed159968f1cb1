import { nodeFileSystem } from "../common/files/file-system.ts";
import type { SealKey } from "../store/envelope.ts";
import { peekState } from "../store/sealed-file.ts";
import { peekKey } from "../store/store-key.ts";
import type { DiagnoseContext } from "./check.ts";
import { stateDirectoryOf } from "./facts.ts";

/** The key of the seal as the agent would take it, changed by nothing. Rejects with KEY_FILE. */
export function peekedKey({ loaded, env }: DiagnoseContext, directory: string): Promise<SealKey | "missing"> {
  const { keyFile } = loaded?.config.store ?? {};
  const { CREDENTIALS_DIRECTORY: credentialsDirectory } = env;
  return peekKey({
    ...{ directory, fileSystem: nodeFileSystem },
    ...(keyFile === undefined ? {} : { keyFile }),
    ...(credentialsDirectory === undefined ? {} : { credentialsDirectory }),
  });
}

/** The newest time that WeChat Pay has signed, Unix ms, out of the kept state; undefined where that cannot be opened, which store.read tells of. */
export async function newestSignedMs(context: DiagnoseContext): Promise<number | undefined> {
  const directory = stateDirectoryOf(context);
  try {
    const key = await peekedKey(context, directory);
    if (key === "missing") return undefined;
    const { current } = await peekState(directory, key, nodeFileSystem);
    return current.kind === "good" ? current.state.newestSignedAtS * 1_000 : undefined;
  } catch {
    return undefined;
  }
}
