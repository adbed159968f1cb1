import { asAgentError, failureFields } from "../common/errors.ts";
import type { FileSystem } from "../common/files/file-system.ts";
import type { Log } from "../common/log/log.ts";
import type { Random } from "../common/random.ts";
import type { AbsentConfig, LoadedConfig } from "../config/load.ts";
import type { Problem } from "../config/problem.ts";
import { type Checkup, loadAll, withSecrets } from "../config/secrets/secrets.ts";
import { problemDetails } from "./problem-details.ts";
import type { Provision } from "./service.ts";

export type Found =
  | { readonly kind: "ready"; readonly provision: Provision; readonly refused: readonly Problem[] }
  /** Valid but for the files that it names: enough to serve what is kept (specification 1), and to be looked at again when one changes. */
  | { readonly kind: "secrets_refused"; readonly provision: Provision; readonly problems: readonly Problem[] }
  | AbsentConfig
  | { readonly kind: "invalid"; readonly problems: readonly Problem[] };

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The configuration to work with: the file's when it and every file it names are good; else the last one that was
 * (specification 1), with the file's problems in `refused`; else all problems at once.
 * @param wallMs Unix milliseconds, for the validity of certificates
 */
export async function loadConfiguration(file: string, env: Env, wallMs: number): Promise<Found> {
  const surroundings = { env, wallMs };
  const present = await loadAll({ file, ...surroundings });
  if (present.kind === "absent") return present;
  if (present.kind === "ok") return { kind: "ready", provision: await provisionOf(present, file, "file"), refused: [] };
  const { problems, storeDirectory } = present;
  const { readLastKnownGood } = await import("../config/files/last-known-good.ts");
  const remembered = await readLastKnownGood(storeDirectory, env);
  const again = remembered && (await withSecrets(remembered, surroundings));
  const refused = (await problemDetails(problems)).join("\n");
  if (again?.kind === "ok")
    return {
      kind: "ready",
      provision: { ...(await provisionOf(again, file, "remembered")), refused },
      refused: problems,
    };
  if (present.loaded) {
    const provision = await withoutSecrets(present.loaded, problems, file, "file");
    return { kind: "secrets_refused", provision, problems };
  }
  if (again?.kind === "invalid" && again.loaded) {
    const provision = { ...(await withoutSecrets(again.loaded, again.problems, file, "remembered")), refused };
    return { kind: "secrets_refused", provision, problems: [...problems, ...again.problems] };
  }
  return { kind: "invalid", problems };
}

/** Saves a valid configuration for the day when the file is not. A failure is logged and costs nothing else. */
export async function remember(
  { config, loaded }: Provision,
  { log, random, fileSystem }: { readonly log: Log; readonly random?: Random; readonly fileSystem?: FileSystem },
): Promise<void> {
  const { saveLastKnownGood } = await import("../config/files/last-known-good.ts");
  try {
    await saveLastKnownGood(config.store.directory, loaded, random, fileSystem);
  } catch (error) {
    log.warn("CONFIG_NOT_REMEMBERED", failureFields(asAgentError(error)));
  }
}

async function provisionOf(
  { loaded, secrets, warnings }: Checkup & { kind: "ok" },
  file: string,
  source: Provision["source"],
): Promise<Provision> {
  const { config, hash } = loaded;
  const told = await problemDetails(warnings);
  return { file, hash, source, config, secrets, loaded, warnings: told };
}

async function withoutSecrets(
  loaded: LoadedConfig,
  problems: readonly Problem[],
  file: string,
  source: Provision["source"],
): Promise<Provision> {
  const { config, hash } = loaded;
  const keys = [...new Set(problems.map(({ key }) => key))];
  return {
    file,
    hash,
    source,
    config,
    loaded,
    warnings: [],
    secretsRefused: { keys, detail: (await problemDetails(problems)).join("\n") },
  };
}
