import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const source = fileURLToPath(new URL("simulated-sdk.c", import.meta.url));
const COMPILERS = ["cc", "gcc", "clang"];

/** A C compiler on the PATH, undefined when there is none. */
export function findCompiler(searchPath = process.env.PATH ?? ""): string | undefined {
  return findProgram(COMPILERS, searchPath);
}

/** The first of these programs on the PATH, undefined when there is none. */
export function findProgram(names: readonly string[], searchPath = process.env.PATH ?? ""): string | undefined {
  const directories = searchPath.split(path.delimiter).filter((directory) => directory !== "");
  return names.flatMap((name) => directories.map((directory) => path.join(directory, name))).find(isExecutable);
}

/** Builds the simulated SDK into `directory` and returns the library's path. Rejects with what the compiler said. */
export async function compileSimulatedSdk(directory: string, more: readonly string[] = []): Promise<string> {
  const compiler = findCompiler();
  if (compiler === undefined) throw new Error("there is no C compiler: apt-get install gcc libc6-dev");
  const library = path.join(directory, "libwxpayface.so");
  const options = ["-shared", "-fPIC", "-O2", "-fvisibility=hidden", ...more];
  await runCompiler(compiler, [...options, "-o", library, source]);
  return library;
}

/** Rejects with what the compiler said when it fails. */
export async function runCompiler(compiler: string, args: readonly string[], env = process.env): Promise<void> {
  const child = spawn(compiler, args, { stdio: ["ignore", "ignore", "pipe"], env });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${compiler} failed with ${code}: ${said.slice(0, 2_000)}`);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
