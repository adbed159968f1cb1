import type { Outcome, ServiceUser } from "../check.ts";
import { allows, octal } from "./rights.ts";

/** What the agent demands of its directory before it starts (agent/store/directory.ts), for the service's user. */
export function judgeDirectory(
  directory: string,
  found: { readonly mode: number; readonly uid: number; readonly gid: number; readonly isDirectory: boolean },
  user: ServiceUser,
): Outcome | undefined {
  const mode = octal(found.mode);
  const fail = (zh: string, en: string, remedy: { zh: string; en: string }): Outcome => ({
    status: "fail",
    value: { directory, mode, uid: found.uid },
    detail: { zh: `数据目录 ${directory} ${zh}`, en: `the state directory ${directory} ${en}` },
    remedy,
  });
  if (!found.isDirectory) {
    return fail("不是目录", "is no directory", {
      zh: `请移走文件 ${directory}，或改写 store.directory。`,
      en: `Move the file ${directory} away, or name another store.directory.`,
    });
  }
  if ((found.mode & 0o022) !== 0) {
    const remedy = { zh: `请执行 chmod 0700 ${directory}。`, en: `Run chmod 0700 ${directory}.` };
    return fail(`的权限是 ${mode}，他人可写`, `has mode ${mode}: others may write`, remedy);
  }
  const foreign = user.uid !== 0 && found.uid !== 0 && found.uid !== user.uid;
  if (foreign || !allows(found, user, "rwx")) {
    const remedy = { zh: `请执行 chown ${user.name} ${directory}。`, en: `Run chown ${user.name} ${directory}.` };
    return fail(
      `属于用户 ${found.uid}（权限 ${mode}），服务用户 ${user.name} 无法使用`,
      `belongs to user ${found.uid} (mode ${mode}); the service's user ${user.name} cannot use it`,
      remedy,
    );
  }
  return undefined;
}
