import { readFile, stat } from "node:fs/promises";
import { groupsOf } from "../../common/files/group.ts";
import type { ServiceUser } from "../check.ts";

/** What the unit says of its user (systemd.exec(5)). */
export interface UnitUser {
  readonly user: string;
  readonly group: string;
  readonly supplementaryGroups: readonly string[];
}

const PASSWD = "/etc/passwd";

interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Of the calling user. */
export async function ownUser(): Promise<ServiceUser> {
  const uid = process.geteuid?.() ?? 0;
  const gid = process.getegid?.() ?? 0;
  const account = await accountOf((known) => known.uid === uid);
  return { name: account?.name ?? String(uid), uid, gid, gids: process.getgroups?.() ?? [gid] };
}

/** Of a running process, as the kernel counts it. Undefined when it has ended or may not be looked at. */
export async function userOfProcess(pid: number): Promise<ServiceUser | undefined> {
  const text = await readFile(`/proc/${pid}/status`, "latin1").catch(() => "");
  const numbers = (label: string) =>
    (new RegExp(`^${label}:\\s*(.*)$`, "m").exec(text)?.[1] ?? "")
      .split(/\s+/)
      .filter((word) => /^\d+$/.test(word))
      .map(Number);
  // Real, effective, saved, file system (proc(5)).
  const uid = numbers("Uid")[1];
  const gid = numbers("Gid")[1];
  if (uid === undefined || gid === undefined) return undefined;
  const account = await accountOf((known) => known.uid === uid);
  return { name: account?.name ?? String(uid), uid, gid, gids: [gid, ...numbers("Groups")] };
}

/** Of a unit, by its names. Undefined when the user does not exist: the unit cannot start then. */
export async function userOfUnit(
  unit: UnitUser,
  groupId: (name: string) => number | undefined,
): Promise<ServiceUser | undefined> {
  const name = unit.user === "" ? "root" : unit.user;
  const account = await accountOf((known) => known.name === name || String(known.uid) === name);
  if (account === undefined) return undefined;
  const gid = unit.group === "" ? account.gid : groupId(unit.group);
  if (gid === undefined) return undefined;
  const more = unit.supplementaryGroups.map((name) => groupId(name)).filter((id) => id !== undefined);
  return { name: account.name, uid: account.uid, gid, gids: [gid, ...groupsOf(account.name), ...more] };
}

/** Of the owner of a directory, for an agent that is no unit and does not run: its state belongs to its user. */
export async function userOfOwner(directory: string): Promise<ServiceUser | undefined> {
  const found = await stat(directory).catch(() => undefined);
  if (found === undefined) return undefined;
  const account = await accountOf((known) => known.uid === found.uid);
  if (account === undefined) return undefined;
  return { ...account, gids: [account.gid, ...groupsOf(account.name)] };
}

/** By /etc/passwd: Node has no getpwnam(3), and a service's user stands there. */
async function accountOf(isIt: (account: Account) => boolean): Promise<Account | undefined> {
  const text = await readFile(PASSWD, "utf8").catch(() => "");
  for (const line of text.split("\n")) {
    const [name = "", , uid = "", gid = ""] = line.split(":");
    if (!/^\d+$/.test(uid) || !/^\d+$/.test(gid)) continue;
    const account = { name, uid: Number(uid), gid: Number(gid) };
    if (isIt(account)) return account;
  }
  return undefined;
}
