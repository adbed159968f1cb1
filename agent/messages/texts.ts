import { configFilesEn } from "./config/files-en.ts";
import { configFilesZh } from "./config/files-zh.ts";
import { gatewayConfigEn } from "./config/gateway-en.ts";
import { gatewayKeysEn } from "./config/gateway-keys-en.ts";
import { gatewayKeysZh } from "./config/gateway-keys-zh.ts";
import { gatewayConfigZh } from "./config/gateway-zh.ts";
import { configKeysEn } from "./config/keys-en.ts";
import { configKeysZh } from "./config/keys-zh.ts";
import { configRulesEn } from "./config/rules-en.ts";
import { configRulesZh } from "./config/rules-zh.ts";
import { configValuesEn } from "./config/values-en.ts";
import { configValuesZh } from "./config/values-zh.ts";
import type { Params } from "./message.ts";
import type { TextsOf } from "./same-texts.ts";

/**
 * What the commands say, by id, in both languages; the service itself, which loads none of this, has its texts in catalogue.ts. Read at each
 * rendering: a test replaces the texts of one language by their ids.
 */
export const texts: { en: TextsOf<Params>; zh: TextsOf<Params> } = {
  en: {
    ...configFilesEn,
    ...configKeysEn,
    ...configRulesEn,
    ...configValuesEn,
    ...gatewayConfigEn,
    ...gatewayKeysEn,
  },
  zh: {
    ...configFilesZh,
    ...configKeysZh,
    ...configRulesZh,
    ...configValuesZh,
    ...gatewayConfigZh,
    ...gatewayKeysZh,
  },
};
