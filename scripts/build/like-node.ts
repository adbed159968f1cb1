import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "esbuild";

const WRAPPED = "like-node";

/**
 * `import("a CommonJS package")` has the same names in the bundle as in Node, which finds them by reading the source. esbuild
 * would give it `default` alone.
 */
export function likeNode(root: string): Plugin {
  return {
    name: WRAPPED,
    setup(on) {
      on.onResolve({ filter: /^[^./]/ }, async ({ kind, path: specifier }) => {
        if (kind !== "dynamic-import" || specifier.startsWith("node:")) return undefined;
        const found: object = await import(specifier);
        // Only the namespace of a CommonJS module has this name.
        return "module.exports" in found ? { path: specifier, namespace: WRAPPED, pluginData: found } : undefined;
      });
      on.onLoad({ filter: /.*/, namespace: WRAPPED }, ({ path: specifier, pluginData: found }) => {
        const names = Object.keys(found).filter((name) => !["default", "module.exports"].includes(name));
        // The very file that Node takes, relative so that the result does not depend on where the build stands.
        const file = `./${path.relative(root, fileURLToPath(import.meta.resolve(specifier)))}`;
        const contents = [
          `const whole = require(${JSON.stringify(file)});`,
          "export default whole;",
          `export const { ${names.join(", ")} } = whole;`,
        ];
        return { contents: contents.join("\n"), resolveDir: root };
      });
    },
  };
}
