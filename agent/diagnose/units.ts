import { stat } from "node:fs/promises";
import { runProgram } from "./program.ts";

/** What `systemctl show` says of one unit. */
export type UnitProperties = Readonly<Record<string, string>>;

/** What is installed of the service, as systemd sees it. */
export interface Units {
  readonly service: UnitProperties;
  readonly sockets: readonly UnitProperties[];
  /** "252"; undefined when it does not say. */
  readonly systemdVersion?: number;
}

export const SERVICE = "facepay-agent.service";
const PATIENCE_MS = 4_000;
/** For the cashier app, and for the technician. */
export const SOCKETS = ["facepay-agent.socket", "facepay-agent-admin.socket"] as const;
const PROPERTIES = [
  ...[
    "Id",
    "LoadState",
    "UnitFileState",
    "ActiveState",
    "SubState",
    "Result",
    "ExecMainStatus",
    "MainPID",
    "NRestarts",
  ],
  ...["ActiveEnterTimestampMonotonic", "User", "Group", "SupplementaryGroups", "Environment", "NeedDaemonReload"],
  ...["SocketGroup", "SocketMode"],
];

/** sd_booted(3): systemd is process 1. */
export async function isSystemdBooted(): Promise<boolean> {
  return await stat("/run/systemd/system").then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Undefined without systemd, or when the service is not installed. */
export async function readUnits(): Promise<Units | undefined> {
  if (!(await isSystemdBooted())) return undefined;
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const [shown, version] = await Promise.all([
    runProgram("systemctl", ["show", "--property", PROPERTIES.join(","), SERVICE, ...SOCKETS], { signal }),
    runProgram("systemctl", ["--version"], { signal }),
  ]);
  const said = (it: typeof version) => (it.kind === "ended" ? it.stdout : "");
  return shown.kind === "ended" ? unitsOf(shown.stdout, said(version)) : undefined;
}

/** Pure: what the answers of systemctl come to: to `show` and `--version`. */
export function unitsOf(shown: string, version: string): Units | undefined {
  const all = shown
    .split("\n\n")
    .map(propertiesOf)
    .filter(({ LoadState }) => LoadState === "loaded" || LoadState === "masked");
  const service = all.find(({ Id }) => Id === SERVICE);
  if (service === undefined) return undefined;
  const number = /^systemd (\d+)/.exec(version)?.[1];
  return {
    service,
    sockets: all.filter((unit) => unit !== service),
    ...(number === undefined ? {} : { systemdVersion: Number(number) }),
  };
}

function propertiesOf(block: string): UnitProperties {
  const pairs = block.split("\n").flatMap((line) => {
    const at = line.indexOf("=");
    return at < 1 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const];
  });
  return Object.fromEntries(pairs);
}

/** The words of a property as systemd writes it: separated by spaces, quoted where they hold one. */
export function wordsOf(property: string | undefined): string[] {
  return [...(property ?? "").matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? "") : quoted.replace(/\\(.)/g, "$1"),
  );
}

export interface Credential {
  readonly name: string;
  readonly encrypted: boolean;
}

/** Where systemd puts the credentials of a unit while it runs (systemd.exec(5)). */
export const CREDENTIALS = "/run/credentials/";

/** The credentials that the service is given. Empty without systemd. */
export async function readCredentials(): Promise<Credential[]> {
  if (!(await isSystemdBooted())) return [];
  const shown = await runProgram("systemctl", ["cat", SERVICE], { signal: AbortSignal.timeout(PATIENCE_MS) });
  return shown.kind === "ended" ? credentialsIn(shown.stdout) : [];
}

/**
 * Pure: out of the unit's own text, drop-ins included, for `systemctl show` calls these properties unprintable (252). An empty
 * assignment takes back those of its kind before it (systemd.exec(5)).
 */
export function credentialsIn(text: string): Credential[] {
  let found: (Credential & { readonly kind: string })[] = [];
  for (const [, kind = "", name = ""] of text.matchAll(
    /^((?:Load|Set|Import)Credential(?:Encrypted)?)[ \t]*=[ \t]*([^:\s]*)/gm,
  )) {
    if (name === "") found = found.filter((one) => one.kind !== kind);
    else found.push({ kind, name, encrypted: kind.endsWith("Encrypted") });
  }
  return found.map(({ name, encrypted }) => ({ name, encrypted }));
}
