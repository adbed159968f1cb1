/** A sentence for people, in both languages. */
export interface Words {
  readonly zh: string;
  readonly en: string;
}

/** Thrown by a case when the bridge breaks its rule. */
export class RuleBroken extends Error {
  override readonly name = "RuleBroken";
  readonly words: Words;

  constructor(zh: string, en: string) {
    super(en);
    this.words = { zh, en };
  }
}

/** Thrown by a case that cannot be tried on this bridge. */
export class NotTried extends Error {
  override readonly name = "NotTried";
  readonly words: Words;

  constructor(zh: string, en: string) {
    super(en);
    this.words = { zh, en };
  }
}

export function demand(holds: boolean, zh: string, en: string): asserts holds {
  if (!holds) throw new RuleBroken(zh, en);
}
