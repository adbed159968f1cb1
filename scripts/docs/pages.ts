import { CLIENT_TYPES, clientTypes } from "./client-types.ts";
import { configurationPage } from "./configuration-page.ts";
import { errorsPage } from "./errors-page.ts";
import { exporterFile } from "./exporter-file.ts";
import { runbookPage } from "./runbook-page.ts";

/** The pages that are made from the product's own tables, by file. */
export const generatedPages: Readonly<Record<string, () => string>> = {
  [CLIENT_TYPES]: clientTypes,
  "docs/errors.md": () => errorsPage("en"),
  "docs/errors.zh-CN.md": () => errorsPage("zh"),
  "docs/configuration.md": () => configurationPage("en"),
  "docs/configuration.zh-CN.md": () => configurationPage("zh"),
  "docs/fleet/exporter.yaml": exporterFile,
  "docs/fleet/runbook.md": () => runbookPage("en"),
  "docs/fleet/runbook.zh-CN.md": () => runbookPage("zh"),
};
