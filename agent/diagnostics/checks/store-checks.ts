import { stat } from "node:fs/promises";
import path from "node:path";
import { isAgentError } from "../../common/errors.ts";
import { nodeFileSystem } from "../../common/files/file-system.ts";
import { distrustedOnTheWay } from "../../common/files/trust.ts";
import { type DescribedFailure, fileFaultText } from "../../messages/failure-text.ts";
import type { Text } from "../../messages/message.ts";
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

const fault = (reason: string): Text => fileFaultText(reason);

export function judgeKept({ current, previous, recentlyAside, identity }: Kept): Outcome {
  const value = { current: current.kind, previous: previous.kind, recently_quarantined: recentlyAside };
  if (current.kind === "good") {
    if (current.header.identity !== identity) {
      return {
        status: "warn",
        value,
        detail: { id: "store.other_identity" },
        remedy: { id: "store.check_identity" },
      };
    }
    if (previous.kind === "bad" && !previous.passing) {
      return found(
        "warn",
        { id: "store.copy_damaged", params: { fault: fault(previous.reason) } },
        { value: { ...value, reason: previous.reason }, remedy: spareIsRenewed },
      );
    }
    if (recentlyAside > 0) return { status: "warn", value, detail: recovered, remedy: watchStorage };
    return { status: "pass", value, detail: { id: "store.intact" } };
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
      detail: { id: "store.older_serves", params: { fault: fault(reason) } },
      remedy: watchStorage,
    };
  }
  return {
    status: "fail",
    value: { ...value, reason },
    detail: { id: "store.unusable", params: { fault: fault(reason) } },
    remedy: watchStorage,
  };
}

const keyPutAway: Outcome = {
  status: "skip",
  detail: { id: "store.key_put_away" },
};
const recovered: Text = { id: "store.recovered" };
const spareIsRenewed: Text = { id: "store.copy_renewed" };
const watchStorage: Text = { id: "store.watch" };

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
      detail: { id: "store.key_lost" },
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
    title: { id: "title.store.read" },
    dependsOn: ["key.file"],
    threshold: {
      warn: { id: "limit.store.read.warn" },
      fail: { id: "limit.store.read.fail" },
    },
    remedy: checkRemedy("store.read"),
    async run(context) {
      const directory = stateDirectoryOf(context);
      const access = await accessOf(context.user, directory, "x");
      if (access.kind === "unknown") return needsSudo;
      if (access.kind === "missing")
        return { status: "skip", detail: { id: "store.not_there", params: { directory } } };
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
        return { status: "fail", value: { error: error.code }, detail: error, remedy };
      }
    },
  },
  {
    id: "store.write",
    code: 602,
    section: "store",
    title: { id: "title.store.write" },
    dependsOn: ["disk.readonly", "disk.free", "store.read"],
    threshold: { warn: { id: "limit.store.write.warn" }, fail: { id: "limit.store.write.fail" } },
    remedy: checkRemedy("store.write"),
    async run(context) {
      const directory = stateDirectoryOf(context);
      const trouble = writingTrouble(context);
      if (trouble !== undefined)
        return found("fail", trouble, {
          value: trouble,
          remedy: remedyOf(trouble),
        });
      if (!context.privileged) return needsSudo;
      const probe = await writeProbeOf(context);
      if (probe.kind === "written") {
        const ms = Math.round(probe.totalMs);
        const detail: Text = { id: "store.trial_good", params: { ms } };
        const each = probe.totalMs / Math.max(1, probe.fsyncMs.length);
        return { status: each > SLOW_MS ? "warn" : "pass", value: { total_ms: ms }, detail };
      }
      const { errno, step } = probe;
      if (errno === "ENOENT") return { status: "skip", detail: { id: "store.not_there", params: { directory } } };
      return {
        status: "fail",
        value: { errno, step },
        detail: { id: "store.trial_failed", params: { directory, errno, step } },
        remedy: remedyOf({ code: "STORE_WRITE", params: { errno, directory } }) ?? checkRemedy("store.write"),
      };
    },
  },
];
