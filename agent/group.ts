import { readFile } from "node:fs/promises";

/**
 * The number of a group, undefined when there is none of that name. Node has no getgrnam(3); a service's groups stand
 * in /etc/group (systemd-sysusers and groupadd write it). A number is taken as it is.
 */
export async function groupId(group: string, groupFile = "/etc/group"): Promise<number | undefined> {
  if (/^\d{1,9}$/.test(group)) return Number(group);
  for (const line of (await readFile(groupFile, "utf8")).split("\n")) {
    const [name, , id] = line.split(":");
    if (name === group && id !== undefined && /^\d{1,10}$/.test(id)) return Number(id);
  }
  return undefined;
}
