import { createPublicKey, X509Certificate } from "node:crypto";
import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import tls from "node:tls";
import { parse } from "smol-toml";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAuthority, createSelfSigned } from "../../../agent/simulator/certificates.ts";
import { startHttpsHost } from "../../../agent/simulator/https-host.ts";
import { createPlayground } from "../../../agent/simulator/playground.ts";
import { runSimulation } from "../../../agent/simulator/simulate.ts";

let directory: string;
beforeEach(async () => {
  directory = await fs.mkdtemp(path.join(os.tmpdir(), "facepay-playground-"));
});
afterEach(() => fs.rm(directory, { recursive: true }));

const baseUrls = ["https://127.0.0.1:1", "https://127.0.0.1:2"];
const driver = { type: "serial", path: "ttyFACEPAY" } as const;

describe("createPlayground", () => {
  it("writes a configuration whose files are all there, the secret ones for the owner alone", async () => {
    const { configFile, bearerToken } = await createPlayground(directory, { settings: { baseUrls, driver } });
    for (const mode of ["direct", "gateway"] as const) {
      const playground = await createPlayground(directory, { settings: { baseUrls, driver, mode } });
      const config = parse(await fs.readFile(configFile, "utf8")) as Record<string, Record<string, unknown>>;
      expect(config.wechatpay).toMatchObject({ mode, base_urls: baseUrls, public_key_id: playground.platform.keyId });
      expect(config.identity).toMatchObject({ sp_mchid: "1900000100", organization_id: expect.stringMatching(/^O/) });
      expect(config.driver).toEqual(driver);
      const files = Object.entries(config.wechatpay ?? {}).filter(([key]) => key.endsWith("_file"));
      expect(files).toHaveLength(mode === "direct" ? 3 : 5);
      for (const [key, file] of files) {
        const { mode: bits } = await fs.stat(path.join(directory, String(file)));
        const isSecret = /key_file|token/.test(key) && key !== "public_key_file";
        expect([key, bits & 0o777]).toEqual([key, isSecret ? 0o600 : 0o644]);
      }
      expect(await fs.readFile(configFile, "utf8")).not.toContain(bearerToken);
    }
  });

  it("takes further keys, other values and none", async () => {
    const playground = await createPlayground(directory);
    const overrides = { refresh: { lifetime_s: 60 }, identity: { sub_appid: undefined }, driver: { baud_rate: 9600 } };
    await playground.writeConfig({ baseUrls, driver: { type: "simulator" }, overrides });
    const config = parse(await fs.readFile(playground.configFile, "utf8"));
    expect(config).toMatchObject({ refresh: { lifetime_s: 60 }, driver: { type: "simulator", baud_rate: 9600 } });
    expect(config.identity).not.toHaveProperty("sub_appid");
  });

  it("makes a merchant certificate whose name is the mchid and whose key fits", async () => {
    const { merchant, identity, ca } = await createPlayground(directory);
    const certificate = new X509Certificate(merchant.certPem);
    expect(certificate.subject).toBe(`CN=${identity.spMchid}`);
    expect(certificate.serialNumber).toBe(merchant.serialNo);
    expect(merchant.serialNo).toMatch(/^[0-9A-F]{40}$/);
    expect(certificate.checkIssued(new X509Certificate(ca.certPem))).toBe(true);
    expect(certificate.publicKey.equals(createPublicKey(merchant.privateKeyPem))).toBe(true);
  });
});

describe("certificates", () => {
  const DAY = 86_400_000;
  const now = Date.now();
  /** What a strict client makes of it: its error code, or "trusted". */
  const judge = async (certificate: { certPem: string; privateKeyPem: string }, ca: string, host = "127.0.0.1") => {
    const material = { cert: certificate.certPem, key: certificate.privateKeyPem };
    const server = await startHttpsHost({ tls: material, handle: async () => {} });
    try {
      return await new Promise<string>((resolve) => {
        const name = host.includes(":") || /^[0-9]/.test(host) ? {} : { servername: host };
        const socket = tls.connect({ port: server.port, host: "127.0.0.1", ca, ...name }, () => {
          socket.end();
          resolve("trusted");
        });
        socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      });
    } finally {
      await server.stop();
    }
  };

  it("are trusted, expired, not yet valid, of another name or of nobody, as asked for", async () => {
    const ca = await createAuthority({ now });
    expect(await judge(await ca.issueServer(), ca.certPem)).toBe("trusted");
    expect(await judge(await ca.issueServer({ names: ["pay.test"] }), ca.certPem, "pay.test")).toBe("trusted");
    expect(await judge(await ca.issueServer({ names: ["pay.test"] }), ca.certPem)).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
    expect(await judge(await ca.issueServer({ notAfter: now - DAY / 2 }), ca.certPem)).toBe("CERT_HAS_EXPIRED");
    expect(await judge(await ca.issueServer({ notBefore: now + DAY }), ca.certPem)).toBe("CERT_NOT_YET_VALID");
    expect(await judge(await createSelfSigned({ now }), ca.certPem)).toBe("DEPTH_ZERO_SELF_SIGNED_CERT");
  });
});

describe("runSimulation", () => {
  it.each([false, true])("runs until it is aborted and leaves nothing open (gateway: %s)", async (gateway) => {
    const controller = new AbortController();
    const lines: string[] = [];
    const { signal } = controller;
    const running = runSimulation({ directory, signal, gateway, lang: "both", print: (line) => lines.push(line) });
    await expect.poll(() => lines.length, { timeout: 60_000 }).toBe(11);
    const link = path.join(directory, "ttyFACEPAY");
    expect((await fs.stat(link)).isCharacterDevice()).toBe(true);
    const config = parse(await fs.readFile(path.join(directory, "config.toml"), "utf8"));
    expect(config).toMatchObject({ wechatpay: { mode: gateway ? "gateway" : "direct" } });
    controller.abort();
    await running;
    await expect(fs.lstat(link)).rejects.toThrow("ENOENT");
    expect(lines.filter((line) => line.includes(`--config ${path.join(directory, "config.toml")}`))).toHaveLength(1);
  });
});
