import type { Check } from "./check.ts";
import { apiChecks } from "./checks/api-checks.ts";
import { bridgeChecks } from "./checks/bridge-checks.ts";
import { certificateChecks } from "./checks/certificate-checks.ts";
import { configChecks } from "./checks/config-checks.ts";
import { diskChecks } from "./checks/disk-checks.ts";
import { identityCheck } from "./checks/identity-check.ts";
import { keyChecks } from "./checks/key-checks.ts";
import { networkChecks } from "./checks/network-checks.ts";
import { serviceChecks } from "./checks/service-checks.ts";
import { storeChecks } from "./checks/store-checks.ts";
import { systemChecks } from "./checks/system-checks.ts";
import { timeChecks } from "./checks/time-checks.ts";
import { ownLine } from "./direct-line.ts";

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
