import { type FailureTexts, type FileFaultTexts, failuresEn, fileFaultsEn } from "./failures-en.ts";
import { failuresZh, fileFaultsZh } from "./failures-zh.ts";
import { type GatewayRefusalTexts, gatewayRefusalsEn, type ProblemTitles, problemTitlesEn } from "./replies-en.ts";
import { gatewayRefusalsZh, problemTitlesZh } from "./replies-zh.ts";
import type { SameTexts } from "./same-texts.ts";
import { statesEn } from "./states-en.ts";
import { statesZh } from "./states-zh.ts";

/** What the service itself says, in one language. */
export interface Catalogue {
  readonly failures: FailureTexts;
  readonly fileFaults: FileFaultTexts;
  readonly problemTitles: ProblemTitles;
  readonly gatewayRefusals: GatewayRefusalTexts;
  readonly states: SameTexts<typeof statesEn>;
}

/**
 * Both languages, read at each rendering. A test replaces the texts of one by their ids and checks that nothing but that language changes:
 * no decision may depend on a text.
 */
export const catalogues: { en: Catalogue; zh: Catalogue } = {
  en: {
    failures: failuresEn,
    fileFaults: fileFaultsEn,
    problemTitles: problemTitlesEn,
    gatewayRefusals: gatewayRefusalsEn,
    states: statesEn,
  },
  zh: {
    failures: failuresZh,
    fileFaults: fileFaultsZh,
    problemTitles: problemTitlesZh,
    gatewayRefusals: gatewayRefusalsZh,
    states: statesZh,
  },
};
