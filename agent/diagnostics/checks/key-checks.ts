import { stat } from "node:fs/promises";
import path from "node:path";
import { distrustedOnTheWay } from "../../common/files/trust.ts";
import type { Problem } from "../../config/problem.ts";
import type { SecretKey } from "../../config/secrets/named-files.ts";
import { checkRemedy } from "../../messages/remedies/remedies.ts";
import type { Check, DiagnoseContext, Outcome } from "../check.ts";
import { isPutAway, secretsOf, unitsReadingOf } from "../facts.ts";
import { accessOf } from "../host/rights.ts";
import { distrusted, needsSudo, systemdLate, withoutConfig } from "../outcomes.ts";

export function failed(problem: Problem): Outcome {
  const { key, origin, what } = problem;
  return {
    status: "fail",
    value: { key, origin },
    detail: { id: "keys.problem", params: { key, what } },
    remedy: problem.instead,
  };
}

async function reachable(context: DiagnoseContext, key: SecretKey, file: string): Promise<Outcome | undefined> {
  const { user, trial } = context;
  // What is written only after the trial will have the right owner and mode, where it lies in a directory that lets the service in.
  const given = trial?.files.has(file) === true;
  const access = given ? await accessOf(user, path.dirname(file), "x") : await accessOf(user, file, "r");
  if (access.kind === "unknown") return needsSudo;
  if (access.kind === "denied") {
    const { at, mode } = access;
    return {
      status: "fail",
      value: { key, file, at, mode },
      detail: { id: "keys.unreadable", params: { key, user: user.name, file, at, mode } },
      remedy:
        at === file
          ? { id: "keys.give", params: { user: user.name, file } }
          : { id: "keys.open_directory", params: { at } },
    };
  }
  if (access.kind === "missing") return undefined;
  const [found] = distrustedOnTheWay([given ? path.dirname(file) : file], user.uid);
  return found && distrusted(found);
}

async function fileProblem(context: DiagnoseContext): Promise<Outcome | undefined> {
  const { loaded, env } = context;
  const { problems } = await secretsOf(context);
  const own = problems.filter(
    // Of the configuration's own files cfg.perms tells.
    ({ check, key }) =>
      check === undefined && key !== "" && !isPutAway(loaded?.named.get(key as SecretKey) ?? "", context),
  );
  // Mode and owner are facts for everybody; that a file cannot be read is one only for those who should be able to.
  const [first] = own;
  if (first !== undefined && context.privileged) return failed(first);
  for (const [key, file] of loaded?.named ?? []) {
    // systemd guards what is in there (systemd.exec(5)).
    if (env.CREDENTIALS_DIRECTORY !== undefined && file.startsWith(`${env.CREDENTIALS_DIRECTORY}/`)) continue;
    if (isPutAway(file, context)) continue;
    const barred = await reachable(context, key, file);
    if (barred !== undefined) return barred;
  }
  // The service's user may read it all, but whether it is any good could not be seen.
  return first === undefined ? undefined : needsSudo;
}

/** What the seal of the state protects, said plainly: it depends on where its key lies. */
export function judgeSeal(source: {
  readonly encrypted: boolean;
  readonly tpm: boolean;
  readonly given: boolean;
}): Outcome {
  const value = { encrypted: source.encrypted, tpm: source.tpm };
  if (source.encrypted && source.tpm) {
    return {
      status: "pass",
      value,
      detail: { id: "keys.tpm" },
    };
  }
  if (source.encrypted) {
    return {
      status: "warn",
      value,
      detail: { id: "keys.host_key" },
    };
  }
  return {
    status: "warn",
    value,
    detail: source.given ? { id: "keys.plain" } : { id: "keys.beside_state" },
  };
}

export const keyChecks: readonly Check[] = [
  {
    id: "key.file",
    code: 304,
    section: "config",
    title: { id: "title.key.file" },
    dependsOn: [],
    threshold: {
      fail: { id: "limit.key.file.fail" },
    },
    remedy: checkRemedy("key.file"),
    async run(context) {
      const { loaded } = context;
      if (loaded === undefined) return withoutConfig();
      const problem = await fileProblem(context);
      if (problem !== undefined) return problem;
      const count = loaded.named.size;
      return {
        status: "pass",
        value: { files: count },
        detail: { id: "keys.good", params: { count } },
      };
    },
  },
  {
    id: "cred.tpm",
    standing: true,
    code: 307,
    section: "config",
    title: { id: "title.cred.tpm" },
    dependsOn: [],
    threshold: { warn: { id: "limit.cred.tpm.warn" } },
    remedy: checkRemedy("cred.tpm"),
    async run(context) {
      const reading = await unitsReadingOf(context);
      if (reading.kind === "late") return systemdLate;
      if (reading.kind === "not_installed") {
        return {
          status: "skip",
          detail: { id: "keys.no_credentials" },
        };
      }
      const encrypted = reading.units.credentials.some((credential) => credential.encrypted);
      const tpm = await stat("/dev/tpmrm0").then(
        () => true,
        () => false,
      );
      return judgeSeal({ encrypted, tpm, given: context.loaded?.config.store.keyFile !== undefined });
    },
  },
];
