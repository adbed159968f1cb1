import type { Distrusted } from "../../common/files/trust.ts";
import type { Outcome, ServiceUser } from "../check.ts";
import { distrusted } from "../outcomes.ts";
import { allows, octal } from "./rights.ts";

export interface FoundDirectory {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly isDirectory: boolean;
  /** What is not to be trusted on the way to it, the directory included (agent/common/files/trust.ts). */
  readonly untrusted?: Distrusted | undefined;
}

/** What the agent demands of its directory before it starts (agent/store/directory.ts), for the service's user. */
export function judgeDirectory(directory: string, found: FoundDirectory, user: ServiceUser): Outcome | undefined {
  const { uid, isDirectory, untrusted } = found;
  const mode = octal(found.mode);
  const fail = (zh: string, en: string, remedy: { zh: string; en: string }): Outcome => ({
    status: "fail",
    value: { directory, mode, uid },
    detail: { zh: `数据目录 ${directory} ${zh}`, en: `the state directory ${directory} ${en}` },
    remedy,
  });
  if (!isDirectory) {
    return fail("不是目录", "is no directory", {
      zh: `请移走文件 ${directory}，或改写 store.directory。`,
      en: `Move the file ${directory} away, or name another store.directory.`,
    });
  }
  // Root's would be trusted and of no use: that it belongs to somebody else is fixed below, for the service's user.
  const foreign = untrusted?.place === directory && untrusted.why === "owner";
  if (untrusted !== undefined && !foreign) return { ...distrusted(untrusted), value: { directory, mode, uid } };
  if (!foreign && allows(found, user, "rwx")) return undefined;
  const command = uid === user.uid ? `chmod 0700 ${directory}` : `chown ${user.name} ${directory}`;
  return fail(
    `属于用户 ${uid}（权限 ${mode}），服务用户 ${user.name} 无法使用`,
    `belongs to user ${uid} (mode ${mode}); the service's user ${user.name} cannot use it`,
    { zh: `请执行 ${command}。`, en: `Run ${command}.` },
  );
}
