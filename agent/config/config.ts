/** The checked configuration (specification 2), frozen. Paths are absolute. Secrets are only named here, never held. */
export interface Config {
  readonly identity: Identity;
  readonly driver: DriverConfig;
  readonly wechatpay: WechatPayConfig;
  readonly refresh: RefreshConfig;
  readonly store: { readonly directory: string; readonly keyFile?: string };
  readonly api: ApiConfig;
  readonly fileCopy?: { readonly path: string; readonly mode: number; readonly group?: string };
  readonly metrics: { readonly textfile?: string; readonly runtime: boolean };
  /** Absent: nothing of it is loaded. */
  readonly telemetry?: TelemetryConfig;
  readonly log: { readonly level: "debug" | "info" | "warn" | "error" };
}

/** Who asks WeChat Pay for whom. Every field goes into the request as it stands. */
export interface Identity {
  readonly spMchid: string;
  readonly spAppid: string;
  readonly subMchid: string;
  readonly organizationId: string;
  readonly subAppid?: string;
  /** Used when the bridge reports none; a bridge that reports another one is an error. */
  readonly deviceId?: string;
}

export interface DriverConfig {
  readonly type: "serial" | "socket" | "simulator";
  readonly path?: string;
  /** Lower-case hexadecimal, four digits, as in /sys. */
  readonly match?: { readonly vendorId: string; readonly productId: string; readonly serialNumber?: string };
  readonly baudRate: number;
  readonly dataBits: 7 | 8;
  readonly parity: "none" | "even" | "odd";
  readonly stopBits: 1 | 2;
  readonly rtscts: boolean;
  readonly callTimeoutMs: number;
  readonly initTimeoutMs: number;
  /** Extra parameters of initWxpayface, passed unchanged, without the password. */
  readonly init: Readonly<Record<string, unknown>>;
  readonly initPasswdFile?: string;
}

export interface WechatPayConfig {
  readonly mode: "gateway" | "direct";
  /** Without a trailing slash; the first is the primary. */
  readonly baseUrls: readonly string[];
  readonly caFile?: string;
  /** `http://host:port`, from the configuration or from HTTPS_PROXY. */
  readonly proxy?: string;
  readonly proxyAuthFile?: string;
  readonly noProxy: string;
  readonly attemptTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly publicKeyId: string;
  readonly publicKeyFile: string;
  readonly merchantSerialNo?: string;
  readonly merchantPrivateKeyFile?: string;
  readonly clientCertFile?: string;
  readonly clientKeyFile?: string;
  readonly bearerTokenFile?: string;
}

export interface RefreshConfig {
  readonly lifetimeS: number;
  readonly refreshAt: number;
  readonly refreshAtUnsteady: number;
  readonly demand: "learn" | "off";
  readonly staleS: number;
}

export interface ApiConfig {
  readonly socket?: string;
  readonly socketGroup?: string;
  readonly socketMode: number;
  readonly adminSocket?: string;
  readonly adminSocketGroup?: string;
  readonly adminSocketMode: number;
}

export type RemoteCommand = "refresh" | "diagnose";

export interface TelemetryConfig {
  readonly broker: { readonly tls: boolean; readonly host: string; readonly port: number };
  readonly username?: string;
  readonly topicPrefix: string;
  readonly intervalS: number;
  readonly keepaliveS: number;
  readonly commands: readonly RemoteCommand[];
}
