import { execFile, execFileSync } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StatusDocument } from "../../../agent/api/status-document.ts";
import type { Report } from "../../../agent/diagnostics/report/report.ts";
import type { Scenario } from "../../support/faults/network-namespace.ts";
import { openRig, type Rig, removeFactory } from "../../support/fixtures/running-agent.ts";

const execute = promisify(execFile);
const child = path.resolve(import.meta.dirname, "../../support/faults/network-namespace.ts");

/** Why no network of one's own can be made here. */
function hindrance(): string | undefined {
  try {
    execFileSync("unshare", ["--net", "--mount", "ip", "link"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "needs root, unshare and ip, to make networks of its own";
  }
}

const why = hindrance();

/** What an address of WeChat Pay's would look like. */
const PUBLIC = "123.151.1.9";
const shop = { address: "10.9.0.2/24", gateway: "10.9.0.1" } as const;

let rig: Rig;

beforeAll(async () => {
  rig = await openRig();
  // WeChat Pay itself: its names, and no root of our own.
  const wechatpay = { base_urls: undefined, ca_file: undefined };
  await rig.configure({ driver: { type: "simulator", path: undefined }, wechatpay });
});

afterAll(async () => {
  await rig[Symbol.asyncDispose]();
  await removeFactory();
});

async function look(scenario: Scenario): Promise<{ first: string | null; report: Report; status?: StatusDocument }> {
  const words = ["--net", "--mount", process.execPath, child, JSON.stringify(scenario), rig.configFile];
  const { stdout } = await execute("unshare", words, { maxBuffer: 4 * 1024 * 1024 }).catch(
    (error: Error & { stdout?: string; stderr?: string }) => {
      throw new Error(`${error.message}\n${error.stderr}`);
    },
  );
  rig.saw("diagnose", stdout);
  const [line = "", ...rest] = stdout.split("\n");
  const report = JSON.parse(scenario.running ? rest.join("\n") : stdout) as Report;
  const failed = report.checks.find(({ status }) => status === "fail" || status === "crash");
  return { first: failed?.id ?? null, report, ...(scenario.running && { status: JSON.parse(line) }) };
}

function checkIn(report: Report, id: string) {
  return report.checks.find((check) => check.id === id);
}

describe
  .skipIf(why !== undefined)
  .concurrent(`in a network of its own${why === undefined ? "" : ` (skipped: ${why})`}`, () => {
    it("no card with an address: net.link, and nothing is laid to the clock", async () => {
      const { first, report } = await look({});
      expect(first).toBe("net.link");
      for (const id of ["net.dns", "pay.reach", "pay.auth", "time.offset"]) {
        expect(checkIn(report, id), id).toMatchObject({ status: "skip", skipped_because: "net.link" });
      }
    });

    it("no default route: net.link, and that the gateway is missing", async () => {
      const { first, report } = await look({ address: shop.address });
      expect(first).toBe("net.link");
      expect(checkIn(report, "net.link")?.remedy).toMatchObject({ zh: expect.stringContaining("默认网关") });
    });

    it("a resolver that does not answer: net.dns, while a silent router is but a warning", async () => {
      const { first, report } = await look({ ...shop, nameserver: "10.9.0.53" });
      expect(first).toBe("net.dns");
      expect(checkIn(report, "net.gateway")?.status).not.toBe("fail");
      expect(report.duration_ms).toBeLessThan(15_000);
    });

    it("no resolver at all: net.dns", async () => {
      expect((await look({ ...shop, nameserver: "127.0.0.1" })).first).toBe("net.dns");
    });

    it.each(["198.18.0.7", "127.0.0.1", "192.168.1.1", "0.0.0.0"])(
      "names that lead to %s: net.dns_sane",
      async (answer) => {
        const { first, report } = await look({ ...shop, nameserver: "127.0.0.1", answer });
        expect(first).toBe("net.dns_sane");
        expect(checkIn(report, "net.dns_sane")?.detail.zh).toContain(answer);
      },
    );

    it("a network with IPv6 alone and names with IPv4 alone: net.ipv6, and not that there is no such name", async () => {
      const network = { address: "2001:db8:9::2/64", gateway: "2001:db8:9::1" };
      const { first, report } = await look({ ...network, nameserver: "127.0.0.1", answer: PUBLIC });
      expect(first).toBe("net.ipv6");
      expect(checkIn(report, "net.ipv6")?.detail.zh).toContain("没有 IPv4");
      expect(checkIn(report, "pay.reach")).toMatchObject({ status: "skip", skipped_because: "net.ipv6" });
    });

    it("a black hole: pay.reach, within 15 s", async () => {
      const { first, report } = await look({ ...shop, nameserver: "127.0.0.1", answer: PUBLIC });
      expect(first).toBe("pay.reach");
      expect(checkIn(report, "pay.reach")?.detail.zh).toContain("连接超时");
      expect(report.duration_ms).toBeLessThan(15_000);
    });

    it("a tunnel that drops large packets without a word: net.mtu, and which ones pass", async () => {
      const { certPem: cert, privateKeyPem: key } = rig.playground.server;
      const far = { address: PUBLIC, mtu: 1300, cert, key };
      const { first, report } = await look({ address: shop.address, nameserver: "127.0.0.1", answer: PUBLIC, far });
      expect(first).toBe("net.mtu");
      expect(checkIn(report, "net.mtu")?.detail.en).toContain("up to 1280 octets");
      expect(checkIn(report, "pay.reach")).toMatchObject({ status: "skip", skipped_because: "net.mtu" });
    });

    it("a login page where 443 is closed: net.captive, and where it leads, as the running agent says, too", async () => {
      const network = { ...shop, own: [PUBLIC], nameserver: "127.0.0.1", answer: PUBLIC, portal: true };
      const { first, report } = await look(network);
      expect(first).toBe("net.captive");
      const { status, ...running } = await look({ ...network, running: true });
      expect(running.first).toBe("net.captive");
      for (const { checks } of [report, running.report]) {
        expect(checks.find(({ id }) => id === "net.captive")?.detail.en).toContain("login.shop.example");
      }
      expect(status?.last_error).toMatchObject({
        code: "PAY_CAPTIVE_PORTAL",
        params: { at: "login.shop.example" },
        remedy: "net.captive",
      });
    });
  });
