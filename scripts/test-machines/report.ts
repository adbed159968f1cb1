import { tell } from "./debian.ts";

export interface Fact {
  readonly fact: string;
  readonly holds: boolean;
}

/** What a run has shown: every fact is printed when it is known, and the run ends badly when one does not hold. */
export class Report {
  readonly facts: Fact[] = [];

  check(holds: boolean, fact: string): void {
    this.facts.push({ fact, holds });
    tell(`${holds ? "ok" : "FAULT"}: ${fact}`);
  }

  equal(found: unknown, wanted: unknown, fact: string): void {
    const [is, should] = [JSON.stringify(found), JSON.stringify(wanted)];
    this.check(is === should, is === should ? fact : `${fact}: ${cut(is)} instead of ${cut(should)}`);
  }
}

const cut = (text = "nothing") => (text.length > 400 ? `${text.slice(0, 400)}...` : text);

export function summaryOf(facts: readonly Fact[]): string {
  return `${facts.filter(({ holds }) => holds).length} of ${facts.length} facts hold`;
}
