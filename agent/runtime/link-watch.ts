import type { NetworkInterfaceInfo } from "node:os";
import type { Clock } from "../common/clock.ts";

/** Soon enough for a terminal whose authinfo has expired, and 43 200 short looks a day. */
const EVERY_MS = 2_000;

export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** What of the network cards matters: which are there, with which addresses. Loopback says nothing about the way out. */
export function linkFingerprint(interfaces: Interfaces): string {
  return Object.entries(interfaces)
    .flatMap(([name, addresses]) =>
      (addresses ?? []).filter(({ internal }) => !internal).map(({ mac, cidr }) => `${name} ${mac} ${cidr}`),
    )
    .sort()
    .join("\n");
}

export interface LinkWatch {
  /** `os.networkInterfaces`. */
  readonly read: () => Interfaces;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** An interface, an address or a MAC has come, gone or changed. */
  readonly onChange: () => void;
}

/** Looks every two seconds until the signal falls. Polling needs no helper process and no netlink socket of our own. */
export async function watchLink({ read, clock, signal, onChange }: LinkWatch): Promise<void> {
  let seen = linkFingerprint(read());
  while (!signal.aborted) {
    // A rejection means the end, which the loop sees.
    await clock.sleep(EVERY_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
    const now = linkFingerprint(read());
    if (now === seen) continue;
    seen = now;
    onChange();
  }
}
