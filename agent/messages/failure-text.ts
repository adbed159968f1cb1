import { type FailureRecord, failureIdOf } from "../common/errors.ts";
import type { Bilingual } from "../common/language.ts";
import { type Catalogue, catalogues } from "./catalogue.ts";

/** A failure as a status or problem document has it. `detail`: its English text, for programs and for agents that do not know the code. */
export interface DescribedFailure extends FailureRecord {
  readonly detail?: string | undefined;
}

/** What has happened, in both languages. A failure of another version, whose text is not known here, keeps its English one. */
export function failureText(failure: DescribedFailure): Bilingual {
  const { detail = "" } = failure;
  const quoted = detail === "" || !/[A-Za-z]{2,} [A-Za-z]{2,}/.test(detail) ? detail : `「${detail}」`;
  return { zh: render(failure, catalogues.zh) ?? quoted, en: render(failure, catalogues.en) ?? detail };
}

/** What is wrong with a file, by the fault that a reader of files names, or by the system's code. */
export function fileFaultText(fault: string): Bilingual {
  const text = ({ fileFaults }: Catalogue) => (fileFaults as Readonly<Record<string, string>>)[fault] ?? fault;
  return { zh: text(catalogues.zh), en: text(catalogues.en) };
}

export function failureInEnglish(failure: DescribedFailure): string {
  return render(failure, catalogues.en) ?? failure.detail ?? "";
}

/** Undefined where id or params are not those of this version: they may come from another one's status. */
function render(failure: FailureRecord, { failures }: Catalogue): string | undefined {
  const { variant: _, ...facts } = failure.params ?? {};
  const id = failureIdOf(failure);
  const texts = failures as unknown as Readonly<Record<string, (params: object) => string>>;
  const text = Object.hasOwn(texts, id) ? texts[id] : undefined;
  if (text === undefined) return undefined;
  try {
    const rendered = text(facts);
    return /\bundefined\b/.test(rendered) ? undefined : rendered;
  } catch {
    // A parameter of another form than this version's.
    return undefined;
  }
}
