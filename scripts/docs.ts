/** `npm run docs`: writes the pages that are made from the product's own tables. A test fails when one of them is stale. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { generatedPages } from "./docs/pages.ts";
import { readOptions } from "./read-options.ts";

readOptions("docs", {});

const root = path.resolve(import.meta.dirname, "..");
for (const [file, page] of Object.entries(generatedPages)) {
  writeFileSync(path.join(root, file), page());
  process.stdout.write(`${file}\n`);
}
