import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** A folder of more files is two folders. */
const MOST_FILES = 20;

/** Every source of these folders, relative to the project's root. */
function sources(...folders: readonly string[]): string[] {
  return folders.flatMap((folder) =>
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

const files = sources("agent", "drivers", "scripts");
const imports = new Map(files.map((file) => [file, importsOf(file)]));

/** A way along the imports from the file back to itself. */
function cycleFrom(start: string): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const open = [start];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    for (const next of imports.get(file) ?? []) {
      if (next === start) {
        const trail = [file];
        for (let at = file; at !== start; ) {
          at = cameFrom.get(at) ?? start;
          trail.unshift(at);
        }
        return trail;
      }
      if (!imports.has(next) || cameFrom.has(next)) continue;
      cameFrom.set(next, file);
      open.push(next);
    }
  }
  return undefined;
}

const breaches = (applies: (file: string) => boolean, allowed: (imported: string, file: string) => boolean): string[] =>
  files
    .filter(applies)
    .flatMap((file) => (imports.get(file) ?? []).filter((i) => !allowed(i, file)).map((i) => `${file} -> ${i}`));

const isOurs = (imported: string) => /^(agent|drivers|scripts|test)\//.test(imported);
/** "agent/store", "drivers/line"; what stands in no folder is its own. */
const folderOf = (file: string) => {
  const parts = file.split("/");
  return parts.length > 2 ? parts.slice(0, 2).join("/") : file;
};

/** What each folder may import besides itself and agent/common. A folder that is not here may import anything (but for the rules below). */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "agent/common": [],
  "agent/messages": ["agent/credential/credential-types.ts"],
  "agent/config": ["agent/messages"],
  "agent/wechatpay": ["agent/config"],
  "agent/store": ["agent/config"],
  "agent/credential": ["agent/config", "agent/store", "agent/wechatpay", "drivers/sdk/driver.ts"],
  "agent/api": [
    "agent/config",
    "agent/credential",
    "agent/messages",
    "agent/store/credential.ts",
    "drivers/sdk/driver.ts",
  ],
  "agent/telemetry": ["agent/api/status-document.ts", "agent/config", "agent/messages", "agent/wechatpay/transport"],
  "agent/gateway": ["agent/api/http", "agent/config", "agent/messages", "agent/wechatpay"],
  "agent/page": [
    "agent/api/history-document.ts",
    "agent/api/http",
    "agent/api/status-document.ts",
    "agent/diagnostics/check.ts",
    "agent/diagnostics/report/report.ts",
    "agent/messages",
  ],
  "agent/simulator": ["drivers/simulator"],
  "drivers/line": ["agent/config/config.ts"],
  "drivers/sdk": ["agent/config/config.ts", "drivers/line", "drivers/simulator/in-memory.ts"],
  "drivers/bridge": ["drivers/line", "drivers/sdk"],
  "drivers/conformance": ["drivers/line/open-stream.ts", "drivers/simulator/wire.ts"],
  "drivers/simulator": [],
};

/** The only places where parts are put together: they alone see the drivers themselves. */
const COMPOSITION_ROOTS = [
  "agent/runtime/terminal.ts",
  "agent/diagnostics/direct-line.ts",
  "agent/cli/bridge/",
  "agent/simulator/",
];

describe("the architecture", () => {
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

  it("imports one way between folders", () => {
    const between = new Map<string, string>();
    for (const file of files) {
      for (const imported of imports.get(file) ?? []) {
        if (imports.has(imported) && folderOf(file) !== folderOf(imported)) {
          between.set(`${folderOf(file)} ${folderOf(imported)}`, `${file} -> ${imported}`);
        }
      }
    }
    const mutual = [...between].filter(([pair]) => between.has(pair.split(" ").toReversed().join(" ")));
    expect(mutual.map(([, example]) => example)).toEqual([]);
  });

  it.each(Object.entries(MAY_IMPORT))(
    "%s imports agent/common and what its place in the order allows",
    (folder, allowed) => {
      const found = breaches(
        (file) => file.startsWith(`${folder}/`),
        (i) =>
          !isOurs(i) ||
          [folder, "agent/common", ...allowed].some((prefix) => i === prefix || i.startsWith(`${prefix}/`)),
      );
      expect(found).toEqual([]);
    },
  );

  it("keeps a folder small enough to be read by its names", () => {
    const sizes = new Map<string, number>();
    for (const file of [...files, ...sources("test")])
      sizes.set(path.dirname(file), (sizes.get(path.dirname(file)) ?? 0) + 1);
    const large = [...sizes].filter(([, count]) => count > MOST_FILES);
    expect(large).toEqual([]);
  });

  it("lets only the composition roots see the drivers themselves", () => {
    const interfaces = ["drivers/sdk/driver.ts", "drivers/line/serial-lookup.ts"];
    const found = breaches(
      (file) => file.startsWith("agent/") && !COMPOSITION_ROOTS.some((root) => file.startsWith(root)),
      (i) => !i.startsWith("drivers/") || interfaces.includes(i) || i.startsWith("drivers/line/line-facts"),
    );
    expect(found).toEqual([]);
  });

  it("lets nothing but main.ts and the command line itself see the command line", () => {
    const found = breaches(
      (file) => file.startsWith("agent/") && file !== "agent/main.ts" && !file.startsWith("agent/cli/"),
      (i) => !i.startsWith("agent/cli/"),
    );
    expect(found).toEqual([]);
  });

  it("keeps the gateway out of the terminal", () => {
    const users = breaches(
      (file) => !file.startsWith("agent/gateway/") && file !== "agent/cli/gateway.ts",
      (i) => !i.startsWith("agent/gateway/"),
    );
    expect(users).toEqual([]);
  });

  it("lets nothing of the running agent see diagnose", () => {
    const reached = new Set(["agent/cli/run.ts"]);
    for (const file of reached) for (const i of imports.get(file) ?? []) if (imports.has(i)) reached.add(i);
    expect(reached.size).toBeGreaterThan(60);
    expect([...reached].filter((file) => file.startsWith("agent/diagnostics/"))).toEqual([]);
  });

  it("takes time and chance from arguments only", () => {
    const direct = /\b(Date\.now|Math\.random|performance\.now)\(|new Date\(\)|(?<!socket\.)\bset(Timeout|Interval)\(/;
    const simulators = /^(agent\/simulator|drivers\/simulator|scripts)\//;
    const found = files
      .filter((file) => !["agent/common/clock.ts", "agent/common/random.ts"].includes(file) && !simulators.test(file))
      .filter((file) => direct.test(readFileSync(path.join(root, file), "utf8")));
    expect(found).toEqual([]);
  });

  it("loads heavy packages only when they are needed", () => {
    const heavy = [
      "undici",
      "serialport",
      "koffi",
      "pino",
      "prom-client",
      "systeminformation",
      "@peculiar/x509",
      "mqtt/lib/client",
    ];
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
