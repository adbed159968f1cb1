import { createHash } from "node:crypto";
import path from "node:path";
import { lookupGroup } from "../common/files/group.ts";
import { assemble, assembleApi } from "./assemble.ts";
import type { ApiConfig, Config } from "./config.ts";
import { effectiveSettings, type Memory, memorise, type Setting } from "./effective.ts";
import { readSources, type SourceText } from "./files/sources.ts";
import { parseToml, salvageStoreDirectory } from "./files/toml.ts";
import { agentKeys, type SomeValues, schema, type Values } from "./keys/schema.ts";
import type { Problem } from "./problem.ts";
import { chooseProxy } from "./proxy.ts";
import { checkRules } from "./rules/rules.ts";
import { type NamedFiles, namedFiles } from "./secrets/named-files.ts";
import { collect, type Environment, type Layer, type Settings } from "./settings.ts";
import { checkValues } from "./values.ts";

export type LoadResult = LoadedConfig | AbsentConfig | InvalidConfig;

export interface LoadedConfig {
  readonly kind: "ok";
  readonly config: Config;
  /** Twelve hexadecimal digits; equal configurations have equal ones. */
  readonly hash: string;
  /** Every key in force with its value and origin, in the order of the specification. */
  readonly effective: readonly Setting[];
  /** "section.key" to "file:line", the environment variable, or "default". */
  readonly origins: ReadonlyMap<string, string>;
  readonly warnings: readonly Problem[];
  /** The files named for secrets and certificates, by key. */
  readonly named: NamedFiles;
  /** What else decides whom to trust: the files of the configuration, the state directory and those of the sockets. */
  readonly deciding: readonly string[];
  /** All it takes to get the same configuration again without its files (files/last-known-good.ts). Holds no secret. */
  readonly memory: Memory;
}

/** There is no main file: the terminal is not provisioned yet. */
export interface AbsentConfig {
  readonly kind: "absent";
  readonly file: string;
  /** Sockets that drop-ins or the environment name all the same. */
  readonly api?: ApiConfig;
}

export interface InvalidConfig {
  readonly kind: "invalid";
  /** All there are, never empty. */
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** `store.directory` as far as it can be read, else $STATE_DIRECTORY, else the default: where a valid one is remembered. */
  readonly storeDirectory: string;
  readonly origins: ReadonlyMap<string, string>;
  readonly named: NamedFiles;
  readonly deciding: readonly string[];
}

export interface LoadOptions {
  readonly file: string;
  /** What the file is to hold: it is tried before it is written. */
  readonly text?: string | undefined;
  readonly env: Environment;
  /** /etc/group but for tests. */
  readonly groupFile?: string;
}

/**
 * Reads and checks the configuration (specification 2): the main file, its drop-ins, the environment. Every problem is
 * reported at once. Rejects only for what is no fault of the configuration (out of memory, an unreadable /etc/group).
 */
export async function loadConfig({ file, text, env, groupFile }: LoadOptions): Promise<LoadResult> {
  const mainFile = path.resolve(file);
  const sources = readSources(mainFile, text);
  const layers: Layer[] = [];
  const problems = [...sources.problems];
  let salvaged: string | undefined;
  for (const source of sources.texts) {
    const parsed = parseToml(source.text, source.file);
    if (parsed.ok) layers.push(fileLayer(source, parsed.toml));
    else {
      problems.push(parsed.problem);
      const directory = salvageStoreDirectory(source.text);
      if (directory !== undefined) salvaged = path.resolve(path.dirname(source.file), directory);
    }
  }
  if (!sources.present) return { kind: "absent", file: mainFile, ...socketsAlone(layers, env, mainFile) };
  const files = [mainFile, sources.dropIns, ...sources.texts.map((each) => each.file)];
  return await checkLayers(layers, { mainFile, files, env, problems, ...optional({ groupFile, salvaged }) });
}

interface LayerContext {
  readonly mainFile: string;
  /** Files and directories that the layers were read from; none of a remembered one, which is guarded by itself. */
  readonly files: readonly string[];
  readonly env: Environment;
  /** Found while the layers were read. */
  readonly problems: readonly Problem[];
  readonly groupFile?: string;
  /** `store.directory` out of a file that is no valid TOML. */
  readonly salvaged?: string;
}

/** Everything after reading: merging, checking, assembling. */
export async function checkLayers(layers: readonly Layer[], context: LayerContext): Promise<LoadResult> {
  const { mainFile, env } = context;
  const collected = collect([...systemdLayer(env), ...layers], env, path.dirname(mainFile), agentKeys);
  const { settings } = collected;
  const checked = checkValues<SomeValues>(settings, mainFile, agentKeys);
  const { values } = checked;
  const rules = checkRules(values, settings, mainFile);
  const proxy = chooseProxy(values, settings, env);
  const deviceId = await deviceIdOf(values, settings);
  const problems = [
    ...context.problems,
    ...collected.problems,
    ...checked.problems,
    // What a file that cannot be read may well have said is not reported as missing.
    ...(context.problems.length > 0 ? [] : [...checked.missing, ...rules.problems]),
    ...proxy.problems,
    ...deviceId.problems,
    ...groupProblems(values, settings, context.groupFile),
  ];
  const warnings = [...rules.warnings, ...proxy.warnings];
  const effective = effectiveSettings(values, settings, proxy);
  const origins = new Map(effective.map(({ key, origin }) => [key, origin]));
  const storeDirectory = stateDirectory(values, settings, context.salvaged);
  const sockets = [values.api.socket, values.api.admin_socket].filter((socket) => socket !== undefined);
  const led = [values.identity.device_id_file, storeDirectory, ...sockets.map((socket) => path.dirname(socket))];
  const deciding = [...context.files, ...led.filter((place) => place !== undefined)];
  const common = { origins, warnings, named: namedFiles(values), deciding };
  if (problems.length > 0) return { kind: "invalid", problems, storeDirectory, ...common };
  // Without a problem every required key has passed its check.
  const config = assemble(values as Values, proxy, values.identity.device_id ?? deviceId.value);
  const memory = memorise(effective, proxy, config.identity.deviceId);
  return { kind: "ok", config, hash: hashOf(config), effective, memory, ...common };
}

async function deviceIdOf({ identity }: SomeValues, settings: Settings) {
  if (identity.device_id_file === undefined) return { problems: [] };
  const { readDeviceId } = await import("./files/device-id-file.ts");
  return await readDeviceId(identity.device_id_file, settings);
}

function socketsAlone(layers: readonly Layer[], env: Environment, mainFile: string): { readonly api?: ApiConfig } {
  const { settings } = collect(layers, env, path.dirname(mainFile), agentKeys);
  const { values, problems } = checkValues<SomeValues>(settings, mainFile, agentKeys);
  const concerned = [...settings.keys()].some((key) => key.startsWith("api."));
  if (!concerned || problems.some(({ key }) => key.startsWith("api."))) return {};
  // No problem in this section: its defaults are all there.
  return { api: assembleApi(values as Pick<Values, "api">) };
}

export function fileLayer(
  source: SourceText,
  toml: { table: Layer["table"]; lineOf(key: string): number | undefined },
): Layer {
  return {
    table: toml.table,
    directory: path.dirname(source.file),
    originOf(key) {
      const line = toml.lineOf(key);
      return line === undefined ? source.file : `${source.file}:${line}`;
    },
  };
}

/** systemd's `StateDirectory=`; of several the first. Below every file, so that a file may say otherwise. */
function systemdLayer(env: Environment): Layer[] {
  const [directory] = (env.STATE_DIRECTORY ?? "").split(":");
  if (!directory) return [];
  return [{ table: { store: { directory } }, directory: "/", originOf: () => "$STATE_DIRECTORY" }];
}

function stateDirectory(values: SomeValues, settings: Settings, salvaged: string | undefined): string {
  const given = settings.get("store.directory");
  const weak = given === undefined || given.origin === "$STATE_DIRECTORY";
  if (weak && salvaged !== undefined) return salvaged;
  return values.store.directory ?? schema.store.fields.directory.fallback ?? "/";
}

function groupProblems(values: SomeValues, settings: Settings, groupFile: string | undefined): Problem[] {
  const named = [
    ["api.socket_group", values.api.socket_group],
    ["api.admin_socket_group", values.api.admin_socket_group],
    ["file_copy.group", values.file_copy.group],
  ] as const;
  return named.flatMap(([key, group]) => {
    if (group === undefined || lookupGroup(group, groupFile) !== undefined) return [];
    const origin = settings.get(key)?.origin ?? "";
    return [
      {
        key,
        origin,
        what: { id: "group.absent", params: { group } },
        instead: { id: "group.create", params: { group } },
      },
    ];
  });
}

function hashOf(config: Config): string {
  return createHash("sha256").update(canonical(config)).digest("hex").slice(0, 12);
}

/** JSON with sorted keys: the order of keys in the files is no difference. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

function optional(found: { groupFile: string | undefined; salvaged: string | undefined }) {
  const { groupFile, salvaged } = found;
  return { ...(groupFile === undefined ? {} : { groupFile }), ...(salvaged === undefined ? {} : { salvaged }) };
}
