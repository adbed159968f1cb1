import type { DriverStatus } from "../../drivers/sdk/driver.ts";
import type { ClockSync } from "../common/clock-sync.ts";
import type { WarningCode, Warnings } from "../common/warnings.ts";
import type { AuthinfoView } from "../credential/credential-types.ts";
import type { Occasion } from "../credential/rate-limiter.ts";
import { failureInEnglish } from "../messages/failure-text.ts";
import type { StoreStatus } from "../store/store-types.ts";
import type { WechatPayStatus } from "../wechatpay/wechatpay.ts";

/** What is looked at to know which warnings stand. */
export interface WarningFacts {
  readonly view: AuthinfoView;
  readonly failures: number;
  readonly unsteadySinceWallMs: number | undefined;
  readonly excessive: readonly Occasion[];
  readonly bridge?: DriverStatus;
  readonly wechatpay?: WechatPayStatus;
  readonly store: StoreStatus;
  readonly clock: ReturnType<ClockSync["status"]>;
  readonly remembered?: string;
  readonly reloadRefused?: string;
  readonly renewalRefused?: string;
  readonly secretsRefused?: string;
  readonly clientCertEndsMs?: number;
  readonly configWarnings: readonly string[];
}

/** A request of ours that is further off is refused by WeChat Pay at 300 s; well before that someone should know. */
const SKEW_WARNING_MS = 10_000;

const CERT_WARNING_MS = 30 * 24 * 3_600_000;

/** What is told when an occasion for renewals comes without end. */
const warningFor = {
  start: "STARTS_UNSTEADY",
  rejection: "REJECTIONS_LIMITED",
  device: "DEVICE_UNSTEADY",
  network_card: "NETWORK_CARD_UNSTEADY",
  bridge: "BRIDGE_UNSTEADY",
  keys: "KEYS_UNSTEADY",
  clock: "CLOCK_UNSTEADY",
  link: "LINK_UNSTEADY",
} as const satisfies Record<Occasion, WarningCode>;
const excesses = Object.entries(warningFor);

/** Sets every standing warning according to how things are now. */
export function judge(warnings: Warnings, now: { boot: number; wall: number }, about: WarningFacts): void {
  const { view, bridge, wechatpay, store } = about;
  const set = (code: WarningCode, holds: boolean, detail?: string) => warnings.set(code, holds, now, detail);
  const skewMs = wechatpay?.skewMs ?? 0;
  set(
    "DIRECT_MODE",
    wechatpay?.mode === "direct",
    "The merchant's private key is on this terminal; WeChat Pay advises against it: use gateway mode",
  );
  set("CONFIG_REMEMBERED", about.remembered !== undefined, about.remembered);
  set("CONFIG_RELOAD_REFUSED", about.reloadRefused !== undefined, about.reloadRefused);
  set("SECRETS_REFUSED", about.renewalRefused !== undefined, about.renewalRefused);
  set("SECRETS_UNUSABLE", about.secretsRefused !== undefined, about.secretsRefused);
  const { clientCertEndsMs: ends } = about;
  const soon = ends !== undefined && ends - now.wall < CERT_WARNING_MS;
  set("CLIENT_CERT_EXPIRING", soon, ends === undefined ? undefined : `valid until ${new Date(ends).toISOString()}`);
  set("CONFIG_WARNING", about.configWarnings.length > 0, about.configWarnings.join("; "));
  const down = bridge !== undefined && bridge.state !== "ready";
  set("BRIDGE_DOWN", down, bridge?.problem && `${bridge.problem.code}: ${failureInEnglish(bridge.problem)}`);
  set("REFRESH_FAILING", about.failures > 0, view.cause && `${view.cause.code}: ${failureInEnglish(view.cause)}`);
  set(
    "AUTHINFO_NOT_PERSISTED",
    view.credential !== undefined && !view.persisted,
    store.problem && failureInEnglish(store.problem),
  );
  const recovered = store.loaded === "previous" || store.loaded === "quarantined";
  set("STATE_RECOVERED", recovered, `state ${store.loaded}, ${store.quarantined} file(s) put aside`);
  set("STATE_COPY_DAMAGED", store.copyDamaged === true, "the older copy of the state was put aside");
  set("STATE_OF_OTHER_IDENTITY", store.loaded === "other_identity");
  set("CLOCK_UNCONFIRMED", view.credential !== undefined && !view.clockTrusted);
  const { behindMs = 0 } = about.clock;
  set("CLOCK_BEHIND", behindMs > 0, `this clock reads ${Math.round(behindMs / 1_000)} s before a time that has passed`);
  set("CLOCK_SKEWED", Math.abs(skewMs) > SKEW_WARNING_MS, `this clock is ${Math.round(-skewMs / 1_000)} s off`);
  for (const [occasion, code] of excesses)
    set(
      code,
      about.excessive.some((each) => each === occasion),
    );
  const { unsteadySinceWallMs: since } = about;
  const at = { ...now, wall: since ?? now.wall };
  // The last sign may be older than this process.
  warnings.set("NETWORK_UNSTEADY", false, at);
  warnings.set(
    "NETWORK_UNSTEADY",
    since !== undefined,
    at,
    "authinfos are refreshed earlier for 24 h after the last sign",
  );
}
