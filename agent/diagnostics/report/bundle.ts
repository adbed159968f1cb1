import { createHash } from "node:crypto";
import path from "node:path";
import { systemCode } from "../../common/errors.ts";
import { nodeFileSystem, replaceDurably } from "../../common/files/file-system.ts";
import { SecretSearch } from "../../common/log/redact.ts";
import type { Random } from "../../common/random.ts";
import type { AnyMessage } from "../../messages/message.ts";
import { textIn, textOf } from "../../messages/text-of.ts";
import type { DiagnoseContext } from "../check.ts";
import { type ArchivedFile, packArchive, unpackArchive } from "./archive.ts";
import { DROPPED, dropSuspicious } from "./drop-suspicious.ts";
import { collectEvidence, type Evidence } from "./evidence.ts";
import { knownSecrets, type Secret } from "./known-secrets.ts";
import type { Report } from "./report.ts";

/** Why no bundle was written, for people; nothing is left behind. */
export class BundleRefused extends Error {
  override readonly name = "BundleRefused";
  readonly words: AnyMessage;

  constructor(words: AnyMessage, cause?: unknown) {
    super(JSON.stringify(words), cause === undefined ? undefined : { cause });
    this.words = words;
  }
}

export interface Bundle {
  readonly archive: Buffer;
  readonly listed: readonly { readonly name: string; readonly size: number }[];
  readonly missing: Evidence["missing"];
}

export interface BundleFacts {
  readonly runId: string;
  readonly version: string;
  readonly wallMs: number;
}

const MANIFEST = "MANIFEST.json";
const MOST_BYTES = 16 * 1024 * 1024;

/** Everything about a finished run that support may see, and nothing else, in one archive of its own run id. */
export async function collectBundle(report: Report, context: DiagnoseContext, signal: AbortSignal): Promise<Bundle> {
  const [evidence, secrets] = await Promise.all([collectEvidence(context, report, signal), knownSecrets(context)]);
  const facts = { runId: report.run_id, version: report.agent_version, wallMs: context.clock.wall() };
  return await buildBundle(evidence, secrets, facts);
}

/** Drops every piece of a secret, packs, and then looks for them all over again in what has been packed. */
export async function buildBundle(evidence: Evidence, secrets: readonly Secret[], facts: BundleFacts): Promise<Bundle> {
  // What stands in every bundle gives nothing away, should a secret begin with a word of ours.
  const words = [manifestOf([], [], facts).toString(), ...evidence.files.map(({ name }) => name)].join(" ");
  const search = searchFor(secrets, [words]);
  const clean = (text: string) => search.redact(dropSuspicious(text), DROPPED);
  const files = evidence.files.map(({ name, text }) => ({ name, content: Buffer.from(clean(text)) }));
  const missing = evidence.missing.map(({ name, why }) => {
    const { zh, en } = textOf(why);
    return { name, why: { zh: clean(zh), en: clean(en) } };
  });
  const manifest = manifestOf(files, missing, facts);
  const folder = `facepay-${facts.runId}`;
  const archive = await packArchive(
    [{ name: MANIFEST, content: manifest }, ...files].map(({ name, content }) => ({
      name: `${folder}/${name}`,
      content,
    })),
    facts.wallMs,
  );
  if (archive.length > MOST_BYTES) {
    throw new BundleRefused({ id: "bundle.too_large" });
  }
  await searchArchive(archive, secrets, search);
  const listed = [
    { name: MANIFEST, size: manifest.length },
    ...files.map(({ name, content }) => ({ name, size: content.length })),
  ];
  return { archive, listed, missing };
}

/** The canary test: reads the finished octets as anybody would. Throws BundleRefused when a piece of a secret is in them. */
export async function searchArchive(
  archive: Buffer,
  secrets: readonly Secret[],
  search = searchFor(secrets),
): Promise<void> {
  for (const { name, content } of await unpackArchive(archive)) {
    const index = search.find(content.toString("latin1")) ?? search.find(name);
    if (index === undefined) continue;
    const secret = secrets[index]?.name ?? "";
    throw new BundleRefused({ id: "bundle.secret", params: { name, secret } });
  }
}

function searchFor(secrets: readonly Secret[], open: readonly string[] = []): SecretSearch {
  return new SecretSearch(
    secrets.map(({ octets }) => octets),
    open,
  );
}

function manifestOf(
  files: readonly ArchivedFile[],
  missing: Evidence["missing"],
  { runId, version, wallMs }: BundleFacts,
): Buffer {
  const document = {
    schema: "facepay-agent.bundle/1",
    run_id: runId,
    agent_version: version,
    collected_at: new Date(wallMs).toISOString(),
    files: files.map(({ name, content }) => ({
      name,
      size: content.length,
      sha256: createHash("sha256").update(content).digest("hex"),
    })),
    missing: missing.map(({ name, why }) => ({ name, why: textIn(why, "en") })),
  };
  return Buffer.from(`${JSON.stringify(document, undefined, 2)}\n`);
}

/** What a bundle holds, a line each, to be shown before it is written. */
export function bundleLines({ listed, missing, archive }: Bundle): AnyMessage[] {
  const width = Math.max(...listed.map(({ name }) => name.length), ...missing.map(({ name }) => name.length));
  const size = (bytes: number) => String(bytes).padStart(9);
  return [
    { id: "bundle.head", params: { files: listed.length, bytes: archive.length } },
    ...listed.map((each) => same(`  ${each.name.padEnd(width)} ${size(each.size)}`)),
    ...missing.map(
      ({ name, why }): AnyMessage => ({ id: "bundle.missing", params: { name: name.padEnd(width), why } }),
    ),
  ];
}

/** The old file or the whole new one, mode 0600. Throws BundleRefused. */
export async function writeBundle(file: string, { archive }: Bundle, random: Random): Promise<void> {
  const target = path.resolve(file);
  try {
    await replaceDurably(nodeFileSystem, target, archive, { what: "bundle", random: random.bytes(8) });
  } catch (error) {
    const errno = systemCode(error) ?? "unknown error";
    throw new BundleRefused({ id: "bundle.not_written", params: { file: target, errno } }, error);
  }
}

function same(text: string): AnyMessage {
  return { id: "plain", params: { text } };
}
