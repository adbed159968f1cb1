import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../../agent/common/clock.ts";
import { createAuthority, createSelfSigned } from "../../../agent/simulator/certificates.ts";
import { type ConnectProxy, startConnectProxy } from "../../support/fakes/connect-proxy.ts";
import { failure, request, WechatPayRig } from "../../support/fixtures/wechatpay-rig.ts";

let rig: WechatPayRig;
beforeAll(async () => {
  rig = await WechatPayRig.create();
});
afterEach(() => rig.stop());

const DAY_MS = 86_400_000;

describe("the server's certificate", () => {
  it("of nobody's making, or of another authority, is not trusted", async () => {
    const now = systemClock().wall();
    const stranger = await createAuthority({ now, commonName: "stranger" });
    for (const tls of [await createSelfSigned({ now }), await stranger.issueServer()]) {
      const server = await rig.direct(tls);
      expect((await failure(request(rig.client([server.url])))).code).toBe("PAY_TLS_UNTRUSTED");
      expect(server.requests).toHaveLength(0);
    }
    const server = await rig.direct();
    expect((await failure(request(rig.client([server.url], { withoutCa: true })))).code).toBe("PAY_TLS_UNTRUSTED");
  });

  it("is checked whatever the environment of a shell says", async () => {
    const server = await rig.direct(await createSelfSigned({ now: systemClock().wall() }));
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    try {
      expect((await failure(request(rig.client([server.url])))).code).toBe("PAY_TLS_UNTRUSTED");
      const proxy = await startConnectProxy();
      try {
        const through = rig.client([server.url], { config: { proxy: proxy.url } });
        expect((await failure(request(through))).code).toBe("PAY_TLS_UNTRUSTED");
      } finally {
        await proxy.stop();
      }
      expect(server.requests).toHaveLength(0);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it("of WeChat Pay itself is vouched for by Node's own roots alone, whatever the extra root has issued", async () => {
    for (const [host, trusted] of [
      ["api.mch.weixin.qq.com", false],
      ["gateway.example.com", true],
    ] as const) {
      const server = await rig.direct(await rig.authority.issueServer({ names: [host] }));
      const proxy = await startConnectProxy({ leadsTo: server.port });
      rig.defer(() => proxy.stop());
      const asked = request(rig.client([`https://${host}`], { config: { proxy: proxy.url } }));
      if (trusted) await asked;
      else expect((await failure(asked)).code).toBe("PAY_TLS_UNTRUSTED");
      expect(server.requests).toHaveLength(trusted ? 1 : 0);
    }
  });

  it("for another name is not trusted", async () => {
    const server = await rig.direct(await rig.authority.issueServer({ names: ["api.mch.weixin.qq.com"] }));
    expect((await failure(request(rig.client([server.url])))).code).toBe("PAY_TLS_NAME");
  });

  it("out of date is not trusted, and the clock is blamed if there is reason to", async () => {
    const now = systemClock().wall();
    const past = { notBefore: now - 3 * DAY_MS, notAfter: now - DAY_MS };
    const future = { notBefore: now + DAY_MS, notAfter: now + 3 * DAY_MS };
    for (const period of [past, future]) {
      const server = await rig.direct(await rig.authority.issueServer(period));
      expect((await failure(request(rig.client([server.url])))).code).toBe("PAY_TLS_EXPIRED");
      const options = { clockSuspect: () => true };
      expect((await failure(request(rig.client([server.url], { options })))).code).toBe("CLOCK_WRONG");
    }
  });

  it("from the environment's authorities is not trusted, and a closed client keeps no process alive", async () => {
    const server = await rig.direct();
    const directory = await mkdtemp(path.join(os.tmpdir(), "wechatpay-"));
    rig.defer(() => rm(directory, { recursive: true }));
    const caFile = path.join(directory, "ca.pem");
    await writeFile(caFile, rig.authority.certPem);
    const script = `
      import { createPublicKey } from "node:crypto";
      import tls from "node:tls";
      import { systemClock } from ${JSON.stringify(new URL("../../../agent/common/clock.ts", import.meta.url).href)};
      import { systemRandom } from ${JSON.stringify(new URL("../../../agent/common/random.ts", import.meta.url).href)};
      import { silentLog } from ${JSON.stringify(new URL("../../../agent/common/log/log.ts", import.meta.url).href)};
      import { createWechatPay } from ${JSON.stringify(new URL("../../../agent/wechatpay/client.ts", import.meta.url).href)};
      const url = new URL(${JSON.stringify(server.url)});
      await new Promise((resolve, reject) => {
        const socket = tls.connect({ host: url.hostname, port: url.port }, () => { socket.destroy(); resolve(); });
        socket.once("error", reject);
      });
      const client = createWechatPay({
        config: { mode: "gateway", baseUrls: [url.origin], noProxy: "", attemptTimeoutMs: 10000, connectTimeoutMs: 6000, publicKeyId: "K" },
        identity: {}, secrets: { publicKey: createPublicKey(${JSON.stringify(rig.publicKeyPem)}) },
        clock: systemClock(), random: systemRandom, log: silentLog, userAgent: "test",
      });
      const options = { planned: true, newestSignedAtS: 0, signal: new AbortController().signal };
      const code = await client.requestAuthinfo({ deviceId: "D", rawData: "AAAA" }, options).then(() => "ok", (error) => error.code);
      await client.close();
      console.log(code);
    `;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: caFile, SSL_CERT_FILE: caFile },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    child.stdout.on("data", (chunk) => {
      said += chunk;
    });
    child.stderr.on("data", (chunk) => {
      said += chunk;
    });
    const exit = await new Promise((resolve) => child.once("close", resolve));
    expect([exit, said.trim()]).toEqual([0, "PAY_TLS_UNTRUSTED"]);
    expect(server.requests).toHaveLength(0);
  });
});

describe("a name with several addresses", () => {
  it("is reached at the one that answers", async () => {
    const server = await rig.direct();
    const baseUrl = `https://localhost:${server.port}`;
    expect((await request(rig.client([baseUrl]))).baseUrl).toBe(baseUrl);
  });
});

describe("a proxy", () => {
  const started = async (options?: Parameters<typeof startConnectProxy>[0]): Promise<ConnectProxy> => {
    const proxy = await startConnectProxy(options);
    rig.defer(() => proxy.stop());
    return proxy;
  };

  it("is asked for a tunnel, with credentials from their file, and sees nothing of the request", async () => {
    const proxy = await started({ credentials: "till:s3cret" });
    const server = await rig.direct();
    const client = rig.client([server.url], { config: { proxy: proxy.url }, secrets: { proxyAuth: "till:s3cret\n" } });
    await request(client);
    expect(proxy.requests).toMatchObject([{ target: `127.0.0.1:${server.port}` }]);
    expect(server.requests[0]).toMatchObject({ verified: true });
    expect(server.requests[0]?.headerNames).not.toContain("proxy-authorization");
    expect(client.status()).toMatchObject({ proxy: proxy.url, baseUrls: [{ requests: { ok: 1 } }] });
  });

  it("is left aside for a host in NO_PROXY", async () => {
    const proxy = await started();
    const server = await rig.direct();
    await request(rig.client([server.url], { config: { proxy: proxy.url, noProxy: "127.0.0.0/8" } }));
    expect(proxy.requests).toHaveLength(0);
  });

  it("that wants other credentials is not asked once more for the backup", async () => {
    const proxy = await started({ credentials: "till:s3cret" });
    const [primary, backup] = [await rig.direct(), await rig.direct()];
    const client = rig.client([primary.url, backup.url], { config: { proxy: proxy.url } });
    const error = await failure(request(client));
    expect(error).toMatchObject({ code: "PAY_PROXY_AUTH", rule: { retry: "backoff" } });
    expect(proxy.requests).toHaveLength(1);
  });

  it.each([403, 502, "hang"] as const)(
    "that gives no tunnel (%s) is tried once more, for the backup",
    async (fault) => {
      const proxy = await started();
      proxy.fault = fault;
      const [primary, backup] = [await rig.direct(), await rig.direct()];
      const config = { proxy: proxy.url, connectTimeoutMs: 500 };
      const error = await failure(request(rig.client([primary.url, backup.url], { config })));
      expect(error.code).toBe("PAY_PROXY");
      expect(proxy.requests).toMatchObject([
        { target: `127.0.0.1:${primary.port}` },
        { target: `127.0.0.1:${backup.port}` },
      ]);
      expect(primary.requests.length + backup.requests.length).toBe(0);
    },
  );

  it("that is not there is the proxy's failure, not WeChat Pay's", async () => {
    const server = await rig.direct();
    const proxy = (await rig.refusing()).replace("https:", "http:");
    expect((await failure(request(rig.client([server.url], { config: { proxy } })))).code).toBe("PAY_PROXY");
  });

  it("that dies in the middle is a lost connection", async () => {
    const proxy = await started();
    proxy.fault = "cut";
    const server = await rig.direct();
    const error = await failure(request(rig.client([server.url], { config: { proxy: proxy.url } })));
    expect(error.code).toBe("PAY_CONNECTION_LOST");
    proxy.fault = undefined;
    await request(rig.client([server.url], { config: { proxy: proxy.url } }));
  });

  it("does not vouch for the server behind it", async () => {
    const proxy = await started();
    const server = await rig.direct(await createSelfSigned({ now: systemClock().wall() }));
    const error = await failure(request(rig.client([server.url], { config: { proxy: proxy.url } })));
    expect(error.code).toBe("PAY_TLS_UNTRUSTED");
  });
});
