import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import path from "node:path";
import { systemCode } from "../errors.ts";
import type { FileMessage } from "./file-messages.ts";
import { distrustedOnTheWay, distrustText } from "./trust.ts";

export interface FileFault {
  readonly what: FileMessage;
  readonly instead: FileMessage;
  /** The file that this user has no right to read: perhaps no fault at all. */
  readonly unreadable?: string;
  /** What is not to be trusted on the way to the file: one fault for all that lie there. */
  readonly place?: string;
}

export interface Guard {
  /** A secret must be closed to everyone else as well. */
  readonly secret: boolean;
  readonly most: number;
  /** The agent's user; undefined leaves unchecked who may change the file. */
  readonly uid: number | undefined;
  /** `$CREDENTIALS_DIRECTORY`: systemd guards what is in it. */
  readonly credentialsDirectory: string | undefined;
}

export type GuardedRead =
  | { readonly ok: true; readonly bytes: Buffer }
  | { readonly ok: false; readonly faults: readonly FileFault[] };

const LEAST_ROOM = 16 * 1024;

/**
 * Opens, looks at what was opened (never at the name a second time, which could lead elsewhere by then), and reads it. A
 * secret is not read at all while others can. Never throws. Synchronous: these files are few and small and read before
 * anything is served, where every asynchronous step would cost a start a trip to another thread and back.
 */
export function readGuarded(file: string, guard: Guard): GuardedRead {
  const exempt = guard.credentialsDirectory !== undefined && isInside(guard.credentialsDirectory, file);
  const strict = guard.secret && !exempt;
  try {
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | (strict ? constants.O_NOFOLLOW : 0);
    const fd = openSync(file, flags);
    try {
      return readOpened(file, fd, guard, exempt);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    return { ok: false, faults: [unopened(file, systemCode(error))] };
  }
}

function readOpened(file: string, fd: number, guard: Guard, exempt: boolean): GuardedRead {
  const faults = inspect(file, fd, guard, exempt);
  if (faults.length > 0) return { ok: false, faults };
  // As large as the file, and a little for files that do not tell their size: not the megabyte that would be allowed.
  const room = Math.min(Math.max(fstatSync(fd).size, LEAST_ROOM), guard.most) + 1;
  const buffer = Buffer.alloc(room);
  const bytesRead = readSync(fd, buffer, 0, buffer.length, 0);
  return judgeContent(file, buffer.subarray(0, bytesRead), guard.most);
}

/** What a file holds, or is to hold. */
export function judgeContent(file: string, bytes: Buffer, most: number): GuardedRead {
  if (bytes.length > most) return { ok: false, faults: [tooLarge(file, most)] };
  return bytes.toString("latin1").trim() === "" ? { ok: false, faults: [empty(file)] } : { ok: true, bytes };
}

function inspect(file: string, fd: number, guard: Guard, exempt: boolean): FileFault[] {
  const stat = fstatSync(fd);
  if (!stat.isFile()) return [notRegular(file)];
  const faults: FileFault[] = [];
  const mode = (stat.mode & 0o7777).toString(8).padStart(4, "0");
  if (!exempt && guard.secret && (stat.mode & 0o077) !== 0) {
    faults.push({
      what: { id: "file.open_to_others", params: { file, mode } },
      instead: { id: "file.close_to_others", params: { file } },
    });
  }
  if (!exempt && guard.uid !== undefined) faults.push(...distrustFaults(file, guard.uid, faults.length > 0));
  if (stat.size > guard.most) faults.push(tooLarge(file, guard.most));
  return faults;
}

/** @param told its own mode is a fault already */
function distrustFaults(file: string, uid: number, told: boolean): FileFault[] {
  const found = distrustedOnTheWay([file], uid).filter(
    ({ place, why }) => !(told && place === file && why === "writable"),
  );
  return found.map((one) => ({ ...distrustText(one), place: one.place }));
}

function unopened(file: string, code: string | undefined): FileFault {
  if (code === "ENOENT" || code === "ENOTDIR") {
    return {
      what: { id: "file.missing", params: { file } },
      instead: { id: "file.put_or_correct_path" },
    };
  }
  if (code === "ELOOP") {
    return {
      what: { id: "file.symbolic_link", params: { file } },
      instead: { id: "file.name_itself", params: { file } },
    };
  }
  if (code === "EACCES" || code === "EPERM") {
    return {
      what: { id: "file.forbidden", params: { file } },
      instead: { id: "file.give_to_service", params: { file } },
      unreadable: file,
    };
  }
  return {
    what: { id: "file.unreadable", params: { file, code: code ?? "?" } },
    instead: lookAt(file),
  };
}

function notRegular(file: string): FileFault {
  return {
    what: { id: "file.not_regular", params: { file } },
    instead: lookAt(file),
  };
}

function lookAt(file: string): FileMessage {
  return { id: "file.look", params: { file } };
}

function tooLarge(file: string, most: number): FileFault {
  return {
    what: { id: "file.too_large", params: { file, most } },
    instead: { id: "file.put_right_one" },
  };
}

function empty(file: string): FileFault {
  return {
    what: { id: "file.empty", params: { file } },
    instead: { id: "file.put_again" },
  };
}

function isInside(directory: string, file: string): boolean {
  const relative = path.relative(path.resolve(directory), file);
  return relative !== "" && relative !== ".." && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}
