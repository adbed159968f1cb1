import type { Problem } from "../config/problem.ts";
import { type FileContext, Reading } from "../config/secrets/secret-file-loader.ts";
import { distrustProblems, oncePerPlace } from "../config/secrets/trust-problems.ts";
import { type FileKey, type GatewayConfig, readConfig } from "./config.ts";
import { parseRegister, type Register } from "./register.ts";
import { type GatewaySecrets, readSecrets } from "./secrets.ts";
import { readTrust, type Trust } from "./tls/trust.ts";

/** Room for some 50 000 terminals. */
const MOST_REGISTER = 16 * 1024 * 1024;

export interface Loaded {
  readonly config: GatewayConfig;
  readonly secrets: GatewaySecrets;
  readonly trust: Trust;
  readonly register: Register;
  readonly origins: ReadonlyMap<string, string>;
}

export type LoadedGateway =
  | { readonly kind: "ok"; readonly loaded: Loaded; readonly warnings: readonly Problem[] }
  | { readonly kind: "absent" }
  | { readonly kind: "invalid"; readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] };

/** Configuration, the files it names, the register: every problem of all of them at once. */
export async function loadGateway(file: string, surroundings: FileContext): Promise<LoadedGateway> {
  const checked = readConfig(file, surroundings.env);
  if (checked.absent) return { kind: "absent" };
  const { config, files, origins } = checked;
  const { secrets, ...ofSecrets } = readSecrets(files, surroundings, origins);
  const { trust, ...ofTrust } = await readTrust(files, surroundings, origins);
  const { register, ...ofRegister } = readRegister(files, surroundings, origins);
  const problems = oncePerPlace([
    ...distrustProblems([file], surroundings),
    ...checked.problems,
    ...ofSecrets.problems,
    ...ofTrust.problems,
    ...ofRegister.problems,
  ]);
  const warnings = [...checked.warnings, ...ofSecrets.warnings, ...ofTrust.warnings];
  if (!config || !secrets || !trust || !register || problems.length > 0) {
    return { kind: "invalid", problems, warnings };
  }
  return { kind: "ok", loaded: { config, secrets, trust, register, origins }, warnings };
}

/** All problems at once; never throws. */
export function readRegister(
  files: ReadonlyMap<FileKey, string>,
  surroundings: FileContext,
  origins: ReadonlyMap<string, string>,
): { readonly register?: Register; readonly problems: readonly Problem[] } {
  const reading = new Reading(files, surroundings, origins);
  const read = reading.read("devices.register_file", false, MOST_REGISTER);
  if (read === undefined) return { problems: reading.problems };
  const parsed = parseRegister(read.text, read.file, files.has("devices.ca_file"));
  return parsed.ok ? { register: parsed.register, problems: [] } : { problems: parsed.problems };
}
