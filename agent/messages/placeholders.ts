import { type FailureRecord, failureIdOf } from "../common/errors.ts";
import type { Bilingual } from "../common/language.ts";
import { type Catalogue, catalogues } from "./catalogue.ts";

/** Parameters whose text needs more than a placeholder. */
const examples: Readonly<Record<string, unknown>> = {
  candidates: ["<path>", "<path>"],
  missing: ["<header>"],
  keys: ["<key>"],
  wrong: "not_json",
  answerField: undefined,
  aheadS: -301,
  own: true,
  addresses: ["<address>"],
  holders: [{ pid: "<pid>", name: "<name>" }],
};

/** Stands for the parameters of any failure, but for those that are known: "<path>" for a path. */
export function placeholders(known: Readonly<Record<string, unknown>> = {}): object {
  return new Proxy(
    { ...examples, ...known },
    { get: (values, name) => (Object.hasOwn(values, name) ? Reflect.get(values, name) : `<${String(name)}>`) },
  );
}

/** Parameters of which one example would be taken for the fact: their text is left out. */
const MISLEADING: ReadonlySet<string> = new Set(["PAY_SIGNATURE_EXPIRED", "BRIDGE_PROTOCOL.answer"]);

/** What has happened, where little more than the code and its variant is known; undefined where nothing could be said. */
export function failureOutline(failure: FailureRecord): Bilingual | undefined {
  const { variant: _, ...known } = failure.params ?? {};
  const id = failureIdOf(failure);
  const render = ({ failures }: Catalogue) => (failures as unknown as Texts)[id]?.(placeholders(known));
  const [zh, en] = [render(catalogues.zh), render(catalogues.en)];
  return zh === undefined || en === undefined || MISLEADING.has(id) ? undefined : { zh, en };
}

type Texts = Readonly<Record<string, (params: object) => string>>;
