import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import path from "node:path";
import { systemCode } from "../errors.ts";
import type { Bilingual } from "../language.ts";
import { distrustedOnTheWay, distrustText } from "./trust.ts";

export interface Fault {
  readonly what: Bilingual;
  readonly instead: Bilingual;
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
  | { readonly ok: false; readonly faults: readonly Fault[] };

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

function inspect(file: string, fd: number, guard: Guard, exempt: boolean): Fault[] {
  const stat = fstatSync(fd);
  if (!stat.isFile()) return [notRegular(file)];
  const faults: Fault[] = [];
  const mode = (stat.mode & 0o7777).toString(8).padStart(4, "0");
  if (!exempt && guard.secret && (stat.mode & 0o077) !== 0) {
    faults.push({
      what: {
        zh: `${file} 的权限是 ${mode}，其他用户可以访问`,
        en: `names ${file}, whose mode ${mode} lets others in`,
      },
      instead: { zh: `请执行 chmod 0400 ${file}`, en: `chmod 0400 ${file}` },
    });
  }
  if (!exempt && guard.uid !== undefined) faults.push(...distrustFaults(file, guard.uid, faults.length > 0));
  if (stat.size > guard.most) faults.push(tooLarge(file, guard.most));
  return faults;
}

/** @param told its own mode is a fault already */
function distrustFaults(file: string, uid: number, told: boolean): Fault[] {
  const found = distrustedOnTheWay([file], uid).filter(
    ({ place, why }) => !(told && place === file && why === "writable"),
  );
  return found.map((one) => ({ ...distrustText(one), place: one.place }));
}

function unopened(file: string, code: string | undefined): Fault {
  if (code === "ENOENT" || code === "ENOTDIR") {
    return {
      what: { zh: `${file} 不存在`, en: `names ${file}, which does not exist` },
      instead: { zh: "请放入该文件，或改正路径", en: "put the file there, or correct the path" },
    };
  }
  if (code === "ELOOP") {
    return {
      what: { zh: `${file} 是符号链接`, en: `names ${file}, a symbolic link` },
      instead: { zh: `请写实际文件：readlink -f ${file}`, en: `name the file itself: readlink -f ${file}` },
    };
  }
  if (code === "EACCES" || code === "EPERM") {
    return {
      what: { zh: `没有权限读取 ${file}`, en: `names ${file}, which may not be read` },
      instead: {
        zh: `请把属主改为服务用户：chown facepay-agent ${file}`,
        en: `make it the agent's: chown facepay-agent ${file}`,
      },
      unreadable: file,
    };
  }
  const reason = code ?? "unknown error";
  return {
    what: { zh: `无法读取 ${file}（${code ?? "未知错误"}）`, en: `names ${file}, which cannot be read (${reason})` },
    instead: lookAt(file),
  };
}

function notRegular(file: string): Fault {
  return {
    what: { zh: `${file} 不是普通文件`, en: `names ${file}, which is not a regular file` },
    instead: lookAt(file),
  };
}

function lookAt(file: string): Bilingual {
  return { zh: `应为普通文件：ls -l ${file}`, en: `it must be a regular file: ls -l ${file}` };
}

function tooLarge(file: string, most: number): Fault {
  return {
    what: { zh: `${file} 大于 ${most} 字节`, en: `names ${file}, which is larger than ${most} octets` },
    instead: { zh: "请放入正确的文件", en: "put the right file there" },
  };
}

function empty(file: string): Fault {
  return {
    what: { zh: `${file} 是空的`, en: `names ${file}, which is empty` },
    instead: { zh: "请重新放入该文件", en: "put the file there again" },
  };
}

function isInside(directory: string, file: string): boolean {
  const relative = path.relative(path.resolve(directory), file);
  return relative !== "" && relative !== ".." && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}
