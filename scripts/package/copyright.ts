import { readFile } from "node:fs/promises";
import path from "node:path";

/** Debian's copyright file (DEP 5): ours, Node's with all that is in it, and that of every npm package bundled. */
export async function copyrightText(root: string, program: string, node: string): Promise<string> {
  const [own, ofNode, ofPackages] = await Promise.all([
    readFile(path.join(root, "LICENSE"), "utf8"),
    readFile(path.join(node, "LICENSE"), "utf8"),
    readFile(path.join(program, "LICENSES.txt"), "utf8"),
  ]);
  const [, holder = "The facepay-agent authors"] = /^Copyright \(c\) (.+)$/m.exec(own) ?? [];
  return [
    "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: facepay-agent\n",
    paragraph("*", holder, "Expat", own),
    paragraph("usr/lib/facepay-agent/bin/node", "Node.js contributors and others, see below", "Node.js", ofNode),
    paragraph("usr/lib/facepay-agent/lib/*", "the authors named below", "npm-packages", ofPackages),
  ].join("\n");
}

function paragraph(files: string, holder: string, licence: string, text: string): string {
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => (line.trim() === "" ? " ." : ` ${line.trimEnd()}`));
  return `Files: ${files}\nCopyright: ${holder}\nLicense: ${licence}\n${lines.join("\n")}\n`;
}
