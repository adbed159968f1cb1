import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Every source of the product, relative to the project's root. */
function sources(): string[] {
  return ["agent", "drivers", "scripts"].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .map((file) => path.posix.join(folder, file)),
  );
}

/** Static and dynamic imports of a file, types included; relative ones as paths from the root. */
function importsOf(file: string): string[] {
  const text = readFileSync(path.join(root, file), "utf8");
  const specifiers = [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1] ?? "");
  return specifiers.map((specifier) =>
    specifier.startsWith(".") ? path.posix.join(path.posix.dirname(file), specifier) : specifier,
  );
}

const files = sources();
const imports = new Map(files.map((file) => [file, importsOf(file)]));

function cycleFrom(start: string): string[] | undefined {
  const walk = (file: string, trail: readonly string[]): string[] | undefined => {
    for (const next of imports.get(file) ?? []) {
      if (next === start) return [...trail, next];
      if (imports.has(next) && !trail.includes(next)) {
        const found = walk(next, [...trail, next]);
        if (found) return found;
      }
    }
    return undefined;
  };
  return walk(start, [start]);
}

const breaches = (applies: (file: string) => boolean, allowed: (imported: string, file: string) => boolean): string[] =>
  files
    .filter(applies)
    .flatMap((file) => (imports.get(file) ?? []).filter((i) => !allowed(i, file)).map((i) => `${file} -> ${i}`));

const isOurs = (imported: string) => /^(agent|drivers|scripts|test)\//.test(imported);
const LEAVES = [
  "clock",
  "entropy",
  "errors",
  "failure-params",
  "failures",
  "libc",
  "log/log",
  "log/peer-words",
  "log/withhold",
  "log/readings",
].map((name) => `agent/${name}.ts`);
/** Whoever shows a failure to people; what they need knows nothing of them. */
const TEXTS = ["agent/messages/", "agent/common/language.ts"];

describe("the house", () => {
  it("is read by this test at all", () => {
    expect(files.length).toBeGreaterThan(40);
    expect(imports.get("agent/common/errors.ts")).toContain("agent/common/failures.ts");
  });

  it("has no import cycle, types included", () => {
    const reached = new Set<string>();
    const cycles = files
      .filter((file) => !reached.has(file))
      .map((file) => {
        reached.add(file);
        return cycleFrom(file);
      });
    expect(cycles.filter((cycle) => cycle !== undefined)).toEqual([]);
  });

  it("lets drivers see nothing of the agent but its leaves and the configuration's types", () => {
    const allowed = [...LEAVES, "agent/config/config.ts"];
    const found = breaches(
      (file) => file.startsWith("drivers/"),
      (i) => !i.startsWith("agent/") || allowed.includes(i),
    );
    expect(found).toEqual([]);
  });

  it("lets only the composition roots, of the agent and of the bridge checks, see the drivers themselves", () => {
    // The bridge is a program of its own: these files are where it is put together.
    const roots = [
      "agent/runtime/terminal.ts",
      "agent/diagnostics/direct-line.ts",
      "agent/commands/bridge",
      "agent/simulation/",
    ];
    const found = breaches(
      (file) => file.startsWith("agent/") && !roots.some((root) => file.startsWith(root)),
      (i) => !i.startsWith("drivers/") || i === "drivers/sdk/driver.ts",
    );
    expect(found).toEqual([]);
  });

  it("keeps the parts apart: WeChat Pay knows no authinfo, the store no keeper, the keeper no API", () => {
    const folders: Record<string, string[]> = {
      "agent/log/": ["agent/log/", ...LEAVES],
      "agent/files/": ["agent/files/", "agent/common/language.ts", ...LEAVES],
      "agent/http/": ["agent/http/", ...TEXTS, ...LEAVES],
      "agent/api/": [
        ...["api", "http", "files"].map((room) => `agent/${room}/`),
        "agent/credential/credential-types.ts",
        "agent/store/credential.ts",
        "agent/config/config.ts",
        "drivers/sdk/driver.ts",
        ...LEAVES,
      ],
      "agent/wechatpay/": ["agent/config/config.ts", "agent/wechatpay/", ...LEAVES],
      "agent/store/": [
        "agent/config/config.ts",
        "agent/store/credential.ts",
        "agent/store/",
        "agent/files/",
        ...LEAVES,
      ],
      "agent/config/": [
        "agent/config/secrets/client-secrets.ts",
        "agent/config/",
        "agent/common/language.ts",
        "agent/files/",
        ...LEAVES,
      ],
      "agent/authinfo/": [
        "agent/config/config.ts",
        "agent/store/store-types.ts",
        "agent/wechatpay/wechatpay.ts",
        "agent/common/clock-sync.ts",
        "agent/authinfo/",
        "drivers/sdk/driver.ts",
        ...LEAVES,
      ],
    };
    for (const [folder, allowed] of Object.entries(folders)) {
      const found = breaches(
        (file) => file.startsWith(folder),
        (i) => !isOurs(i) || allowed.some((prefix) => i.startsWith(prefix)),
      );
      expect(found, folder).toEqual([]);
    }
  });

  it("lets nothing of the running agent see diagnose", () => {
    const reached = new Set(["agent/cli/run.ts"]);
    for (const file of reached) for (const i of imports.get(file) ?? []) if (imports.has(i)) reached.add(i);
    expect(reached.size).toBeGreaterThan(60);
    expect([...reached].filter((file) => file.startsWith("agent/diagnose/"))).toEqual([]);
  });

  it("keeps the gateway beside the terminal: it shares client, configuration and HTTP with it, and nothing else", () => {
    const shared = ["gateway", "wechatpay", "config", "http"].map((room) => `agent/${room}/`);
    const allowed = [
      ...shared,
      "agent/messages/",
      ...["files/file-watch", "language", "log/pino-log", "version"].map((name) => `agent/${name}.ts`),
      ...LEAVES,
    ];
    const found = breaches(
      (file) => file.startsWith("agent/gateway/"),
      (i) => !isOurs(i) || allowed.some((prefix) => i.startsWith(prefix)),
    );
    expect(found).toEqual([]);
    const users = breaches(
      (file) => !file.startsWith("agent/gateway/") && file !== "agent/cli/gateway.ts",
      (i) => !i.startsWith("agent/gateway/"),
    );
    expect(users).toEqual([]);
  });

  it("never lets a stand-in import the code it checks", () => {
    const own = [
      "agent/simulation/",
      "drivers/simulator/",
      "agent/common/clock.ts",
      "agent/common/random.ts",
      "agent/common/libc.ts",
    ];
    const found = breaches(
      (file) => file.startsWith("agent/simulation/") || file.startsWith("drivers/simulator/"),
      (i) => !isOurs(i) || own.some((prefix) => i.startsWith(prefix)),
    );
    expect(found).toEqual([]);
  });

  it("keeps the conformance kit apart from the bridge it checks", () => {
    const own = ["drivers/bridge-check/", "drivers/simulator/wire.ts", "drivers/line/open-stream.ts", ...LEAVES];
    const found = breaches(
      (file) => file.startsWith("drivers/bridge-check/"),
      (i) => !isOurs(i) || own.some((prefix) => i.startsWith(prefix)),
    );
    expect(found).toEqual([]);
  });

  it("takes time and chance from arguments only", () => {
    const direct = /\b(Date\.now|Math\.random|performance\.now)\(|new Date\(\)|\bset(Timeout|Interval)\(/;
    const standIns = /^(agent\/simulation|drivers\/simulator|scripts)\//;
    const found = files
      .filter((file) => !["agent/common/clock.ts", "agent/common/random.ts"].includes(file) && !standIns.test(file))
      .filter((file) => direct.test(readFileSync(path.join(root, file), "utf8")));
    expect(found).toEqual([]);
  });

  it("loads heavy packages only when they are needed", () => {
    const heavy = ["undici", "serialport", "koffi", "pino", "prom-client", "systeminformation", "@peculiar/x509"];
    const eager = files.flatMap((file) => {
      const text = readFileSync(path.join(root, file), "utf8");
      return heavy
        .filter((name) => new RegExp(`^import (?!type)[^;]*from "${name}"`, "m").test(text))
        .map((name) => `${file}: ${name}`);
    });
    // The transport is itself loaded only when the first request is due.
    expect(eager.filter((entry) => !entry.startsWith("agent/wechatpay/transport/transport.ts"))).toEqual([]);
  });

  it("takes no URL's percent-encoded pathname for a file: the project works in a path with blanks and Chinese characters", () => {
    const all = ["agent", "drivers", "scripts", "test"].flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
        .filter((file) => /\.[cm]?[jt]s$/.test(file))
        .map((file) => path.posix.join(folder, file)),
    );
    expect(all).toContain("test/vitest.config.ts");
    const own = "import.meta.url";
    const both = all.filter((file) => {
      const text = readFileSync(path.join(root, file), "utf8");
      return file !== "test/unit/project/layers.test.ts" && text.includes(own) && text.includes(".pathname");
    });
    expect(both, `${own} with .pathname: write import.meta.dirname or fileURLToPath`).toEqual([]);
  });
});
