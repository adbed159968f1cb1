import { lstatSync, readFileSync, readlinkSync, type Stats } from "node:fs";
import path from "node:path";
import { systemCode } from "../errors.ts";
import type { FileMessage } from "./file-messages.ts";

/** A file or directory by which others could decide whom the agent trusts (specification 2). */
export interface Distrusted {
  readonly place: string;
  readonly why: "owner" | "writable" | "link_owner";
  readonly uid: number;
  readonly mode: number;
  /** Who is to own it. */
  readonly owner: string;
}

const PACKAGED_USER = "facepay-agent";
/** As the kernel: path_resolution(7). */
const MOST_LINKS = 40;

/**
 * The one rule: it belongs to root or to the agent's user, and neither its group nor others may write it. Where a directory is sticky others
 * may add to it, but not exchange what belongs to us. An access control list that lets somebody else write shows in the group's bits (acl(5)).
 */
export function distrust(
  { mode, uid }: Pick<Stats, "mode" | "uid">,
  owners: ReadonlySet<number>,
): Distrusted["why"] | undefined {
  const kind = mode & 0o170000;
  const isLink = kind === 0o120000;
  if (!owners.has(uid)) return isLink ? "link_owner" : "owner";
  const sticky = kind === 0o040000 && (mode & 0o1000) !== 0;
  return isLink || sticky || (mode & 0o022) === 0 ? undefined : "writable";
}

/**
 * Judges every component on the way to each of these places, through links, and says each that is not to be trusted once. What is not there
 * decides nothing yet; what may not be looked at is for whoever may.
 * @param uid the agent's user
 */
export function distrustedOnTheWay(places: readonly string[], uid: number): Distrusted[] {
  const owners = new Set([0, uid, ...packagedUser()]);
  const own = uid !== 0 ? String(uid) : packagedUser().length > 0 ? PACKAGED_USER : "root";
  const seen = new Set<string>();
  const found: Distrusted[] = [];
  const judge = (place: string, stat: Stats) => {
    if (seen.has(place)) return;
    seen.add(place);
    const why = distrust(stat, owners);
    // A file has to be the agent's own: root's may be closed to it.
    const owner = stat.isFile() ? own : "root";
    if (why !== undefined) found.push({ place, why, uid: stat.uid, mode: stat.mode & 0o7777, owner });
  };
  for (const place of places) walk(path.resolve(place), judge);
  return found;
}

function walk(place: string, judge: (place: string, stat: Stats) => void): void {
  let at = "/";
  let rest = place.split("/").filter((name) => name !== "");
  try {
    judge(at, lstatSync(at));
    for (let links = 0; rest.length > 0 && links <= MOST_LINKS; ) {
      const [name = "", ...others] = rest;
      const next = path.join(at, name);
      const stat = lstatSync(next);
      judge(next, stat);
      if (stat.isSymbolicLink()) {
        links++;
        const target = path.resolve(at, readlinkSync(next));
        rest = [...target.split("/").filter((part) => part !== ""), ...others];
        at = "/";
      } else {
        at = next;
        rest = others;
      }
    }
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
  }
}

/** What is wrong with it, and what to do. */
export function distrustText({ place, why, uid, mode, owner }: Distrusted): {
  what: FileMessage;
  instead: FileMessage;
} {
  if (why === "writable") {
    return {
      what: { id: "trust.writable", params: { place, mode: mode.toString(8).padStart(4, "0") } },
      instead: { id: "trust.close", params: { place } },
    };
  }
  return {
    what: { id: "trust.owner", params: { place, uid } },
    instead:
      why === "link_owner"
        ? { id: "trust.give_link", params: { place } }
        : { id: "trust.give", params: { place, owner } },
  };
}

let packaged: readonly number[] | undefined;

/** The package's user, whom root and technicians look after: `sudo facepay-agent config check` judges for the service. */
function packagedUser(): readonly number[] {
  packaged ??= [...passwd().matchAll(new RegExp(`^${PACKAGED_USER}:[^:]*:(\\d+):`, "gm"))].map((found) =>
    Number(found[1]),
  );
  return packaged;
}

function passwd(): string {
  try {
    return readFileSync("/etc/passwd", "latin1");
  } catch {
    // A container without one has no such user.
    return "";
  }
}
