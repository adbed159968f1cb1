import { stat } from "node:fs/promises";
import path from "node:path";
import { isAgentError } from "../../common/errors.ts";
import { nodeFileSystem } from "../../common/files/file-system.ts";
import { distrustedOnTheWay } from "../../common/files/trust.ts";
import { type DescribedFailure, failureText, fileFaultText } from "../../messages/failure-text.ts";
import { checkRemedy, failureOf, remedyOf } from "../../messages/remedies/remedies.ts";
import type { Found } from "../../store/recover.ts";
import { peekState } from "../../store/sealed-file.ts";
import { identityDigest } from "../../store/state-format.ts";
import { peekKey } from "../../store/store-key.ts";
import type { Check, DiagnoseContext, Outcome } from "../check.ts";
import { isPutAway, stateDirectoryOf, unitsOf } from "../facts.ts";
import { accessOf } from "../host/rights.ts";
import { judgeDirectory } from "../host/state-directory.ts";
import { found, needsSudo, nothingKept, systemdLate, withoutConfig } from "../outcomes.ts";
import { writeProbeOf } from "./disk-checks.ts";

const SLOW_MS = 1_000;
const RECENT_MS = 7 * 86_400_000;

export interface Kept {
  readonly current: Found;
  readonly previous: Found;
  /** Files moved aside within the last week. */
  readonly recentlyAside: number;
  readonly identity: string;
}

export function judgeKept({ current, previous, recentlyAside, identity }: Kept): Outcome {
  const value = { current: current.kind, previous: previous.kind, recently_quarantined: recentlyAside };
  if (current.kind === "good") {
    if (current.header.identity !== identity) {
      return {
        status: "warn",
        value,
        detail: {
          zh: "本地数据属于其他商户或门店，不会使用",
          en: "what is kept belongs to another merchant or shop; it is not used",
        },
        remedy: {
          zh: "如刚更换商户，无需处理；否则请核对 [identity]。",
          en: "Nothing to do after a change of merchant; else check [identity].",
        },
      };
    }
    if (previous.kind === "bad" && !previous.passing) {
      const { zh, en } = fileFaultText(previous.reason);
      return found(
        "warn",
        `当前数据完好，上一份备份 state.prev.sealed 已损坏（${zh}）`,
        `what is in use is intact; the older copy state.prev.sealed is damaged (${en})`,
        { value: { ...value, reason: previous.reason }, remedy: spareIsRenewed },
      );
    }
    if (recentlyAside > 0) return { status: "warn", value, detail: recovered, remedy: watchStorage };
    return { status: "pass", value, detail: { zh: "完好", en: "intact" } };
  }
  if (current.kind === "missing" && previous.kind === "missing") {
    if (recentlyAside > 0) return { status: "warn", value, detail: recovered, remedy: watchStorage };
    return nothingKept;
  }
  const reason = current.kind === "bad" ? current.reason : "missing";
  if (previous.kind === "good") {
    return {
      status: "warn",
      value: { ...value, reason },
      detail: {
        zh: `state.sealed 已损坏（${fileFaultText(reason).zh}），将使用上一份`,
        en: `state.sealed is damaged (${fileFaultText(reason).en}); the one before serves`,
      },
      remedy: watchStorage,
    };
  }
  return {
    status: "fail",
    value: { ...value, reason },
    detail: {
      zh: `本地数据无法打开（${fileFaultText(reason).zh}），只能联网重新获取`,
      en: `what is kept cannot be opened (${fileFaultText(reason).en}); it has to be fetched anew`,
    },
    remedy: watchStorage,
  };
}

const keyPutAway: Outcome = {
  status: "skip",
  detail: {
    zh: "加密密钥是系统凭据，服务运行时才能读取",
    en: "the seal's key is a system credential, there only while the service runs",
  },
};
const recovered = { zh: "一周内曾损坏并已恢复", en: "damaged and recovered within the last week" } as const;
const spareIsRenewed = {
  zh: "下次写入时自动补上；如反复出现请更换存储。",
  en: "It is made again with the next write; if this recurs, replace the storage.",
} as const;
const watchStorage = {
  zh: "数据会自动重新获取；如反复出现请更换存储。",
  en: "It is fetched again by itself; if this recurs, replace the storage.",
} as const;

async function keptIn(context: DiagnoseContext, directory: string): Promise<Outcome> {
  const { loaded, env, clock } = context;
  if (loaded === undefined) return withoutConfig();
  const { keyFile } = loaded.config.store;
  const { CREDENTIALS_DIRECTORY: credentialsDirectory } = env;
  const units = await unitsOf(context);
  const credential = keyFile === undefined && units?.credentials.some(({ name }) => name === "store-key");
  if (isPutAway(keyFile ?? "", context) || (credential && credentialsDirectory === undefined)) return keyPutAway;
  if (units === undefined && context.installed && keyFile === undefined) return systemdLate;
  const key = await peekKey({
    ...{ directory, fileSystem: nodeFileSystem },
    ...(keyFile === undefined ? {} : { keyFile }),
    ...(credentialsDirectory === undefined ? {} : { credentialsDirectory }),
  });
  const sealed = await stat(path.join(directory, "state.sealed")).catch(() => undefined);
  if (key === "missing") {
    if (sealed === undefined) return nothingKept;
    return {
      status: "fail",
      value: { key: "missing" },
      detail: {
        zh: "加密密钥 store.key 丢失，本地数据无法打开",
        en: "the seal's key store.key is lost, so what is kept cannot be opened",
      },
      remedy: watchStorage,
    };
  }
  const { current, previous, aside } = await peekState(directory, key, nodeFileSystem);
  const ages = await Promise.all(
    aside.map((name) =>
      stat(path.join(directory, name)).then(
        (one) => one.ctimeMs,
        () => 0,
      ),
    ),
  );
  const recentlyAside = ages.filter((changed) => clock.wall() - changed < RECENT_MS).length;
  return judgeKept({ current, previous, recentlyAside, identity: identityDigest(loaded.config.identity) });
}

/** What the running agent says of its own writing. */
function writingTrouble({ agent }: DiagnoseContext): DescribedFailure | undefined {
  if (agent.kind !== "running") return undefined;
  const { store } = agent.status;
  return store?.problem?.code === "STORE_WRITE" ? store.problem : undefined;
}

export const storeChecks: readonly Check[] = [
  {
    id: "store.read",
    code: 601,
    section: "store",
    title: { zh: "本地数据", en: "Kept state" },
    dependsOn: ["key.file"],
    threshold: {
      warn: "recovered from the one before, or within a week; the older copy damaged",
      fail: "unusable directory, damaged, or key lost",
    },
    remedy: checkRemedy("store.read"),
    async run(context) {
      const directory = stateDirectoryOf(context);
      const access = await accessOf(context.user, directory, "x");
      if (access.kind === "unknown") return needsSudo;
      if (access.kind === "missing")
        return { status: "skip", detail: { zh: `${directory} 尚未建立`, en: `${directory} is not there yet` } };
      const seen = await stat(directory);
      const { mode, uid, gid } = seen;
      const [untrusted] = distrustedOnTheWay([directory], context.user.uid);
      const whole = { mode, uid, gid, isDirectory: seen.isDirectory(), untrusted };
      const bad = judgeDirectory(directory, whole, context.user);
      if (bad !== undefined) return bad;
      if (!context.privileged) return needsSudo;
      try {
        return await keptIn(context, directory);
      } catch (error) {
        if (!isAgentError(error, "KEY_FILE")) throw error;
        const remedy = remedyOf(failureOf(error)) ?? checkRemedy("key.file");
        return { status: "fail", value: { error: error.code }, detail: failureText(error), remedy };
      }
    },
  },
  {
    id: "store.write",
    code: 602,
    section: "store",
    title: { zh: "写入数据", en: "Writing" },
    dependsOn: ["disk.readonly", "disk.free", "store.read"],
    threshold: { warn: "trial write > 1 s", fail: "refused (errno), or the agent could not write" },
    remedy: checkRemedy("store.write"),
    async run(context) {
      const directory = stateDirectoryOf(context);
      const trouble = writingTrouble(context);
      if (trouble !== undefined)
        return found("fail", failureText(trouble).zh, failureText(trouble).en, {
          value: trouble,
          remedy: remedyOf(trouble),
        });
      if (!context.privileged) return needsSudo;
      const probe = await writeProbeOf(context);
      if (probe.kind === "written") {
        const ms = Math.round(probe.totalMs);
        const detail = { zh: `试写正常（${ms} 毫秒）`, en: `a trial write went well (${ms} ms)` };
        const each = probe.totalMs / Math.max(1, probe.fsyncMs.length);
        return { status: each > SLOW_MS ? "warn" : "pass", value: { total_ms: ms }, detail };
      }
      const { errno, step } = probe;
      if (errno === "ENOENT")
        return { status: "skip", detail: { zh: `${directory} 尚未建立`, en: `${directory} is not there yet` } };
      return {
        status: "fail",
        value: { errno, step },
        detail: {
          zh: `${directory}：试写失败（${errno}，${step}）`,
          en: `${directory}: a trial write failed (${errno} in ${step})`,
        },
        remedy: remedyOf({ code: "STORE_WRITE", params: { errno, directory } }) ?? checkRemedy("store.write"),
      };
    },
  },
];
