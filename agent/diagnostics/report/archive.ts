import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";

export interface ArchivedFile {
  readonly name: string;
  readonly content: Buffer;
}

const compress = promisify(gzip);
const expand = promisify(gunzip);

/** A .tar.gz in memory: a bundle has a few megabytes at most. Owners and rights of the files say nothing of this machine. */
export async function packArchive(files: readonly ArchivedFile[], wallMs: number): Promise<Buffer> {
  const { pack: createPack } = await import("tar-stream");
  const pack = createPack();
  for (const { name, content } of files) {
    pack.entry({ name, size: content.length, mode: 0o600, mtime: new Date(wallMs), uid: 0, gid: 0 }, content);
  }
  pack.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of pack as AsyncIterable<Buffer>) chunks.push(chunk);
  return await compress(Buffer.concat(chunks));
}

/** What is in an archive, read back from its octets. */
export async function unpackArchive(archive: Buffer): Promise<ArchivedFile[]> {
  const { extract: createExtract } = await import("tar-stream");
  const extract = createExtract();
  extract.end(await expand(archive));
  const files: ArchivedFile[] = [];
  for await (const entry of extract) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry as AsyncIterable<Buffer>) chunks.push(chunk);
    files.push({ name: entry.header.name, content: Buffer.concat(chunks) });
  }
  return files;
}
