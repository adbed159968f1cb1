import { execFileSync, spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Whether `openssl` is on this machine: npm does not bring it. */
export const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

const config = `
[req]
distinguished_name = dn
prompt = no
[dn]
CN = unused
[authority]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[terminal]
basicConstraints = critical,CA:false
extendedKeyUsage = clientAuth
authorityKeyIdentifier = keyid
[list]
authorityKeyIdentifier = keyid
`;

/** Keys, certificates and lists as people make them with the openssl command, in one directory. */
export class OpensslAuthorities {
  readonly #directory: string;
  readonly #lists = new Map<string, string>();

  constructor(directory: string) {
    this.#directory = directory;
    writeFileSync(this.#of("openssl.cnf"), config);
  }

  read(name: string): string {
    return readFileSync(this.#of(name), "utf8");
  }

  key(name: string): void {
    this.#run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", this.#of(`${name}.key`));
  }

  /** `name`.pem out of `key`.key, signed by `issuer`.key, or by itself. */
  certify(name: string, commonName: string, key: string, issuer?: string, kind = "authority"): void {
    const subject = ["-subj", `/CN=${commonName}`, "-config", this.#of("openssl.cnf")];
    const own = ["-key", this.#of(`${key}.key`), "-out"];
    if (issuer === undefined) {
      this.#run(
        "req",
        "-x509",
        "-new",
        ...own,
        this.#of(`${name}.pem`),
        "-days",
        "30",
        "-extensions",
        kind,
        ...subject,
      );
      return;
    }
    this.#run("req", "-new", ...own, this.#of(`${name}.csr`), ...subject);
    const by = ["-CA", this.#of(`${issuer}.pem`), "-CAkey", this.#of(`${this.#keyOf(issuer)}.key`), "-CAcreateserial"];
    const extensions = ["-extfile", this.#of("openssl.cnf"), "-extensions", kind];
    const files = ["-in", this.#of(`${name}.csr`), "-out", this.#of(`${name}.pem`)];
    this.#run("x509", "-req", "-days", "20", ...files, ...by, ...extensions);
  }

  /** `openssl ca -gencrl`, once for the same words. */
  list(authority: string, revoked: readonly string[]): string {
    const words = [authority, ...revoked].join();
    const known = this.#lists.get(words);
    if (known !== undefined) return known;
    const at = this.#of(`list-${this.#lists.size}`);
    const when = "260101000000Z";
    const serial = (name: string) => new X509Certificate(this.read(`${name}.pem`)).serialNumber;
    const entries = revoked.map((name) => `R\t400101000000Z\t${when}\t${serial(name)}\tunknown\t/CN=x\n`);
    writeFileSync(`${at}.index`, entries.join(""));
    writeFileSync(
      `${at}.cnf`,
      `[ca]\ndefault_ca=t\n[t]\ndatabase=${at}.index\ndefault_md=sha256\ndefault_crl_days=9\ncrl_extensions=list\n${config}`,
    );
    const by = ["-cert", this.#of(`${authority}.pem`), "-keyfile", this.#of(`${this.#keyOf(authority)}.key`)];
    this.#run("ca", "-config", `${at}.cnf`, "-gencrl", ...by, "-out", `${at}.crl`);
    const list = readFileSync(`${at}.crl`, "utf8");
    this.#lists.set(words, list);
    return list;
  }

  /** Which of the certificates `openssl verify` believes, with every list looked at along the whole chain. */
  believed(authorities: readonly string[], lists: readonly string[], names: readonly string[]): string[] {
    writeFileSync(this.#of("all.pem"), authorities.map((name) => this.read(`${name}.pem`)).join(""));
    writeFileSync(this.#of("all.crl"), lists.join(""));
    const files = names.map((name) => this.#of(`${name}.pem`));
    const trust = ["-no-CApath", "-CAfile", this.#of("all.pem"), "-CRLfile", this.#of("all.crl")];
    const { stdout } = spawnSync("openssl", ["verify", "-crl_check_all", ...trust, ...files], { encoding: "utf8" });
    return names.filter((name) => stdout.includes(`${this.#of(`${name}.pem`)}: OK`));
  }

  /** A certificate that is not named after its key has another one beside it that is. */
  #keyOf(name: string): string {
    return name.replace(/-.*$/, "");
  }

  #of(name: string): string {
    return path.join(this.#directory, name);
  }

  #run(...words: string[]): string {
    return execFileSync("openssl", words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  }
}
