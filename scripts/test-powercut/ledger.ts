import type { Vm } from "../test-machines/vm.ts";

export interface Verdict {
  readonly words: string;
  /** Undefined when what was promised was kept. */
  readonly fault?: string;
}

interface Entry {
  readonly generation: number;
  readonly digest: string;
}

const BOOT_MS = 600_000;
const REFRESH_MS = 120_000;

/** What a machine's cashier app was told, kept outside the machine (scripts/test-machines/watch.ts has the words). */
export class Ledger {
  promises = 0;
  #last: Entry | undefined;
  #sinceBoot = 0;
  #first: readonly string[] | undefined;

  note(line: string): void {
    const [kind, ...words] = /LEDGER (.*\S)/.exec(line)?.[1]?.split(" ") ?? [];
    if (kind === "FIRST") this.#first = words;
    if (kind !== "ACK") return;
    const [generation, digest = ""] = words;
    this.#last = { generation: Number(generation), digest };
    this.#sinceBoot++;
    this.promises++;
  }

  /** Waits for the first answer after a boot and holds it against the last promise before it. */
  async firstAnswer(vm: Vm): Promise<Verdict> {
    this.#sinceBoot = 0;
    this.#first = undefined;
    const promised = this.#last;
    await vm.until("the first answer", () => this.#first !== undefined, BOOT_MS);
    const [status, generation, digest, state] = this.#first ?? [];
    const words = `first answer ${status} ${state}, generation ${generation}; promised ${promised?.generation ?? "nothing"}`;
    return { words, ...faultOf(promised, { status, generation: Number(generation), digest }, words) };
  }

  async acknowledgements(vm: Vm, count: number): Promise<void> {
    await vm.until(`${count} acknowledgements`, () => this.#sinceBoot >= count, REFRESH_MS);
  }
}

/** A later generation may have reached the disk without its announcement reaching us; an earlier one may not be back. */
export function faultOf(
  promised: Entry | undefined,
  found: { readonly status: string | undefined; readonly generation: number; readonly digest: string | undefined },
  words: string,
): { readonly fault?: string } {
  if (promised === undefined) return {};
  if (found.status !== "200") return { fault: `LOST: ${words}` };
  if (found.generation < promised.generation) return { fault: `OLDER: ${words}` };
  if (found.generation === promised.generation && found.digest !== promised.digest)
    return { fault: `ANOTHER: ${words}` };
  return {};
}
