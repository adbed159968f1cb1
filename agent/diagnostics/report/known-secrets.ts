import { readFile } from "node:fs/promises";
import http from "node:http";
import path from "node:path";
import type { SecretKey } from "../../config/secrets/named-files.ts";
import type { DiagnoseContext } from "../check.ts";
import { configurationOf, stateDirectoryOf } from "../facts.ts";

/** A secret of this terminal; its name is for people and is no secret. */
export interface Secret {
  readonly name: string;
  readonly octets: Buffer;
}

/** The files that these keys name are public. */
const PUBLIC: ReadonlySet<SecretKey> = new Set([
  "wechatpay.public_key_file",
  "wechatpay.ca_file",
  "wechatpay.client_cert_file",
  "telemetry.ca_file",
  "telemetry.client_cert_file",
]);
const MOST = 64 * 1024;
const PATIENCE_MS = 2_000;
/** A shorter secret is in every text. */
const SHORTEST = 5;
const OWN_STORE_KEY = "store.key";

/** Every secret of this terminal that can be read, to be searched for in a bundle. Kept in memory only. */
export async function knownSecrets(context: DiagnoseContext): Promise<Secret[]> {
  const present = await configurationOf(context);
  const named = new Map([
    ...(present.kind === "absent" ? [] : present.named),
    ...(context.loaded?.named ?? []),
    ["store.key", path.join(stateDirectoryOf(context), OWN_STORE_KEY)] as const,
  ]);
  const secrets: Secret[] = [];
  for (const [key, file] of named) {
    if (PUBLIC.has(key as SecretKey)) continue;
    const octets = await readFile(file).catch(() => undefined);
    if (octets === undefined || octets.length > MOST) continue;
    secrets.push(...partsOf(key, octets));
  }
  const authinfo = await heldAuthinfo(context.apiSocket);
  return authinfo === undefined ? secrets : [...secrets, { name: "authinfo", octets: Buffer.from(authinfo) }];
}

/** Of a PEM file the lines that differ between keys: not its first one nor the armour. Of a proxy's credentials the password. */
export function partsOf(name: string, octets: Buffer): Secret[] {
  const text = octets.toString("latin1");
  if (text.includes("-----BEGIN")) {
    const lines = text.split(/\r?\n/).filter((line) => line !== "" && !line.startsWith("-----"));
    const telling = lines.length > 1 ? lines.slice(1) : lines;
    return telling.map((line) => ({ name, octets: Buffer.from(line, "latin1") }));
  }
  // A text file ends with a line feed, a key of octets may hold anything.
  const trimmed = /^[\x20-\x7e\r\n]*$/.test(text) ? Buffer.from(text.trim(), "latin1") : octets;
  const colon = name === "wechatpay.proxy_auth_file" ? trimmed.indexOf(":") : -1;
  return [{ name, octets: colon === -1 ? trimmed : trimmed.subarray(colon + 1) }].filter(
    (part) => part.octets.length >= SHORTEST,
  );
}

/** From the cashier app's socket, if the user who runs this may open it. */
function heldAuthinfo(socketPath: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const nothing = () => resolve(undefined);
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const request = http.get(
      { socketPath, path: "/v1/authinfo?stale=ok", headers: { Host: "localhost" }, agent: false, signal },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          if (text.length < MOST) text += chunk;
        });
        response.on("error", nothing);
        response.on("end", () => {
          const [, authinfo] = /"authinfo":"([\x21\x23-\x5b\x5d-\x7e]+)"/.exec(text) ?? [];
          resolve(authinfo);
        });
      },
    );
    request.on("error", nothing);
  });
}
