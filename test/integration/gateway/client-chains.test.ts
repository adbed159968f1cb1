import { spawn } from "node:child_process";
import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { createPlayground } from "../../../agent/simulator/playground.ts";

const script = path.resolve(import.meta.dirname, "../../support/children/client-chains.ts");
/** In each of two halves. */
const CONNECTIONS = 1_000;
/** OpenSSL 3.5.8 (Node 24.21) lost 4 KB for each connection whose client showed more than its own certificate. */
const MOST_GROWTH_MB = 2;

describe("the Node that is pinned", () => {
  it("keeps nothing of the certificates that a client shows", async () => {
    const directory = await fs.mkdtemp(path.join(os.tmpdir(), "facepay-chains-"));
    try {
      const { ca, server, client } = await createPlayground(directory);
      const child = spawn(process.execPath, ["--expose-gc", script, `${CONNECTIONS}`], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      const pem = { cert: server.certPem, key: server.privateKeyPem, ca: ca.certPem };
      child.stdin.end(JSON.stringify({ ...pem, clientCert: client.certPem, clientKey: client.privateKeyPem }));
      let said = "";
      for await (const text of child.stdout.setEncoding("utf8")) said += text;
      const { before, after } = JSON.parse(said) as { before: number; after: number };
      expect(before).toBeGreaterThan(0);
      expect(after - before).toBeLessThan(MOST_GROWTH_MB);
    } finally {
      await fs.rm(directory, { recursive: true });
    }
  });
});
