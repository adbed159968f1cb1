import { existsSync } from "node:fs";
import path from "node:path";

/**
 * Where the explained example of a configuration is on this machine: where the package has installed it, else beside the
 * program, else in the sources.
 */
export function exampleFile(name: string, installed: readonly string[] = []): string {
  const [, program = ""] = process.argv;
  const beside = path.join(path.dirname(program), "docs", name);
  return [...installed, beside].find((file) => existsSync(file)) ?? `docs/${name}`;
}
