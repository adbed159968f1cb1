import fs from "node:fs/promises";
import path from "node:path";
import { type Clock, systemClock } from "../common/clock.ts";
import { type Random, systemRandom } from "../common/random.ts";
import type { Platform } from "./answers.ts";
import type { ExpectedIdentity } from "./authinfo-rules.ts";
import { type Authority, type Certificate, createAuthority, createKeyPair } from "./certificates.ts";
import type { GatewayServerOptions } from "./gateway-server.ts";
import { type ConfigSettings, playgroundConfig } from "./playground-config.ts";
import type { WechatPayServerOptions } from "./wechatpay-server.ts";

/** Made-up, of the published shapes. */
export const playgroundIdentity = {
  spMchid: "1900000100",
  spAppid: "wxd678efh567hg6787",
  subMchid: "1900000109",
  subAppid: "wxa1b2c3d4e5f60718",
  organizationId: "O004ABC8FZ2023031514461460894a",
  deviceId: "LTA0P18937F130532000001",
} as const;

const PUBLIC_KEY_ID = "PUB_KEY_ID_0119000001002026060100000000000001";

/** A complete terminal in one directory, with what its peers need to know. */
export interface Playground {
  readonly directory: string;
  readonly configFile: string;
  readonly apiSocket: string;
  readonly adminSocket: string;
  readonly stateDirectory: string;
  /** Where a simulator bridge may link its device. */
  readonly deviceLink: string;
  readonly ca: Authority;
  readonly server: Certificate;
  readonly merchant: Certificate;
  readonly client: Certificate;
  readonly bearerToken: string;
  readonly platform: Platform;
  /** The public half of the platform's key. */
  readonly platformPublicKeyPem: string;
  readonly identity: typeof playgroundIdentity;
  /** To be passed to `startWechatPayServer` and `startGatewayServer` as they are, or with a port. */
  readonly wechatPayOptions: WechatPayServerOptions;
  readonly gatewayOptions: GatewayServerOptions;
  /** Writes (again) config.toml and returns its path. */
  writeConfig(settings: ConfigSettings): Promise<string>;
}

/**
 * Makes keys, certificates and secret files (0600) in `directory`, which is created if need be. The configuration is
 * written at once when `settings` are given, else by `writeConfig` when the addresses are known.
 */
export async function createPlayground(
  directory: string,
  options: { readonly settings?: ConfigSettings; readonly clock?: Clock; readonly random?: Random } = {},
): Promise<Playground> {
  const clock = options.clock ?? systemClock();
  const random = options.random ?? systemRandom;
  const root = path.resolve(directory);
  const within = (name: string) => path.join(root, name);
  await fs.mkdir(within("run"), { recursive: true, mode: 0o700 });
  const { spMchid } = playgroundIdentity;
  const [ca, platformKeys] = await Promise.all([createAuthority({ now: clock.wall() }), createKeyPair()]);
  const [server, merchant, client] = await Promise.all([
    ca.issueServer({ commonName: "simulated WeChat Pay" }),
    ca.issueClient({ commonName: spMchid }),
    ca.issueClient({ commonName: playgroundIdentity.deviceId }),
  ]);
  const bearerToken = random.bytes(24).toString("base64url");
  await Promise.all([
    writeFile(within("ca.pem"), ca.certPem, 0o644),
    writeFile(within("wechatpay-public-key.pem"), platformKeys.publicKeyPem, 0o644),
    writeFile(within("merchant-key.pem"), merchant.privateKeyPem, 0o600),
    writeFile(within("terminal-cert.pem"), client.certPem, 0o644),
    writeFile(within("terminal-key.pem"), client.privateKeyPem, 0o600),
    writeFile(within("bearer-token"), `${bearerToken}\n`, 0o600),
  ]);

  const platform = { keyId: PUBLIC_KEY_ID, privateKeyPem: platformKeys.privateKeyPem };
  const tls = { cert: server.certPem, key: server.privateKeyPem };
  const { spAppid, subAppid, subMchid, organizationId, deviceId } = playgroundIdentity;
  const identity: ExpectedIdentity = { spAppid, subAppid, subMchid, organizationId, deviceId };
  const peers = { tls, platform, identity, clock, random };
  const configFile = within("config.toml");
  const writeConfig = async (settings: ConfigSettings) => {
    const known = { identity: playgroundIdentity, publicKeyId: PUBLIC_KEY_ID, merchantSerialNo: merchant.serialNo };
    await writeFile(configFile, playgroundConfig(known, settings), 0o640);
    return configFile;
  };
  if (options.settings !== undefined) await writeConfig(options.settings);

  return {
    directory: root,
    configFile,
    apiSocket: within("run/api.sock"),
    adminSocket: within("run/admin.sock"),
    stateDirectory: within("state"),
    deviceLink: within("ttyFACEPAY"),
    ca,
    server,
    merchant,
    client,
    bearerToken,
    platform,
    platformPublicKeyPem: platformKeys.publicKeyPem,
    identity: playgroundIdentity,
    wechatPayOptions: {
      ...peers,
      merchant: { mchid: spMchid, serialNo: merchant.serialNo, publicKeyPem: merchant.publicKeyPem },
    },
    gatewayOptions: { ...peers, clientCa: ca.certPem, bearerToken },
    writeConfig,
  };
}

async function writeFile(file: string, text: string, mode: number): Promise<void> {
  // The mode counts only for a new file; an old one may have been made with another.
  await fs.rm(file, { force: true });
  await fs.writeFile(file, text, { mode });
}
