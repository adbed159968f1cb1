import type { Distrusted } from "../../common/files/trust.ts";
import type { Text } from "../../messages/message.ts";
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
  const fail = (fault: Text, remedy: Text): Outcome => ({
    status: "fail",
    value: { directory, mode, uid },
    detail: { id: "directory.fault", params: { directory, fault } },
    remedy,
  });
  if (!isDirectory) return fail({ id: "directory.not_one" }, { id: "directory.move", params: { directory } });
  // Root's would be trusted and of no use: that it belongs to somebody else is fixed below, for the service's user.
  const foreign = untrusted?.place === directory && untrusted.why === "owner";
  if (untrusted !== undefined && !foreign) return { ...distrusted(untrusted), value: { directory, mode, uid } };
  if (!foreign && allows(found, user, "rwx")) return undefined;
  return fail(
    { id: "directory.other_owner", params: { uid, mode, user: user.name } },
    uid === user.uid
      ? { id: "directory.open", params: { directory } }
      : { id: "keys.give", params: { user: user.name, file: directory } },
  );
}
