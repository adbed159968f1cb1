/** What is to be decided about a playground's configuration (specification 2). */
export interface ConfigSettings {
  /** The first is the primary. */
  readonly baseUrls: readonly string[];
  readonly driver:
    | { readonly type: "serial" | "socket"; readonly path: string }
    | { readonly type: "simulator"; readonly path?: undefined };
  /** "direct" unless told; "gateway" comes with client certificate and bearer token. */
  readonly mode?: "direct" | "gateway";
  /** Further keys, or other values, by section: {refresh: {lifetime_s: 60}}. Undefined takes a key out. */
  readonly overrides?: Readonly<Record<string, Readonly<Record<string, TomlValue | undefined>>>>;
}

type TomlValue = string | number | boolean | readonly string[];

interface Entry {
  readonly value: TomlValue | undefined;
  readonly comment?: string;
}

type Section = Record<string, Entry>;

export interface ConfigMaterials {
  readonly identity: {
    readonly spMchid: string;
    readonly spAppid: string;
    readonly subMchid: string;
    readonly subAppid: string;
    readonly organizationId: string;
  };
  readonly publicKeyId: string;
  readonly merchantSerialNo: string;
}

/** The text of a config.toml that a newcomer can read. Files are named relative to it. */
export function playgroundConfig(known: ConfigMaterials, settings: ConfigSettings): string {
  const sections: Record<string, Section> = {
    identity: identitySection(known.identity),
    driver: driverSection(settings.driver),
    wechatpay: { ...wechatpaySection(known, settings), ...accessSection(known, settings.mode ?? "direct") },
    store: { directory: { value: "state", comment: "the sealed authinfo, kept over restarts and power cuts" } },
    api: {
      socket: { value: "run/api.sock", comment: "for the cashier app" },
      socket_mode: { value: "0600" },
      admin_socket: { value: "run/admin.sock", comment: "for technician and monitoring; never carries an authinfo" },
      admin_socket_mode: { value: "0600" },
    },
  };
  for (const [name, keys] of Object.entries(settings.overrides ?? {})) {
    const section = sections[name] ?? {};
    sections[name] = section;
    for (const [key, value] of Object.entries(keys)) section[key] = { ...section[key], value };
  }
  const head = [
    "# facepay-agent with simulators for the bridge and for WeChat Pay: nothing here reaches the outside,",
    "# and no key or number is of use anywhere else. Relative paths start at this file.",
  ];
  const blocks = Object.entries(sections).map(([name, section]) => render(name, section));
  return `${[head.join("\n"), ...blocks].join("\n\n")}\n`;
}

function identitySection(identity: ConfigMaterials["identity"]): Section {
  return {
    sp_mchid: { value: identity.spMchid, comment: "the service provider's merchant number" },
    sp_appid: { value: identity.spAppid },
    sub_mchid: { value: identity.subMchid, comment: "the merchant in whose shop the terminal stands" },
    sub_appid: { value: identity.subAppid },
    organization_id: { value: identity.organizationId },
  };
}

function driverSection(driver: ConfigSettings["driver"]): Section {
  const comments = {
    serial: "the bridge answers on a serial line",
    socket: "the bridge answers on a unix socket",
    simulator: "a bridge inside the agent itself",
  };
  return {
    type: { value: driver.type, comment: comments[driver.type] },
    ...(driver.path === undefined ? {} : { path: { value: driver.path } }),
  };
}

function wechatpaySection(known: ConfigMaterials, settings: ConfigSettings): Section {
  const direct = (settings.mode ?? "direct") === "direct";
  return {
    mode: {
      value: settings.mode ?? "direct",
      comment: "direct: to WeChat Pay; gateway: through the merchant's server",
    },
    base_urls: {
      value: settings.baseUrls,
      comment: `${direct ? "the simulated WeChat Pay" : "the simulated gateway"}; the first is the primary`,
    },
    ca_file: { value: "ca.pem", comment: "the simulator's own certificate authority" },
    public_key_id: { value: known.publicKeyId, comment: "every answer is verified with this key" },
    public_key_file: { value: "wechatpay-public-key.pem" },
  };
}

function accessSection(known: ConfigMaterials, mode: "direct" | "gateway"): Section {
  if (mode === "direct") {
    return {
      accept_key_on_device: { value: true, comment: "direct mode keeps the merchant key on the terminal" },
      merchant_serial_no: { value: known.merchantSerialNo },
      merchant_private_key_file: { value: "merchant-key.pem" },
    };
  }
  return {
    client_cert_file: { value: "terminal-cert.pem", comment: "how the gateway knows this terminal" },
    client_key_file: { value: "terminal-key.pem" },
    bearer_token_file: { value: "bearer-token" },
  };
}

function render(name: string, section: Section): string {
  const lines = Object.entries(section).flatMap(([key, { value, comment }]) => {
    if (value === undefined) return [];
    const setting = `${key} = ${toml(value)}`;
    return [comment === undefined ? setting : `${setting}  # ${comment}`];
  });
  return [`[${name}]`, ...lines].join("\n");
}

/** A JSON string is a TOML basic string, but for DEL, which no path or id holds. */
function toml(value: TomlValue): string {
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "object" ? `[${value.map(toml).join(", ")}]` : String(value);
}
