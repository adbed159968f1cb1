import { tell } from "../test-machines/debian.ts";

/** What a run has shown: every fact is printed when it is known, and the run ends badly when one does not hold. */
export class Report {
  holding = 0;
  readonly faults: string[] = [];

  check(holds: boolean, fact: string): void {
    if (holds) this.holding++;
    else this.faults.push(fact);
    tell(`${holds ? "ok" : "FAULT"}: ${fact}`);
  }

  equal(found: unknown, wanted: unknown, fact: string): void {
    const [is, should] = [JSON.stringify(found), JSON.stringify(wanted)];
    this.check(is === should, is === should ? fact : `${fact}: ${is} instead of ${should}`);
  }

  get summary(): string {
    return `${this.holding} facts hold, ${this.faults.length} do not`;
  }
}
