import type { Bilingual } from "../../common/language.ts";

/** What to do about something. `edits`: afterwards the configuration is another one, which a running agent has to load. */
export interface Remedy extends Bilingual {
  readonly edits?: true;
}
