import { configurationPage } from "./configuration-page.ts";
import { errorsPage } from "./errors-page.ts";

/** The pages that are made from the product's own tables, by file. */
export const generatedPages: Readonly<Record<string, () => string>> = {
  "docs/errors.md": () => errorsPage("en"),
  "docs/errors.zh-CN.md": () => errorsPage("zh"),
  "docs/configuration.md": () => configurationPage("en"),
  "docs/configuration.zh-CN.md": () => configurationPage("zh"),
};
