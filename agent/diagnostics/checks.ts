import type { Check } from "./check.ts";
import { apiChecks } from "./checks/api-checks.ts";
import { authCheck } from "./checks/auth-check.ts";
import { authinfoCheck } from "./checks/authinfo-check.ts";
import { certificateChecks } from "./checks/certificate-checks.ts";
import { configChecks } from "./checks/config-checks.ts";
import { diskChecks } from "./checks/disk-checks.ts";
import { dnsCheck, dnsSaneCheck, ipVersionCheck } from "./checks/dns-checks.ts";
import { captiveCheck, proxyCheck, tlsCheck } from "./checks/endpoint-checks.ts";
import { talkChecks } from "./checks/handshake-checks.ts";
import { identityCheck } from "./checks/identity-check.ts";
import { keyChecks } from "./checks/key-checks.ts";
import { gatewayCheck, linkCheck } from "./checks/link-checks.ts";
import { pathMtuCheck } from "./checks/path-mtu-check.ts";
import { portChecks } from "./checks/port-checks.ts";
import { reachCheck } from "./checks/reach-check.ts";
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
  // The device, then who answers on it. With the agent running the port stays its own, and it is asked.
  ...portChecks(ownLine),
  ...talkChecks(ownLine),
  // From the cable to the merchant, along the way to the configured base URLs.
  linkCheck,
  gatewayCheck,
  dnsCheck,
  dnsSaneCheck,
  ipVersionCheck,
  captiveCheck,
  proxyCheck,
  tlsCheck,
  pathMtuCheck,
  reachCheck,
  authCheck(ownLine),
  authinfoCheck,
  ...storeChecks,
  ...apiChecks,
];
