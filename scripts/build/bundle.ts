/**
 * The agent's sources and npm packages as a few CommonJS files. esbuild can split code only as ES modules, and those start
 * slowly; so it splits first, and its pieces are turned into CommonJS afterwards. What a `run` needs before it
 * serves becomes one file; each of the rest is loaded when the sources import it.
 */
import { createHash } from "node:crypto";
import path from "node:path";
import { type BuildOptions, build, type Metafile, type Plugin, transform } from "esbuild";

export interface Bundle {
  /** The file that exports `main`. Its name changes with the code of any file: each holds a digest of what it loads. */
  readonly first: string;
  /** Name to content, all for one directory. */
  readonly files: ReadonlyMap<string, Uint8Array | string>;
  /** Which sources went into it. */
  readonly metafile: Metafile;
}

/** Stands for the first file's name until that is known. */
const FIRST = "agent-0000000000000000.cjs";
const shared = {
  platform: "node",
  target: "node24",
  // The texts are in a file of their own.
  legalComments: "none",
  logLevel: "silent",
} as const satisfies BuildOptions;
const commonJs = {
  format: "cjs",
  // `import()` becomes `require()`, a moment later.
  supported: { "dynamic-import": false },
  // The only use of `url` is for createRequire, which takes a path as well.
  define: { "import.meta.dirname": "__dirname", "import.meta.filename": "__filename", "import.meta.url": "__filename" },
} as const;

/** @param root the directory of package.json */
export async function bundle(root: string, plugins: readonly Plugin[]): Promise<Bundle> {
  const split = await build({
    ...shared,
    absWorkingDir: root,
    entryPoints: { main: "agent/main.ts", run: "agent/cli/run.ts" },
    bundle: true,
    splitting: true,
    format: "esm",
    outdir: "out",
    outExtension: { ".js": ".cjs" },
    chunkNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
    loader: { ".node": "copy" },
    plugins: [...plugins],
    metafile: true,
    write: false,
  });
  if (split.warnings.length > 0) throw new Error(split.warnings.map(({ text }) => text).join("\n"));
  const pieces = new Map(split.outputFiles.map((file) => [path.basename(file.path), file]));
  const early = loadedFirst(split.metafile);
  const textOf = (name: string) => pieces.get(name)?.text ?? "";
  const start = await joined(early, textOf);
  const first = `agent-${createHash("sha256").update(start).digest("hex").slice(0, 16)}.cjs`;
  const files = new Map<string, Uint8Array | string>([[first, start.replaceAll(FIRST, first)]]);
  for (const [name, { contents, text }] of pieces) {
    if (early.includes(name)) continue;
    files.set(name, name.endsWith(".cjs") ? (await separate(text, early)).replaceAll(FIRST, first) : contents);
  }
  return { first, files, metafile: split.metafile };
}

/** The pieces that a `run` executes before it serves: what its entrances import, and what that imports. */
function loadedFirst({ outputs }: Metafile): string[] {
  const byName = new Map(Object.entries(outputs).map(([file, output]) => [path.basename(file), output]));
  const found = new Set(["main.cjs", "run.cjs"]);
  for (const name of found) {
    for (const { path: imported, kind } of byName.get(name)?.imports ?? []) {
      if (kind === "import-statement" && imported.endsWith(".cjs")) found.add(path.basename(imported));
    }
  }
  return [...found];
}

/** One file of several pieces. It exports `main`, and each piece whole under its own name, for those that come later. */
async function joined(names: readonly string[], textOf: (name: string) => string): Promise<string> {
  const lines = names.map((name) => `export * as ${keyOf(name)} from "./${name}";`);
  const { outputFiles, warnings } = await build({
    ...shared,
    ...commonJs,
    bundle: true,
    write: false,
    outfile: FIRST,
    stdin: { contents: [...lines, `export { main } from "./main.cjs";`].join("\n") },
    plugins: [
      {
        name: "pieces",
        setup(on) {
          on.onResolve({ filter: /^\.\// }, ({ path: imported, kind }) => {
            const name = path.basename(imported);
            // What is imported later is there by then; as a part of this file it would be wrapped to be started later.
            const later = kind === "dynamic-import" || !names.includes(name);
            return later ? { path: imported, external: true } : { path: name, namespace: "piece" };
          });
          on.onLoad({ filter: /.*/, namespace: "piece" }, ({ path: name }) => ({ contents: textOf(name) }));
        },
      },
    ],
  });
  if (warnings.length > 0) throw new Error(warnings.map(({ text }) => text).join("\n"));
  return polished(outputFiles[0]?.text ?? "", names);
}

/** A piece that is loaded later. */
async function separate(text: string, early: readonly string[]): Promise<string> {
  const { code, warnings } = await transform(text, { ...shared, ...commonJs });
  if (warnings.length > 0) throw new Error(warnings.map((warning) => warning.text).join("\n"));
  return polished(code, early);
}

/**
 * What a file shares with the first one, it takes from there. And a module of Node's is not copied name by name, as esbuild does
 * to add `default`, for each file that imports it.
 */
function polished(code: string, early: readonly string[]): string {
  const light = code.replace(/__toESM\((require\("node:[a-z/_0-9]+"\))(?:, 1)?\)/g, "{ __proto__: $1, default: $1 }");
  return early.reduce(
    (done, name) => done.replaceAll(`require("./${name}")`, `require("./${FIRST}").${keyOf(name)}`),
    light,
  );
}

/** A piece's name as an identifier. */
function keyOf(name: string): string {
  return `piece_${name.replace(/\.cjs$/, "").replace(/\W/g, "_")}`;
}
