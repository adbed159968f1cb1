import { stat } from "node:fs/promises";
import path from "node:path";
import { distrustedOnTheWay } from "../../common/files/trust.ts";
import type { Problem } from "../../config/problem.ts";
import type { SecretKey } from "../../config/secrets/named-files.ts";
import { checkRemedy } from "../../messages/remedies/remedies.ts";
import { textOf } from "../../messages/text-of.ts";
import type { Check, DiagnoseContext, Outcome } from "../check.ts";
import { isPutAway, secretsOf, unitsReadingOf } from "../facts.ts";
import { accessOf } from "../host/rights.ts";
import { distrusted, needsSudo, remedyOfProblem, systemdLate, withoutConfig } from "../outcomes.ts";

export function failed(problem: Problem): Outcome {
  const { key, origin, what } = problem;
  return {
    status: "fail",
    value: { key, origin },
    detail: { zh: `${key}：${textOf(what).zh}`, en: `${key} ${textOf(what).en}` },
    remedy: remedyOfProblem(problem),
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
      detail: {
        zh: `${key}：用户 ${user.name} 无法读取 ${file}（${at} 的权限是 ${mode}）`,
        en: `${key}: the user ${user.name} cannot read ${file} (mode ${mode} of ${at})`,
      },
      remedy:
        at === file
          ? { zh: `请执行 chown ${user.name} ${file}。`, en: `Run chown ${user.name} ${file}.` }
          : { zh: `请执行 chmod o+x ${at}。`, en: `Run chmod o+x ${at}.` },
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
      detail: { zh: "密钥由 TPM 加密，只在本机可用", en: "bound to this machine's TPM" },
    };
  }
  if (source.encrypted) {
    return {
      status: "warn",
      value,
      detail: {
        zh: "密钥由本机密钥加密：单独拷走文件无用，整盘可用",
        en: "encrypted by a key of this disk: safe against a copied file, not against a stolen disk",
      },
    };
  }
  return {
    status: "warn",
    value,
    detail: source.given
      ? {
          zh: "密钥是普通文件：只在状态文件被单独拷走时起保护作用",
          en: "plain key files: the seal protects a copied state file only",
        }
      : {
          zh: "加密密钥与数据存放在同一存储中，整卡被复制时不起保护作用",
          en: "the seal's key lies beside the state: a copied card gives both",
        },
  };
}

export const keyChecks: readonly Check[] = [
  {
    id: "key.file",
    code: 304,
    section: "config",
    title: { zh: "密钥文件", en: "Key files" },
    dependsOn: [],
    threshold: {
      fail: "unreadable for the service, open to others, a link, damaged, or in a directory open to others",
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
        detail: { zh: `${count} 个文件正常`, en: `${count} files are fine` },
      };
    },
  },
  {
    id: "cred.tpm",
    standing: true,
    code: 307,
    section: "config",
    title: { zh: "密钥保护", en: "Key protection" },
    dependsOn: [],
    threshold: { warn: "not bound to a TPM" },
    remedy: checkRemedy("cred.tpm"),
    async run(context) {
      const reading = await unitsReadingOf(context);
      if (reading.kind === "late") return systemdLate;
      if (reading.kind === "not_installed") {
        return {
          status: "skip",
          detail: { zh: "未安装为系统服务，没有系统凭据", en: "no service unit, so no system credentials" },
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
