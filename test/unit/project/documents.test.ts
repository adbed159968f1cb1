import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

const root = path.resolve(import.meta.dirname, "../../..");
const below = (folder: string) =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" }).map((file) =>
    path.posix.join(folder, file),
  );
const pages = [...readdirSync(root), ...below("docs")].filter((file) => file.endsWith(".md"));
const sources = ["agent", "drivers", "scripts", "test", "docs"]
  .flatMap(below)
  .filter((file) => /\.([cm]?[jt]s|md|yaml|toml|sh|py|go|c|h|java|php)$/.test(file));
const textOf = (file: string) => readFileSync(path.join(root, file), "utf8");

describe("the documents", () => {
  it("are read by this test at all", () => {
    expect(pages.length).toBeGreaterThan(40);
    expect(sources.length).toBeGreaterThan(400);
  });

  it("link to files that exist", () => {
    const dead = pages.flatMap((page) =>
      [...textOf(page).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
        .map(([, target = ""]) => target)
        .filter((target) => !/^[a-z]+:/.test(target))
        .filter((target) => !existsSync(path.join(root, path.dirname(page), target)))
        .map((target) => `${page} -> ${target}`),
    );
    expect(dead).toEqual([]);
  });

  it("are the only ones that sources and pages cite", () => {
    const absent = new RegExp(["contract [0-9]", "contract\\.md", "\\breference/", "cases/README"].join("|"));
    const citing = sources.filter(
      (file) => file !== "test/unit/project/documents.test.ts" && absent.test(textOf(file)),
    );
    expect(citing).toEqual([]);
  });
});
