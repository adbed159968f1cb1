import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";

it("only one file reads the published samples, and it reports what is skipped without them", () => {
  const root = path.resolve(import.meta.dirname, "../..");
  const place = ["shared", "vectors"].join("/");
  const readers = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .filter((file) => readFileSync(path.join(root, file), "utf8").includes(place));
  expect(readers).toEqual(["support/checks/published-samples.ts"]);
});
