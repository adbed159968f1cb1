import { CrashDisk, type CrashFiles, type Fate, type Image } from "./crash-files.ts";
import { crashImages, digestOf } from "./crash-images.ts";

/** Something that keeps a value on a disk: the store, or one of the ways to do it that are known to be wrong. */
export interface CredentialService {
  /** Starts on what the disk holds. `boot` differs for every start, as chance would. Rejects when it cannot start. */
  start(files: CrashFiles, boot: number): Promise<Kept>;
  /** What a start that went well may leave in the directory. */
  tidy(image: Image): boolean;
}

export interface Kept {
  /** The number of the value that was found, undefined when there was none. */
  readonly found: number | undefined;
  /** The value is octet by octet what was submitted under that number. */
  readonly intact: boolean;
  /** How it was found, in the store's own word. */
  readonly how: string;
  /** What was found is called durable, and may be announced as such. */
  readonly promised: boolean;
  write(value: number): Promise<void>;
  stop(): Promise<void>;
}

export interface History {
  readonly name: string;
  readonly base: Image;
  /** The value that the base holds, and that must not be lost. */
  readonly promised: number;
  /** For each process in turn: its fate, and the values it is to write. */
  readonly lives: readonly { readonly fate?: Fate; readonly values: readonly number[] }[];
}

/** Section 1.3 of the invariants, as far as a crash can break them. */
export type Invariant = "I1" | "I2" | "I3" | "I4" | "I7" | "I8";

/** More than any sound store finds: beyond that each start makes other disks of what it finds, and would for ever. */
const MOST_AGAIN = 500_000;
/** Enough to see what is wrong. */
const MOST_VIOLATIONS = 10_000;

interface Found {
  readonly failure?: string;
  readonly value?: number | undefined;
  readonly intact?: boolean;
  readonly how?: string;
  readonly tidy?: boolean;
}

/**
 * Drives a store through histories, cuts the power at every change, and starts it again from everything the disk may then
 * hold; cuts the power in that start too, at every change, and so on until nothing new comes up.
 */
export class CrashExplorer {
  readonly violations: Record<Invariant, string[]> = { I1: [], I2: [], I3: [], I4: [], I7: [], I8: [] };
  /** Distinct pairs of a disk and what had been promised when it was left like that. */
  states = 0;
  /** Of these, the ones that broke nothing. */
  recovered = 0;
  /** Instants at which the power was cut, in the histories and in the starts after them. */
  cuts = 0;
  /** Disks left by a cut in a start, as often as they came up. */
  again = 0;
  readonly hows: Record<string, number> = {};
  readonly #credentials: CredentialService;
  readonly #directory: string;
  readonly #known = new Map<string, Found>();
  readonly #unexplored: { readonly found: Found; readonly disk: CrashDisk }[] = [];
  readonly #judged = new Set<string>();

  constructor(credentials: CredentialService, directory: string) {
    this.#credentials = credentials;
    this.#directory = directory;
  }

  /** Runs one history in peace and returns its disk. */
  async run(history: History): Promise<{ disk: CrashDisk; marks: Mark[]; files: CrashFiles[] }> {
    const disk = new CrashDisk(this.#directory, history.base);
    const marks: Mark[] = [{ at: 0, promised: history.promised, submitted: history.promised }];
    const mark = (change: Partial<Mark>) => {
      const { promised, submitted } = marks.at(-1) ?? { promised: 0, submitted: 0 };
      marks.push({ promised, submitted, ...change, at: disk.journal.length });
    };
    const processes: CrashFiles[] = [];
    for (const [life, { fate = {}, values }] of history.lives.entries()) {
      const files = disk.process(fate);
      processes.push(files);
      const living = async () => {
        const kept = await this.#credentials.start(files, life);
        const { promised } = marks.at(-1) ?? { promised: 0 };
        if ((kept.found ?? 0) < promised)
          this.violations.I1.push(`${history.name}: found ${kept.found} at start ${life}`);
        if (kept.promised && kept.found !== undefined) mark({ promised: kept.found });
        for (const value of values) {
          mark({ submitted: value });
          await kept.write(value).then(
            () => mark({ promised: value }),
            () => undefined,
          );
        }
        await kept.stop();
      };
      const failed = living().catch(
        (error: unknown) => void this.violations.I4.push(`${history.name}: ${String(error)}`),
      );
      await Promise.race([failed, files.killed]);
    }
    return { disk, marks, files: processes };
  }

  /**
   * Cuts the power at every change of a history; with `at`, from 0 to below 1, only once, at that part of it. Returns how many
   * changes it had.
   */
  async explore(history: History, at?: number): Promise<number> {
    if (this.#hopeless()) return 0;
    const { disk, marks } = await this.run(history);
    const { length } = disk.journal;
    const only = at === undefined ? undefined : Math.floor(at * (length + 1));
    for (let count = only ?? 0; count <= (only ?? length); count++) {
      this.cuts++;
      const { promised, submitted } = standing(marks, count);
      for (const image of crashImages(disk, count)) {
        const digest = digestOf(image);
        const state = `${digest} ${promised} ${submitted}`;
        if (this.#judged.has(state) || this.#hopeless()) continue;
        this.#judged.add(state);
        this.states++;
        const found = await this.#recover(image, digest);
        this.#judge(`${history.name}, power cut after change ${count}: ${words(image)}`, found, promised, submitted);
      }
    }
    await this.#exploreStarts();
    return length;
  }

  #hopeless(): boolean {
    if (this.again > MOST_AGAIN && this.violations.I7.length === 0) {
      this.violations.I7.push(`after ${MOST_AGAIN} more cuts the starts still come upon new disks`);
    }
    const found = Object.values(this.violations).reduce((sum, { length }) => sum + length, 0);
    return found > MOST_VIOLATIONS || this.again > MOST_AGAIN;
  }

  #judge(where: string, found: Found, promised: number, submitted: number): void {
    let broken = false;
    const check = (invariant: Invariant, holds: boolean, what: string) => {
      if (holds) return;
      broken = true;
      this.violations[invariant].push(`${where}: ${what}`);
    };
    check("I4", found.failure === undefined, `no start: ${found.failure}`);
    const value = found.value ?? 0;
    check("I1", value >= promised, `found ${found.value} (${found.how}), promised ${promised}`);
    check("I2", found.value === undefined || found.intact === true, `value ${found.value} is not what was submitted`);
    check("I3", value <= submitted, `found ${found.value}, submitted up to ${submitted}`);
    check("I8", found.tidy !== false, "something is left behind");
    if (!broken) this.recovered++;
  }

  /** What a start makes of a disk; what a cut of the power in that start would leave is looked at later. */
  async #recover(image: Image, digest: string): Promise<Found> {
    const known = this.#known.get(digest);
    if (known) return known;
    const disk = new CrashDisk(this.#directory, image);
    const found = await this.#start(disk);
    this.#known.set(digest, found);
    if (found.failure === undefined) this.#unexplored.push({ found, disk });
    return found;
  }

  async #start(disk: CrashDisk): Promise<Found> {
    try {
      const kept = await this.#credentials.start(disk.process(), 1_000);
      await kept.stop();
      const { found: value, intact, how } = kept;
      this.hows[how] = (this.hows[how] ?? 0) + 1;
      return { value, intact, how, tidy: this.#credentials.tidy(disk.seen) };
    } catch (error) {
      return { failure: String(error) };
    }
  }

  /** Starts once more after each start, and after every cut of the power in it, and in those starts again. */
  async #exploreStarts(): Promise<void> {
    for (let next = this.#unexplored.pop(); next; next = this.#unexplored.pop()) {
      if (this.#hopeless()) {
        this.#unexplored.length = 0;
        return;
      }
      const { found, disk } = next;
      for (let count = 1; count <= disk.journal.length; count++) {
        this.cuts++;
        for (const image of crashImages(disk, count)) {
          this.again++;
          this.#same(
            found,
            await this.#recover(image, digestOf(image)),
            `${words(disk.base)}, cut after change ${count}`,
          );
        }
      }
      this.#same(found, await this.#recover(disk.seen, digestOf(disk.seen)), `${words(disk.base)}, started twice`);
    }
  }

  #same(first: Found, second: Found, where: string): void {
    if (second.failure === undefined && second.value === first.value && second.intact === first.intact) return;
    this.violations.I7.push(`${where}: ${JSON.stringify(second)} after ${JSON.stringify(first)}`);
  }
}

interface Mark {
  readonly at: number;
  readonly promised: number;
  readonly submitted: number;
}

/** What had been promised and submitted when the change number `count` was the last. */
function standing(marks: readonly Mark[], count: number): Omit<Mark, "at"> {
  return marks.filter(({ at }) => at <= count).at(-1) ?? { promised: 0, submitted: 0 };
}

function words(image: Image): string {
  return [...image].map(([name, { content }]) => `${name}:${content.length}`).join(" ") || "nothing";
}
