import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { BundledPackage } from "./packages.ts";

const NAMED = /^(licen[cs]e|copying|notice)/i;
const RULE = "-".repeat(80);

/** The notices that most licences want to go with every copy. */
export async function licenceTexts(packages: readonly BundledPackage[]): Promise<string> {
  const head = "facepay-agent contains code of these npm packages, each under the licence that follows its name.\n";
  return [head, ...(await Promise.all(packages.map(chapter)))].join(`\n${RULE}\n`);
}

async function chapter({ name, version, license, directory }: BundledPackage): Promise<string> {
  const files = (await readdir(directory, { withFileTypes: true })).filter((it) => it.isFile() && NAMED.test(it.name));
  const texts = await Promise.all(files.map((it) => readFile(path.join(directory, it.name), "utf8")));
  const text = texts.length > 0 ? texts.map((it) => it.trim()).join("\n\n") : await authorOf(directory);
  return `${name} ${version} (${license})\n\n${text}\n`;
}

/** What a package without a licence file says about whose it is. */
async function authorOf(directory: string): Promise<string> {
  const { author, homepage } = JSON.parse(await readFile(path.join(directory, "package.json"), "utf8"));
  const name = typeof author === "string" ? author : author?.name;
  return [name === undefined ? undefined : `Copyright (c) ${name}`, homepage].filter(Boolean).join("\n");
}
