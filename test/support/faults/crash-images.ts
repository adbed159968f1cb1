import { createHash } from "node:crypto";
import {
  applyChange,
  type CrashDisk,
  type DataChange,
  type Image,
  type LiveFile,
  type NameChange,
  type StoredFile,
} from "./crash-files.ts";

const SECTOR = 512;
const PAGE = 4096;
const EMPTY = Buffer.alloc(0);

/**
 * Every state in which the disk may be found when the power fails after the first `count` changes of its journal. What was
 * not synced is left in any combination: each change of a name applied or dropped, in so far as what it builds upon is there,
 * a rename also with the old name left behind; each write applied, dropped, cut off at any sector with or without zeros after
 * it, with any sector full of garbage, or with any page missing.
 */
export function* crashImages(disk: CrashDisk, count: number): Generator<Image> {
  const { names, contents } = disk.baseFiles;
  const durable = new Map<LiveFile, Buffer>(contents);
  const data = new Map<LiveFile, DataChange[]>();
  let pending: NameChange[] = [];
  const modes = new Map<LiveFile, number>([...contents.keys()].map((file) => [file, file.mode]));
  for (const change of disk.journal.slice(0, count)) {
    if (change.kind === "sync_directory") {
      for (const settled of pending) applyChange(names, durable, settled);
      pending = [];
    } else if (change.kind === "write" || change.kind === "truncate") {
      data.set(change.file, [...(data.get(change.file) ?? []), change]);
    } else if (change.kind === "sync") {
      for (const settled of data.get(change.file) ?? []) applyChange(names, durable, settled);
      data.delete(change.file);
    } else if ("name" in change) {
      pending.push(change);
      modes.set(change.file, change.file.mode);
    }
  }
  const outcomes = new Map<LiveFile, readonly Buffer[]>();
  const outcomesOf = (file: LiveFile) => {
    const known = outcomes.get(file);
    if (known) return known;
    const made = contentsAfter(durable.get(file) ?? EMPTY, data.get(file) ?? []);
    outcomes.set(file, made);
    return made;
  };
  for (const directory of directories(names, pending)) {
    const files = [...new Set(directory.values())];
    for (const choice of combinations(files.map(outcomesOf))) {
      const stored = new Map<LiveFile, StoredFile>(
        files.map((file, i) => [file, { content: choice[i] ?? EMPTY, mode: modes.get(file) ?? file.mode }]),
      );
      yield new Map([...directory].flatMap(([name, file]) => pairs(name, stored.get(file))));
    }
  }
}

/** The same for equal disks, whatever random part the temporary names have. */
export function digestOf(image: Image): string {
  const numbers = new Map<StoredFile, number>();
  const lines = [...image]
    .map(([name, file]) => ({ name: name.replace(/\.[0-9a-f]{16}\.tmp$/, ".*.tmp"), file, hash: hashOf(file.content) }))
    .sort((a, b) => (a.name + a.hash < b.name + b.hash ? -1 : 1))
    .map(({ name, file, hash }) => {
      const number = numbers.get(file) ?? numbers.size;
      numbers.set(file, number);
      return `${name} ${number} ${file.mode} ${hash}`;
    });
  return createHash("sha1").update(lines.join("\n")).digest("base64");
}

const hashes = new WeakMap<Buffer, string>();

function hashOf(content: Buffer): string {
  const hash = hashes.get(content) ?? createHash("sha1").update(content).digest("base64");
  hashes.set(content, hash);
  return hash;
}

function* directories(
  names: Map<string, LiveFile>,
  pending: readonly NameChange[],
): Generator<ReadonlyMap<string, LiveFile>> {
  const [change, ...rest] = pending;
  if (!change) {
    yield names;
    return;
  }
  yield* directories(names, rest);
  // Order-consistent: nothing can be moved, linked or removed that has not come to be.
  const source = "from" in change ? change.from : change.kind === "unlink" ? change.name : undefined;
  if (source !== undefined && names.get(source) !== change.file) return;
  const applied = new Map(names);
  applyChange(applied, new Map(), change);
  yield* directories(applied, rest);
  if (change.kind === "rename") yield* directories(new Map(names).set(change.name, change.file), rest);
}

const torn = new WeakMap<DataChange, Map<Buffer, readonly Buffer[]>>();

/** All that a file may hold when none of these changes has been synced. */
function contentsAfter(before: Buffer, changes: readonly DataChange[]): readonly Buffer[] {
  let possible: readonly Buffer[] = [before];
  for (const change of changes) {
    const next = new Map<string, Buffer>();
    for (const content of possible) {
      for (const outcome of outcomesOf(content, change)) next.set(hashOf(outcome), outcome);
    }
    possible = [...next.values()];
  }
  return possible;
}

function outcomesOf(before: Buffer, change: DataChange): readonly Buffer[] {
  const byContent = torn.get(change) ?? new Map<Buffer, readonly Buffer[]>();
  torn.set(change, byContent);
  const known = byContent.get(before);
  if (known) return known;
  const after = new Map([[change.file, before]]);
  applyChange(new Map(), after, change);
  const whole = after.get(change.file) ?? EMPTY;
  const made = change.kind === "truncate" ? [before, whole] : [before, ...tears(before, whole, change.at)];
  byContent.set(before, made);
  return made;
}

function* tears(before: Buffer, whole: Buffer, from: number): Generator<Buffer> {
  yield whole;
  const old = (start: number, end: number) =>
    Buffer.concat([before.subarray(start, end), Buffer.alloc(end - start)]).subarray(0, end - start);
  for (let at = from - (from % SECTOR); at < whole.length; at += SECTOR) {
    const end = Math.min(at + SECTOR, whole.length);
    if (at > 0) yield whole.subarray(0, at);
    yield Buffer.concat([whole.subarray(0, at), Buffer.alloc(whole.length - at)]);
    yield Buffer.concat([whole.subarray(0, at), garbage(at, end), whole.subarray(end)]);
    if (at % PAGE !== 0) continue;
    const page = Math.min(at + PAGE, whole.length);
    yield Buffer.concat([whole.subarray(0, at), old(at, page), whole.subarray(page)]);
    yield Buffer.concat([whole.subarray(0, at), garbage(at, page), whole.subarray(page)]);
  }
}

/** The same in every run, and at every place different. */
function garbage(start: number, end: number): Buffer {
  const octets = Buffer.alloc(end - start);
  for (let i = 0; i < octets.length; i++) octets[i] = Math.imul(start + i + 1, 2_654_435_761) >>> 24;
  return octets;
}

function* combinations<T>(lists: readonly (readonly T[])[]): Generator<readonly T[]> {
  const [first, ...rest] = lists;
  if (!first) {
    yield [];
    return;
  }
  for (const item of first) for (const others of combinations(rest)) yield [item, ...others];
}

function pairs(name: string, file: StoredFile | undefined): [string, StoredFile][] {
  return file ? [[name, file]] : [];
}
