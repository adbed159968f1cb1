import { fieldOf, knownKeys, type SomeValues } from "./keys/schema.ts";
import type { ProxyChoice } from "./proxy.ts";
import type { Settings } from "./settings.ts";

/** One key in force: its value as a file would say it (paths absolute), and where it comes from. */
export interface Setting {
  readonly key: string;
  readonly value: unknown;
  readonly origin: string;
}

export const DEFAULT_ORIGIN = "default";

/** Every key that has a value, in the order of the schema, parameters of the SDK at their place. */
export function effectiveSettings(values: SomeValues, settings: Settings, proxy: ProxyChoice): Setting[] {
  const found: Setting[] = [];
  const free = [...settings.keys()].filter((key) => fieldOf(key) === undefined);
  for (const key of knownKeys) {
    const given = settings.get(key);
    const field = fieldOf(key);
    if (given !== undefined) {
      const checked = checkedValue(values, key);
      // A mode is kept as octal text; a path is told absolute, a URL normalised.
      const settled = field?.isPath === true || Array.isArray(checked);
      found.push({ key, value: settled ? (checked ?? given.value) : given.value, origin: given.origin });
    } else if (key === "wechatpay.proxy" && proxy.proxy !== undefined && proxy.from !== undefined) {
      found.push({ key, value: proxy.proxy, origin: proxy.from });
    } else if (field?.fallback !== undefined) {
      found.push({ key, value: field.fallbackText ?? field.fallback, origin: DEFAULT_ORIGIN });
    }
    // The last named parameter of the SDK is followed by those that have no name here.
    if (key === "driver.init.passwd_file") {
      for (const other of free) {
        const given = settings.get(other);
        if (given !== undefined) found.push({ key: other, value: given.value, origin: given.origin });
      }
    }
  }
  return found;
}

/** A configuration without its files: a table as TOML would give it, and the environment it was read in. No secret. */
export interface Memory {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, string>>;
}

/** `deviceId` takes the place of the file that named it, which may be gone by then. */
export function memorise(effective: readonly Setting[], proxy: ProxyChoice, deviceId: string | undefined): Memory {
  const settings: Record<string, Record<string, unknown>> = {};
  const put = (section: string, own: string, value: unknown) => {
    settings[section] = { ...settings[section], [own]: value };
  };
  for (const { key, value, origin } of effective) {
    if (origin === DEFAULT_ORIGIN || origin === proxy.from || key === "identity.device_id_file") continue;
    const section = key.startsWith("driver.init.") ? "driver.init" : key.slice(0, key.indexOf("."));
    put(section, key.slice(section.length + 1), value);
  }
  if (deviceId !== undefined) put("identity", "device_id", deviceId);
  const { "driver.init": init, ...tables } = settings;
  if (init !== undefined) tables.driver = { ...tables.driver, init };
  // Only what was checked is kept: a variable that is not in use may hold the proxy's password.
  const { from, proxy: url, noProxy } = proxy;
  const environment: Record<string, string> =
    from === undefined || url === undefined ? {} : { HTTPS_PROXY: url, NO_PROXY: noProxy };
  return { settings: tables, environment };
}

function checkedValue(values: SomeValues, key: string): unknown {
  const dot = key.lastIndexOf(".");
  const section: Readonly<Record<string, unknown>> | undefined = Object.entries(values).find(
    ([name]) => name === key.slice(0, dot),
  )?.[1];
  return section?.[key.slice(dot + 1)];
}
