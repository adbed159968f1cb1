import type { Clock } from "../common/clock.ts";
import { AgentError, systemCode } from "../common/errors.ts";
import { lookupGroup } from "../common/files/group.ts";
import { replaceFile } from "../common/files/replace-file.ts";
import type { Log } from "../common/log/log.ts";
import type { Config, Identity } from "../config/config.ts";
import type { AuthinfoView, CredentialService } from "../credential/credential-types.ts";
import { createAuthinfoRenderer, isServed, unavailable } from "./authinfo-document.ts";

export interface FileCopyDeps {
  readonly place: NonNullable<Config["fileCopy"]>;
  readonly credentials: Pick<CredentialService, "view" | "subscribe">;
  readonly identity: () => Identity | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Told why the file cannot be written, and with undefined when it can again. */
  readonly onTrouble: (reason: string | undefined) => void;
}

const RETRY_MS = 60_000;

/**
 * Keeps the copy for apps that can only read files (specification 2): the document of `GET /v1/authinfo`, or the problem
 * in its place. A failure is a warning and is tried again at the next change, at the latest after 60 s. Resolves when
 * the signal has fallen and the last write is done; never rejects. The file stays: a restart must not take it away.
 */
export async function startFileCopy(deps: FileCopyDeps): Promise<void> {
  const { place, credentials, clock, log, signal } = deps;
  const render = createAuthinfoRenderer();
  let wake = new AbortController();
  const unsubscribe = credentials.subscribe(() => wake.abort());
  const stop = () => wake.abort();
  signal.addEventListener("abort", stop, { once: true });
  let failing: string | undefined;
  try {
    while (!signal.aborted) {
      wake = new AbortController();
      try {
        await write(place, textOf(credentials.view(), deps.identity(), render));
        if (failing !== undefined) log.info("FILE_COPY_RECOVERED", { path: place.path });
        failing = undefined;
        deps.onTrouble(undefined);
      } catch (error) {
        const reason = systemCode(error) ?? "unknown";
        // Once for each reason, not once a minute.
        if (reason !== failing) log.warn("FILE_COPY_FAILED", { path: place.path, reason, error });
        failing = reason;
        deps.onTrouble(reason);
      }
      if (signal.aborted) break;
      // Woken early, which is a rejection, by a change or by the end: both are looked at next.
      await clock
        .sleep(failing === undefined ? Number.POSITIVE_INFINITY : RETRY_MS, wake.signal)
        .catch(() => undefined);
    }
  } finally {
    unsubscribe();
    signal.removeEventListener("abort", stop);
  }
}

function textOf(
  view: AuthinfoView,
  identity: Identity | undefined,
  render: ReturnType<typeof createAuthinfoRenderer>,
): string {
  const { credential } = view;
  const held = credential !== undefined && identity !== undefined && isServed(view.state);
  return `${held ? render(view, credential, identity) : unavailable(view).body}\n`;
}

async function write({ path, mode, group }: FileCopyDeps["place"], text: string): Promise<void> {
  const gid = group === undefined ? undefined : lookupGroup(group);
  if (group !== undefined && gid === undefined) {
    throw new AgentError("CONFIG_INVALID.file_copy_group", { group });
  }
  await replaceFile(path, text, { mode, ...(gid === undefined ? {} : { gid }) });
}
