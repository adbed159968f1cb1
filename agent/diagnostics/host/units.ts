import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { type ProgramResult, runProgram } from "./program.ts";

/** What `systemctl show` says of one unit. */
export type UnitProperties = Readonly<Record<string, string>>;

export interface Credential {
  readonly name: string;
  readonly encrypted: boolean;
}

/** What is installed of the service, as systemd sees it. */
export interface Units {
  readonly service: UnitProperties;
  readonly sockets: readonly UnitProperties[];
  /** "252"; undefined when it does not say. */
  readonly systemdVersion?: number;
  /** The credentials that systemd gives the service, by its unit with its drop-ins. */
  readonly credentials: readonly Credential[];
}

/** Where systemd puts the credentials of a unit while it runs (systemd.exec(5)). */
export const CREDENTIALS = "/run/credentials/";
export const SERVICE = "facepay-agent.service";
/** systemctl needs some 0.1 s; on a slow board at the start of everything it took longer than four seconds. */
const PATIENCE_MS = 8_000;
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

/** Where systemd looks for units (systemd.unit(5)). */
const UNIT_DIRECTORIES = [
  "/etc/systemd/system",
  "/run/systemd/system",
  "/usr/local/lib/systemd/system",
  "/usr/lib/systemd/system",
];

/** By its file: whatever systemd makes of it, and without asking it. */
export function isUnitThere(): boolean {
  return UNIT_DIRECTORIES.some((directory) => existsSync(`${directory}/${SERVICE}`));
}

/** `late`: systemctl has not answered in time, and nothing follows from that. */
export type UnitsReading =
  | { readonly kind: "installed"; readonly units: Units }
  | { readonly kind: "not_installed" }
  | { readonly kind: "late" };

export async function readUnits(): Promise<UnitsReading> {
  if (!(await isSystemdBooted())) return { kind: "not_installed" };
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const [shown, version, files] = await Promise.all([
    runProgram("systemctl", ["show", "--property", PROPERTIES.join(","), SERVICE, ...SOCKETS], { signal }),
    runProgram("systemctl", ["--version"], { signal }),
    runProgram("systemctl", ["cat", SERVICE], { signal }),
  ]);
  return readingOf(shown, version, files);
}

/** Pure: half an answer would be taken for the whole, such as credentials that are not there. */
export function readingOf(shown: ProgramResult, version: ProgramResult, files: ProgramResult): UnitsReading {
  if ([shown, version, files].some(({ kind }) => kind === "late")) return { kind: "late" };
  const said = (it: ProgramResult) => (it.kind === "ended" ? it.stdout : "");
  const units = unitsOf(said(shown), said(version), said(files));
  return units === undefined ? { kind: "not_installed" } : { kind: "installed", units };
}

/** Pure: what the answers of systemctl come to: to `show`, `--version` and `cat`. */
export function unitsOf(shown: string, version: string, files = ""): Units | undefined {
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
    credentials: credentialsIn(files),
    ...(number === undefined ? {} : { systemdVersion: Number(number) }),
  };
}

/**
 * From the unit's files, since `systemctl show` says "[unprintable]" of credentials whether there are any or not (252). An
 * empty assignment takes back those before it.
 */
function credentialsIn(files: string): Credential[] {
  const byKey = new Map<string, Credential[]>();
  const lines = files.matchAll(/^((?:Load|Set|Import)Credential(Encrypted)?)[ \t]*=[ \t]*([^:\s]*)/gm);
  for (const [, key = "", encrypted, name = ""] of lines) {
    const before = name === "" ? [] : [...(byKey.get(key) ?? []), { name, encrypted: encrypted !== undefined }];
    byKey.set(key, before);
  }
  return [...byKey.values()].flat();
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
