import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

/** Sections and keys as TOML text: {wechatpay: {mode: '"direct"'}}. Undefined takes a key out. */
export type TomlSections = Readonly<Record<string, Readonly<Record<string, string | undefined>>>>;

const IDENTITY = {
  sp_mchid: '"1900000100"',
  sp_appid: '"wx2421b1c4370ec43b"',
  sub_mchid: '"1900000109"',
  organization_id: '"O004ABC8FZ2023031514461460894a"',
};
const PUBLIC_KEY = {
  public_key_id: '"PUB_KEY_ID_0000000000000024101100397200000006"',
  public_key_file: '"pub_key.pem"',
};

/** Each is complete and valid by itself; tests break one rule of it. */
export const gatewaySections: TomlSections = {
  identity: IDENTITY,
  driver: { type: '"simulator"' },
  wechatpay: {
    mode: '"gateway"',
    base_urls: '["https://gateway.example.com/facepay"]',
    bearer_token_file: '"token"',
    ...PUBLIC_KEY,
  },
};
export const directSections: TomlSections = {
  identity: IDENTITY,
  driver: { type: '"simulator"' },
  wechatpay: {
    mode: '"direct"',
    accept_key_on_device: "true",
    merchant_serial_no: '"5157F09EFDC096DE15EBE81A47057A7232F1B8E1"',
    merchant_private_key_file: '"apiclient_key.pem"',
    ...PUBLIC_KEY,
  },
};

export function tomlOf(sections: TomlSections, changes: TomlSections = {}): string {
  const names = [...new Set([...Object.keys(sections), ...Object.keys(changes)])];
  return names
    .map((name) => {
      const keys = Object.entries({ ...sections[name], ...changes[name] });
      const lines = keys.flatMap(([key, value]) => (value === undefined ? [] : [`${key} = ${value}`]));
      return [`[${name}]`, ...lines, ""].join("\n");
    })
    .join("\n");
}

/** A directory like /etc/facepay-agent, removed at the end of the `await using` block. */
export class ConfigDirectory {
  readonly path: string;

  private constructor(directory: string) {
    this.path = directory;
  }

  static async create(): Promise<ConfigDirectory> {
    return new ConfigDirectory(await mkdtemp(path.join(os.tmpdir(), "facepay-config-")));
  }

  get file(): string {
    return this.of("config.toml");
  }

  of(...names: string[]): string {
    return path.join(this.path, ...names);
  }

  async write(name: string, content: string | Buffer, mode = 0o600): Promise<string> {
    const file = this.of(name);
    await mkdir(path.dirname(file), { recursive: true });
    // A file made read-only before could not be written again by anyone but root.
    await rm(file, { force: true });
    await writeFile(file, content);
    // Not by writeFile's option: the umask would have its say.
    await chmod(file, mode);
    return file;
  }

  async remove(name: string): Promise<void> {
    await rm(this.of(name), { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
