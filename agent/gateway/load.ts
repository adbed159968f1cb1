import type { X509Certificate } from "node:crypto";
import type { Problem } from "../config/problem.ts";
import { MOST_CA, Reading, type Surroundings } from "../config/secrets/reading.ts";
import type { Rules } from "./access.ts";
import { type FileKey, type GatewayConfig, readConfig } from "./config.ts";
import { parseRegister } from "./register.ts";
import { noRevocations, readRevocations } from "./revocations.ts";
import { authoritiesOf, type GatewaySecrets, readSecrets } from "./secrets.ts";

/** Room for some 50 000 terminals. */
const MOST_REGISTER = 16 * 1024 * 1024;

export interface Loaded {
  readonly config: GatewayConfig;
  readonly secrets: GatewaySecrets;
  readonly authorities: readonly X509Certificate[];
  readonly rules: Rules;
  readonly origins: ReadonlyMap<string, string>;
}

export type LoadedGateway =
  | { readonly kind: "ok"; readonly loaded: Loaded; readonly warnings: readonly Problem[] }
  | { readonly kind: "absent" }
  | { readonly kind: "invalid"; readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] };

/** Configuration, the files it names, the register: every problem of all of them at once. */
export async function loadGateway(file: string, surroundings: Surroundings): Promise<LoadedGateway> {
  const checked = readConfig(file, surroundings.env);
  if (checked.absent) return { kind: "absent" };
  const { config, files, origins } = checked;
  const read = readSecrets(files, surroundings, origins);
  const authorities = authoritiesOf(read.secrets?.terminalCa ?? "") ?? [];
  // With a broken authority or none yet, what the register says of certificates cannot be judged.
  const known = read.secrets === undefined ? undefined : authorities;
  const access = await readAccess(files, known, surroundings, origins);
  const problems = [...checked.problems, ...read.problems, ...access.problems];
  const warnings = [...checked.warnings, ...read.warnings];
  if (config === undefined || read.secrets === undefined || access.rules === undefined || problems.length > 0) {
    return { kind: "invalid", problems, warnings };
  }
  return { kind: "ok", loaded: { config, secrets: read.secrets, authorities, rules: access.rules, origins }, warnings };
}

/**
 * The register and the revocation lists. Without `authorities` the lists are left aside.
 */
export async function readAccess(
  files: ReadonlyMap<FileKey, string>,
  authorities: readonly X509Certificate[] | undefined,
  surroundings: Surroundings,
  origins: ReadonlyMap<string, string>,
): Promise<{ readonly rules?: Rules; readonly problems: readonly Problem[] }> {
  const reading = new Reading(files, surroundings, origins);
  const problems: Problem[] = [];
  const text = reading.read("devices.register_file", false, MOST_REGISTER);
  const withCertificates = authorities === undefined || authorities.length > 0;
  const parsed = text === undefined ? undefined : parseRegister(text.text, text.file, withCertificates);
  if (parsed?.ok === false) problems.push(...parsed.problems);
  let revocations = noRevocations;
  const crl = authorities === undefined ? undefined : reading.read("devices.crl_file", false, MOST_CA);
  if (crl !== undefined && authorities !== undefined) {
    const read = await readRevocations(crl.text, authorities);
    if (read !== undefined) revocations = read;
    else {
      reading.problem("devices.crl_file", {
        what: {
          zh: `${crl.file} 不是 devices.ca_file 中的 CA 签发的吊销列表（PEM）`,
          en: `names ${crl.file}, which is no revocation list (PEM) of an authority in devices.ca_file`,
        },
        instead: {
          zh: "请重新生成：openssl ca -gencrl，或核对 ca_file",
          en: "make it again with openssl ca -gencrl, or check ca_file",
        },
      });
    }
  }
  problems.push(...reading.problems);
  return problems.length > 0 || !parsed?.ok
    ? { problems }
    : { rules: { register: parsed.register, revocations }, problems };
}
