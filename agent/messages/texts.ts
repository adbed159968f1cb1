import { agentEn } from "./commands/agent-en.ts";
import { agentZh } from "./commands/agent-zh.ts";
import { durationsEn } from "./commands/durations-en.ts";
import { durationsZh } from "./commands/durations-zh.ts";
import { helpEn } from "./commands/help-en.ts";
import { helpZh } from "./commands/help-zh.ts";
import { pageEn } from "./commands/page-en.ts";
import { pageZh } from "./commands/page-zh.ts";
import { requestsEn } from "./commands/requests-en.ts";
import { requestsZh } from "./commands/requests-zh.ts";
import { statusEn } from "./commands/status-en.ts";
import { statusZh } from "./commands/status-zh.ts";
import { supportEn } from "./commands/support-en.ts";
import { supportZh } from "./commands/support-zh.ts";
import { warningsEn } from "./commands/warnings-en.ts";
import { warningsZh } from "./commands/warnings-zh.ts";
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
import { diagnoseChecksEn } from "./diagnostics/checks-en.ts";
import { diagnoseChecksZh } from "./diagnostics/checks-zh.ts";
import { diagnoseConfigurationEn } from "./diagnostics/configuration-en.ts";
import { diagnoseConfigurationZh } from "./diagnostics/configuration-zh.ts";
import { diagnoseNetworkEn } from "./diagnostics/network-en.ts";
import { diagnoseNetworkZh } from "./diagnostics/network-zh.ts";
import { diagnoseReportEn } from "./diagnostics/report-en.ts";
import { diagnoseReportZh } from "./diagnostics/report-zh.ts";
import { diagnoseTerminalEn } from "./diagnostics/terminal-en.ts";
import { diagnoseTerminalZh } from "./diagnostics/terminal-zh.ts";
import type { Params } from "./message.ts";
import type { TextsOf } from "./same-texts.ts";
import { statesEn } from "./states-en.ts";
import { statesZh } from "./states-zh.ts";

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
    ...warningsEn,
    ...helpEn,
    ...pageEn,
    ...requestsEn,
    ...statusEn,
    ...supportEn,
    ...statesEn,
    ...agentEn,
    ...durationsEn,
    ...diagnoseChecksEn,
    ...diagnoseConfigurationEn,
    ...diagnoseNetworkEn,
    ...diagnoseReportEn,
    ...diagnoseTerminalEn,
  },
  zh: {
    ...configFilesZh,
    ...configKeysZh,
    ...configRulesZh,
    ...configValuesZh,
    ...gatewayConfigZh,
    ...gatewayKeysZh,
    ...warningsZh,
    ...helpZh,
    ...pageZh,
    ...requestsZh,
    ...statusZh,
    ...supportZh,
    ...statesZh,
    ...agentZh,
    ...durationsZh,
    ...diagnoseChecksZh,
    ...diagnoseConfigurationZh,
    ...diagnoseNetworkZh,
    ...diagnoseReportZh,
    ...diagnoseTerminalZh,
  },
};
