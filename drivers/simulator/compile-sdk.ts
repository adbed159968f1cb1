import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const source = fileURLToPath(new URL("simulated-sdk.c", import.meta.url));
const COMPILERS = ["cc", "gcc", "clang"];

/** A C compiler on the PATH, undefined when there is none. */
export function findCompiler(searchPath = process.env.PATH ?? ""): string | undefined {
  const directories = searchPath.split(path.delimiter).filter((directory) => directory !== "");
  return COMPILERS.flatMap((name) => directories.map((directory) => path.join(directory, name))).find(isExecutable);
}

/** Builds the simulated SDK into `directory` and returns the library's path. Rejects with what the compiler said. */
export async function compileSimulatedSdk(directory: string, more: readonly string[] = []): Promise<string> {
  const compiler = findCompiler();
  if (compiler === undefined) throw new Error("there is no C compiler: apt-get install gcc libc6-dev");
  const library = path.join(directory, "libwxpayface.so");
  const options = ["-shared", "-fPIC", "-O2", "-fvisibility=hidden", ...more];
  const child = spawn(compiler, [...options, "-o", library, source], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${compiler} failed with ${code}: ${said.slice(0, 2_000)}`);
  return library;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
