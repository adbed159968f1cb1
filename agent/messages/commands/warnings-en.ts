import type { WarningCode } from "../../common/warnings.ts";

/** What a standing warning means, by its code. A line that begins with a space is a command. */
export const warningsEn: Readonly<Record<`warning.${WarningCode}`, string>> = {
  "warning.DIRECT_MODE":
    "the merchant's private key is on this terminal (WeChat Pay advises against it); gateway mode is recommended",
  "warning.CONFIG_REMEMBERED":
    "the configuration is invalid, the last valid one is in use. See what is wrong:\n  facepay-agent config check",
  "warning.CONFIG_RELOAD_REFUSED":
    "the new configuration was not accepted, the former one is in use. See what is wrong:\n  facepay-agent config check",
  "warning.CONFIG_WARNING": "the configuration is valid, with warnings. See them:\n  facepay-agent config check",
  "warning.SECRETS_REFUSED": "changed key or certificate files are invalid; the former ones are in use",
  "warning.SECRETS_UNUSABLE":
    "a key or certificate file cannot be used, so nothing is renewed; the agent continues by itself once it is fixed. See what is wrong:\n  facepay-agent config check",
  "warning.CLIENT_CERT_EXPIRING": "the client certificate expires soon; ask headquarters for a new one",
  "warning.BRIDGE_DOWN": "the bridge is not ready",
  "warning.REFRESH_FAILING": "refreshing the authinfo keeps failing; it is being retried",
  "warning.AUTHINFO_NOT_PERSISTED": "the authinfo is not on disk yet and would not survive a power cut",
  "warning.STATE_RECOVERED": "the kept state was damaged and recovered; if this recurs, replace the storage",
  "warning.STATE_COPY_DAMAGED":
    "the older copy of the kept state was damaged; the next write makes it again. If this recurs, replace the storage",
  "warning.STATE_OF_OTHER_IDENTITY": "the kept state belongs to another merchant or shop and is not used",
  "warning.CLOCK_UNCONFIRMED": "nothing has confirmed the clock since boot",
  "warning.CLOCK_BEHIND":
    "this clock is wrong: it reads a time before one that WeChat Pay has signed, so the age of the authinfo is unknown. If this recurs after each power cut, replace the clock battery. Set the clock:\n  timedatectl set-ntp true",
  "warning.CLOCK_SKEWED": "this clock differs too much from WeChat Pay's",
  "warning.NETWORK_UNSTEADY": "the network has been unsteady; for 24 h the authinfo is refreshed earlier than usual",
  "warning.STARTS_UNSTEADY":
    "the service keeps starting or reloading without a usable authinfo, so renewals are limited. Check the power supply, and see why:\n  facepay-agent diagnose\n  journalctl -u facepay-agent",
  "warning.REJECTIONS_LIMITED":
    "the face SDK keeps rejecting the authinfo, so renewals are limited; check that merchant, appid and device belong together, and that the cashier app uses the newest authinfo",
  "warning.DEVICE_UNSTEADY":
    "the bridge keeps naming another device_id, so renewals are limited; check whether two devices take turns on the line, and repair or update the bridge's program",
  "warning.NETWORK_CARD_UNSTEADY":
    "the SDK's board keeps changing its network card (net_id), so renewals are limited; keep it on one network, check its cable and Wi-Fi, and update the bridge's program",
  "warning.BRIDGE_UNSTEADY":
    "the bridge keeps dropping the line or restarting, so renewals are limited; check cable, power supply and the bridge's program",
  "warning.KEYS_UNSTEADY":
    "key or certificate files keep changing, so renewals are limited; find out which program rewrites them",
  "warning.CLOCK_UNSTEADY":
    "this terminal's clock keeps being set, so renewals are limited; leave one time service in charge and check the clock battery",
  "warning.LINK_UNSTEADY":
    "this terminal's network interface keeps going up and down or changing its address, so renewals are limited; check cable, Wi-Fi or SIM",
  "warning.FILE_COPY_FAILED": "the copy of the authinfo for file readers cannot be written",
  "warning.METRICS_TEXTFILE_FAILED": "the metrics file cannot be written; payments are not affected",
  "warning.TELEMETRY_DOWN": "nothing is reported to the MQTT broker; payments are not affected. Check [telemetry]",
  "warning.API_SOCKET_REPLACED":
    "a socket file has been removed or replaced, so apps no longer reach the agent. Restart the service:\n  systemctl restart facepay-agent",
  "warning.API_CROWDED":
    "a program on this terminal opens too many connections; idle ones are being closed. Find the program and correct it:\n  ss -xp",
};
