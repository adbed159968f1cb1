import { readFileSync } from "node:fs";
import { systemCode } from "../errors.ts";

const GROUP_FILE = "/etc/group";

/**
 * The number of a group: of a name by /etc/group, of digits themselves. Node has no getgrnam(3), so a group that lives in a
 * directory service alone has to be given by number. Undefined when there is none of that name.
 */
export function lookupGroup(name: string, file: string = GROUP_FILE): number | undefined {
  if (/^\d{1,10}$/.test(name)) {
    const gid = Number(name);
    // 2^32 - 1 means "leave it as it is" to chown(2).
    return gid < 0xffffffff ? gid : undefined;
  }
  for (const line of readGroups(file).split("\n")) {
    const [itsName, , gid] = line.split(":");
    if (itsName === name && gid !== undefined && /^\d+$/.test(gid)) return Number(gid);
  }
  return undefined;
}

/** The groups that name this user as a member; the user's own first group stands in /etc/passwd. */
export function groupsOf(user: string): number[] {
  return entries().flatMap(({ gid, members }) => (members.includes(user) ? [gid] : []));
}

/** A group by its number; undefined when it has no name here. */
export function groupById(gid: number): { readonly name: string; readonly members: readonly string[] } | undefined {
  return entries().find((entry) => entry.gid === gid);
}

function entries(): { name: string; gid: number; members: string[] }[] {
  return readGroups(GROUP_FILE)
    .split("\n")
    .flatMap((line) => {
      const [name, , gid, members = ""] = line.split(":");
      if (name === undefined || gid === undefined || !/^\d+$/.test(gid)) return [];
      return [{ name, gid: Number(gid), members: members.split(",").filter((member) => member !== "") }];
    });
}

function readGroups(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    // A container without the file has no groups by name; anything else is a defect of the machine worth seeing.
    if (systemCode(error) === "ENOENT") return "";
    throw error;
  }
}
