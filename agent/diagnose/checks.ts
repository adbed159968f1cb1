import { apiChecks } from "./api-checks.ts";
import { bridgeChecks } from "./bridge-checks.ts";
import { certificateChecks } from "./certificate-checks.ts";
import type { Check } from "./check.ts";
import { configChecks } from "./config-checks.ts";
import { diskChecks } from "./disk-checks.ts";
import { identityCheck } from "./identity-check.ts";
import { keyChecks } from "./key-checks.ts";
import { networkChecks } from "./network-checks.ts";
import { ownLine } from "./own-line.ts";
import { serviceChecks } from "./service-checks.ts";
import { storeChecks } from "./store-checks.ts";
import { systemChecks } from "./system-checks.ts";
import { timeChecks } from "./time-checks.ts";

/** Every check there is. The order they run in follows from what causes what (engine.ts). */
export const allChecks: readonly Check[] = [
  ...systemChecks,
  ...serviceChecks,
  ...diskChecks,
  ...timeChecks,
  ...configChecks,
  identityCheck,
  ...keyChecks,
  ...certificateChecks,
  ...bridgeChecks(ownLine),
  ...networkChecks(ownLine),
  ...storeChecks,
  ...apiChecks,
];
