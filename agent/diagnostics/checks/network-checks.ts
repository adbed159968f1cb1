import type { BridgeLine } from "../bridge-line.ts";
import type { Check } from "../check.ts";
import { authCheck } from "./auth-check.ts";
import { authinfoCheck } from "./authinfo-check.ts";
import { dnsCheck, dnsSaneCheck } from "./dns-checks.ts";
import { captiveCheck, proxyCheck, tlsCheck } from "./endpoint-checks.ts";
import { gatewayCheck, linkCheck } from "./link-checks.ts";
import { reachCheck } from "./reach-check.ts";

/** Section 5 of reference 7.3. They follow the way to the configured base URLs, from the cable to the merchant. */
export const networkChecks = (line: BridgeLine): readonly Check[] => [
  linkCheck,
  gatewayCheck,
  dnsCheck,
  dnsSaneCheck,
  captiveCheck,
  proxyCheck,
  tlsCheck,
  reachCheck,
  authCheck(line),
  authinfoCheck,
];
