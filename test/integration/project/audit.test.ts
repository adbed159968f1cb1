import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = path.resolve(import.meta.dirname, "../../..");
const GHSA = "GHSA-aaaa-bbbb-cccc";
const advisory = {
  id: 1,
  url: `https://github.com/advisories/${GHSA}`,
  title: "writes beyond its buffer",
  severity: "high",
  vulnerable_versions: ">=0",
};

let directory: string;
let asked: string[];
let advisories: object;
let server: http.Server;

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), "facepay-audit-"));
  server = http.createServer(async (request, response) => {
    if (request.method !== "POST") {
      response.writeHead(404).end();
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const text = request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
    asked = Object.keys(JSON.parse(text.toString()) as object);
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(advisories));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  server.close();
  await rm(directory, { recursive: true });
});

/** `npm run audit` against a registry that knows of these advisories, or of none and no such question. */
async function audit(known: object | undefined, statements: readonly object[] = []) {
  advisories = known ?? {};
  const port = known === undefined ? 9 : (server.address() as AddressInfo).port;
  const vex = path.join(directory, "vex.json");
  await writeFile(vex, JSON.stringify({ statements }));
  const env = {
    PATH: process.env.PATH,
    HOME: directory,
    npm_config_registry: `http://127.0.0.1:${port}/`,
    npm_config_cache: path.join(directory, "cache"),
    npm_config_fetch_retries: "0",
  };
  const child = spawn(process.execPath, ["scripts/audit.ts", "--vex", vex], { cwd: root, env });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  const [code] = await once(child, "close");
  return { code, said };
}

describe("npm run audit", () => {
  const notAffected = (name: string) => ({
    vulnerability: { name },
    status: "not_affected",
    justification: "vulnerable_code_not_in_execute_path",
  });

  it("asks about everything in the lockfile, and passes when there is nothing", async () => {
    expect(await audit({})).toMatchObject({ code: 0, said: expect.stringContaining("0 open, 0 ruled out") });
    for (const name of ["undici", "serialport", "vitest"]) expect(asked).toContain(name);
  });

  it("fails for an advisory, with its number, until a statement says why it does not apply", async () => {
    const found = { undici: [advisory] };
    expect(await audit(found)).toMatchObject({
      code: 1,
      said: expect.stringContaining(`FOUND high ${GHSA} in undici`),
    });
    const unexplained = { vulnerability: { name: GHSA }, status: "not_affected" };
    expect((await audit(found, [unexplained])).code).toBe(1);
    expect((await audit(found, [{ ...notAffected(GHSA), status: "under_investigation" }])).code).toBe(1);
    expect(await audit(found, [notAffected(GHSA)])).toMatchObject({
      code: 0,
      said: expect.stringContaining(`does not apply: ${GHSA}`),
    });
  });

  it("fails for a statement about what nobody has any more", async () => {
    expect(await audit({}, [notAffected(GHSA)])).toMatchObject({
      code: 1,
      said: expect.stringContaining("take it out"),
    });
  });

  it("does not pass when the registry cannot be asked", async () => {
    expect(await audit(undefined)).toMatchObject({ code: 69, said: expect.stringContaining("nothing is known now") });
  });
});
