import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

const root = path.resolve(import.meta.dirname, "../../..");
const text = (file: string) => readFileSync(path.join(root, file), "utf8");

describe("the packages that the project installs", () => {
  it("each have a line in docs/dependencies.md, and no other has", () => {
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(text("package.json"));
    const named = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });
    const page = text("docs/dependencies.md");
    const rows = page.split("\n").filter((line) => line.startsWith("| `"));
    const described = rows.flatMap((row) =>
      [...(row.split(" | ")[0] ?? "").matchAll(/`([^`]+)`/g)].map(([, name]) => name),
    );
    // Node itself stands below the table.
    const node = [...page.matchAll(/`(node-linux-\w+)`/g)].map(([, name]) => name);
    expect([...described, ...node].sort()).toEqual(named.sort());
    for (const row of rows) expect(row).toMatch(/\d+\.\d+\.\d+, 20\d\d/);
  });

  it("run no script of theirs at the installation", () => {
    expect(text(".npmrc")).toMatch(/^ignore-scripts=true$/m);
    const { packages } = JSON.parse(text("package-lock.json")) as {
      packages: Record<string, { hasInstallScript?: boolean }>;
    };
    const wanting = Object.keys(packages).filter((name) => packages[name]?.hasInstallScript);
    // They want to build what they bring prebuilt; a new one would have to be looked at.
    const known = ["@serialport/bindings-cpp", "esbuild", "koffi"].map((name) => `node_modules/${name}`);
    expect(wanting).toEqual(known);
    // esbuild's script only replaces its launcher by the binary beside it.
    expect(existsSync(path.join(root, "node_modules/@serialport/bindings-cpp/build/Release"))).toBe(false);
  });
});
