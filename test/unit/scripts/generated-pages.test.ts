import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { generatedPages } from "../../../scripts/docs/pages.ts";

const root = path.resolve(import.meta.dirname, "../../..");

describe("a page that is made from the product's own tables", () => {
  it.each(Object.entries(generatedPages))("%s is what `npm run docs` writes now", (file, page) => {
    const text = page();
    expect(readFileSync(path.join(root, file), "utf8")).toBe(text);
    if (file.endsWith(".md")) expect(text).not.toMatch(/undefined|NaN|\[object/);
  });
});
