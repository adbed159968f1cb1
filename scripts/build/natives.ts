import { readdirSync } from "node:fs";
import path from "node:path";
import type { Plugin } from "esbuild";
import { packageDirectory } from "./package-directory.ts";

export type Arch = "x64" | "arm64";

/**
 * The compiled parts of packages, for one processor and glibc, as Node itself is. The packages look for theirs when they are
 * loaded, among those for every system there is; here each is named.
 */
export async function natives(root: string, arch: Arch): Promise<Plugin> {
  const serial = path.join(root, "node_modules/@serialport/bindings-cpp/prebuilds", `linux-${arch}`);
  const koffi = path.join(await packageDirectory(root, `@koromix/koffi-linux-${arch}`), `linux_${arch}`, "koffi.node");
  const serialName = readdirSync(serial).find((file) => file.endsWith(".glibc.node"));
  if (serialName === undefined) throw new Error(`serialport has nothing for glibc in ${serial}`);
  // Relative, so that the result does not depend on where the build stands.
  const named = (file: string) => JSON.stringify(`./${path.relative(root, file)}`);
  return {
    name: "natives",
    setup(on) {
      on.onLoad({ filter: /@serialport\/bindings-cpp\/dist\/serialport-bindings\.js$/ }, () => ({
        contents: `exports.binding = require(${named(path.join(serial, serialName))});`,
        resolveDir: root,
      }));
      on.onLoad({ filter: /koffi\/src\/koffi\/src\/static\.js$/ }, () => ({
        contents: `import native from ${named(koffi)};\nexport const loadStatic = () => native;`,
        resolveDir: root,
      }));
    },
  };
}
