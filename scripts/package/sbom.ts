import { createHash } from "node:crypto";

interface Bundled {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly integrity?: string;
}

export interface BundleList {
  readonly program: { readonly name: string; readonly version: string; readonly license: string };
  readonly packages: readonly Bundled[];
}

export interface Runtime extends Bundled {
  /** Version of Node itself. */
  readonly node: string;
}

/**
 * Software bill of materials (CycloneDX 1.6) of what is really in the package: the npm packages whose code has come through
 * the bundler, not everything in the lockfile, and Node. The same for the same input: `at` is SOURCE_DATE_EPOCH.
 */
export function sbomText({ program, packages }: BundleList, runtime: Runtime, at: Date): string {
  const components = [...packages, runtime].map(component);
  const root = { type: "application", "bom-ref": "facepay-agent", name: program.name, version: program.version };
  const body = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { timestamp: at.toISOString(), component: { ...root, licenses: licences(program.license) } },
    components: [
      ...components,
      {
        type: "platform",
        "bom-ref": `node@${runtime.node}`,
        name: "node",
        version: runtime.node,
        cpe: `cpe:2.3:a:nodejs:node.js:${runtime.node}:*:*:*:lts:*:*:*`,
      },
    ],
    dependencies: [
      { ref: "facepay-agent", dependsOn: [...components.map((it) => it["bom-ref"]), `node@${runtime.node}`] },
    ],
  };
  const digest = createHash("sha256").update(JSON.stringify(body)).digest("hex");
  return `${JSON.stringify({ ...body, serialNumber: `urn:uuid:${uuid(digest)}` }, undefined, 2)}\n`;
}

function component({ name, version, license, integrity }: Bundled) {
  const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  return {
    type: "library",
    "bom-ref": purl,
    name,
    version,
    purl,
    licenses: licences(license),
    ...(integrity === undefined ? {} : { hashes: [hash(integrity)] }),
  };
}

/** An expression when it is more than one identifier. */
function licences(spdx: string) {
  return [/[\s()]/.test(spdx) ? { expression: spdx } : { license: { id: spdx } }];
}

/** Of the archive on the registry: npm writes base64, CycloneDX hexadecimal. */
function hash(integrity: string) {
  const [algorithm = "", value = ""] = integrity.split("-");
  return { alg: algorithm.replace("sha", "SHA-"), content: Buffer.from(value, "base64").toString("hex") };
}

/** RFC 9562 version 8: made from a digest of the content. */
function uuid(digest: string): string {
  const hex = `${digest.slice(0, 12)}8${digest.slice(13, 16)}8${digest.slice(17, 32)}`;
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
