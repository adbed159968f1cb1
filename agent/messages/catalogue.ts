import { type FailureTexts, type FileFaultTexts, failuresEn, fileFaultsEn } from "./failures-en.ts";
import { failuresZh, fileFaultsZh } from "./failures-zh.ts";
import { type GatewayRefusalTexts, gatewayRefusalsEn, type ProblemTitles, problemTitlesEn } from "./replies-en.ts";
import { gatewayRefusalsZh, problemTitlesZh } from "./replies-zh.ts";

/** Every text of one language. */
export interface Catalogue {
  readonly failures: FailureTexts;
  readonly fileFaults: FileFaultTexts;
  readonly problemTitles: ProblemTitles;
  readonly gatewayRefusals: GatewayRefusalTexts;
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
  },
  zh: {
    failures: failuresZh,
    fileFaults: fileFaultsZh,
    problemTitles: problemTitlesZh,
    gatewayRefusals: gatewayRefusalsZh,
  },
};
