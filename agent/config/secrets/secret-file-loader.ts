import type { KeyObject, X509Certificate } from "node:crypto";
import { judgeContent, readGuarded } from "../../common/files/guarded-file.ts";
import type { AnyMessage } from "../../messages/message.ts";
import type { Fault, Problem } from "../problem.ts";
import type { Environment } from "../settings.ts";
import { judgeCertificateKey, judgeOrigin, judgeValidity, type Parsed, parseCertificate } from "./pem.ts";

export interface FileContext {
  /** For $CREDENTIALS_DIRECTORY. */
  readonly env: Environment;
  /** Unix milliseconds, for the validity of certificates. */
  readonly wallMs: number;
  /** Our own user id unless told. */
  readonly uid?: number;
  /** What files are to hold that are tried before they are written, by path. Their rights will be made right. */
  readonly given?: ReadonlyMap<string, Buffer> | undefined;
}

/** More than any key or certificate chain needs, and what a list of authorities may have. */
export const MOST = 16 * 1024;
export const MOST_CA = 1024 * 1024;

export interface FileText {
  readonly file: string;
  readonly text: string;
  readonly size: number;
}

/**
 * One pass over the files that a configuration names, by key. Each method answers undefined for a file that is not named or
 * has a problem.
 */
export class Reading<Key extends string> {
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];
  readonly #files: ReadonlyMap<Key, string>;
  readonly #surroundings: FileContext;
  readonly #origins: ReadonlyMap<string, string>;

  constructor(files: ReadonlyMap<Key, string>, surroundings: FileContext, origins: ReadonlyMap<string, string>) {
    this.#origins = origins;
    this.#files = files;
    this.#surroundings = surroundings;
  }

  pem(
    key: Key,
    parse: (text: string, file: string) => Parsed<KeyObject>,
    secret = true,
  ): { readonly text: string; readonly value: KeyObject } | undefined {
    const read = this.read(key, secret, MOST);
    if (read === undefined) return undefined;
    const parsed = parse(read.text, read.file);
    if (parsed.ok) return { text: read.text, value: parsed.value };
    this.problem(key, parsed.fault);
    return undefined;
  }

  certificates(
    key: Key,
    usual: string,
    most: number,
    /** What to do about one that has expired or soon will, where that is not the gateway's affair. */
    renewal?: AnyMessage,
  ): { readonly text: string; readonly first: X509Certificate } | undefined {
    const read = this.read(key, false, most);
    if (read === undefined) return undefined;
    const parsed = parseCertificate(read.text, read.file, usual);
    if (!parsed.ok) {
      this.problem(key, parsed.fault);
      return undefined;
    }
    const warning = judgeValidity(parsed.value, read.file, this.#surroundings.wallMs, renewal);
    if (warning !== undefined) this.warnings.push({ ...this.#at(key, warning), check: "cert.expiry" });
    return { text: read.text, first: parsed.value };
  }

  /** A TLS certificate and its key, as far as there are any: each strong enough, and both of one pair. */
  pair(
    [certKey, certificate]: readonly [Key, X509Certificate | undefined],
    [keyKey, key]: readonly [Key, KeyObject | undefined],
  ): void {
    if (certificate === undefined) return;
    const file = this.#files.get(certKey) ?? "";
    const weakness = judgeCertificateKey(certificate, file);
    if (weakness !== undefined) this.problem(certKey, weakness);
    if (key === undefined || certificate.checkPrivateKey(key)) return;
    const problem = this.#at(keyKey, {
      what: { id: "secret.other_key", params: { file } },
      instead: { id: "secret.deploy_both" },
    });
    this.problems.push({ ...problem, check: "key.match" });
  }

  /** WeChat Pay's public key, which must not be the other half of a key of our own. */
  foreign(key: Key, publicKey: KeyObject | undefined, own: readonly (readonly [Key, KeyObject | undefined])[]): void {
    if (publicKey === undefined) return;
    const ours = new Map(own.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])));
    const fault = judgeOrigin(publicKey, ours, this.#files.get(key) ?? "");
    if (fault !== undefined) this.problem(key, fault);
  }

  /** A secret on a line of its own. */
  line(key: Key, judge: (line: string) => Fault | undefined): string | undefined {
    const read = this.read(key, true, MOST);
    if (read === undefined) return undefined;
    const line = read.text.replace(/[\r\n]+$/, "");
    const fault = /\p{Cc}/u.test(line) ? notOneLine(read.file) : judge(line);
    if (fault === undefined) return line;
    this.problem(key, fault);
    return undefined;
  }

  read(key: Key, secret: boolean, most: number): FileText | undefined {
    const file = this.#files.get(key);
    if (file === undefined) return undefined;
    const { env, uid = process.geteuid?.(), given } = this.#surroundings;
    const bytes = given?.get(file);
    const guard = { secret, most, uid, credentialsDirectory: env.CREDENTIALS_DIRECTORY };
    const read = bytes === undefined ? readGuarded(file, guard) : judgeContent(file, bytes, most);
    if (read.ok) return { file, text: read.bytes.toString("utf8").replace(/^\ufeff/, ""), size: read.bytes.length };
    for (const fault of read.faults) this.problem(key, fault);
    return undefined;
  }

  problem(key: Key, fault: Fault): void {
    this.problems.push(this.#at(key, fault));
  }

  #at(key: Key, fault: Fault): Problem {
    return { key, origin: this.#origins.get(key) ?? this.#files.get(key) ?? "", ...fault };
  }
}

function notOneLine(file: string): Fault {
  return {
    what: { id: "secret.not_one_line", params: { file } },
    instead: { id: "secret.write_one_line" },
  };
}
