import { createPrivateKey } from "node:crypto";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AgentError } from "../../../agent/common/errors.ts";
import { systemRandom } from "../../../agent/common/random.ts";
import { type GatewayAnswer, GatewayRig, removeFactory, sha256 } from "../../support/fixtures/gateway-rig.ts";
import { TerminalSide } from "../../support/fixtures/terminal-side.ts";

let rig: GatewayRig;
afterAll(removeFactory);
const tokens = { D1: "token of the first terminal", D2: "token of the second terminal" };
const lineOf = (id: "D1" | "D2") =>
  rig.line({ device_id: id, certificate_cn: undefined, token_sha256: sha256(tokens[id].replaceAll(" ", "-")) });
const terminalOf = (id: "D1" | "D2") => ({ token: tokens[id].replaceAll(" ", "-") });

beforeAll(async () => {
  rig = await GatewayRig.create();
  await rig.writeRegister([rig.line(), lineOf("D1"), lineOf("D2")]);
  await rig.start({ fleet: { refresh_seconds: "2400" } });
});
afterAll(() => rig[Symbol.asyncDispose]());

describe("a terminal in gateway mode", () => {
  it("gets its authinfo by a real gateway, and no file on its side contains the merchant key", async () => {
    await using terminal = await TerminalSide.start(rig, rig.url, rig.line(), rig.terminal);
    const served = await terminal.served();
    expect(served).toMatchObject({ state: "fresh", device_id: rig.playground.identity.deviceId, generation: 1 });
    // The fleet's lever: the next refresh comes then and not when the terminal would have drawn it.
    const { body: status } = await terminal.ask("admin", "GET", "/v1/status");
    const { at } = status.next_attempt as { at: string };
    const inS = (Date.parse(at) - Date.parse(String(served.obtained_at))) / 1_000;
    expect(Math.abs(inS - 2_400)).toBeLessThan(3);
    const refreshed = await terminal.ask("admin", "POST", "/v1/authinfo/refresh");
    expect(refreshed.status).toBe(200);

    const { privateKeyPem } = rig.playground.merchant;
    const der = createPrivateKey(privateKeyPem).export({ type: "pkcs8", format: "der" });
    const lines = privateKeyPem.split("\n").filter((line) => line.length > 40);
    // Some of the key's own numbers, as octets and as base64 wherever a line may begin.
    const pieces = [100, 400, 800].map((start) => der.subarray(start, start + 24));
    const files = await terminal.files();
    expect(files.map(({ name }) => name.split("/").at(-1))).toEqual(
      expect.arrayContaining(["config.toml", "state.sealed"]),
    );
    for (const { name, bytes } of files) {
      for (const piece of [...pieces, ...lines.slice(1)]) expect(bytes.includes(piece), name).toBe(false);
      if (name.endsWith("terminal-key.pem")) continue;
      expect(bytes.includes("PRIVATE KEY"), name).toBe(false);
    }
    expect((await terminal.agent.stop()).code).toBe(0);
  });

  it("is locked out when it is struck off the register, keeps what it has, and says why", async () => {
    await using terminal = await TerminalSide.start(rig, rig.url, lineOf("D2"), terminalOf("D2"));
    await terminal.served();
    await rig.writeRegister([rig.line(), lineOf("D1")]);
    await rig.until("it is refused", async () => (await rig.metric("devices"))[""] === 2);
    const { status, body } = await terminal.ask("admin", "POST", "/v1/authinfo/refresh");
    expect([status, body.cause]).toMatchObject([502, { code: "PAY_UNAUTHORIZED" }]);
    expect(JSON.stringify(body)).toContain("GATEWAY_TOKEN_UNKNOWN");
    expect((await terminal.ask("api", "GET", "/v1/authinfo")).status).toBe(200);
    await rig.writeRegister([rig.line(), lineOf("D1"), lineOf("D2")]);
    await rig.until("it is back", async () => (await rig.metric("devices"))[""] === 3);
  });
});

type Tamper = (answer: GatewayAnswer, deviceId: string) => Promise<GatewayAnswer>;

/** A gateway that is not honest, before the one that is. */
async function dishonest(): Promise<{ url: string; tamper: Tamper | undefined; stop(): Promise<void> }> {
  const { certPem: cert, privateKeyPem: key } = rig.playground.server;
  const server = https.createServer({ cert, key }, async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const { authorization = "", "wechatpay-serial": serial = "" } = req.headers;
    const headers = { authorization, "wechatpay-serial": String(serial) };
    const honest = await rig.ask({ body, headers, terminal: {} });
    const { device_id } = JSON.parse(body.toString()) as { device_id: string };
    const answer = await (found.tamper?.(honest, device_id) ?? honest);
    const { connection: _, ...passed } = answer.headers;
    res.writeHead(answer.status, passed as Record<string, string>).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const found = {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tamper: undefined as Tamper | undefined,
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return found;
}

/** One character of the authinfo is another one. */
const flipped = (body: Buffer) =>
  Buffer.from(body.toString().replace(/"authinfo":"./, (start) => `${start.slice(0, -1)}?`));

describe("a gateway that is not honest", () => {
  it("gets no altered, delayed or repeated answer past the terminal's client", async () => {
    const liar = await dishonest();
    const client = rig.client([liar.url], { bearerToken: terminalOf("D1").token });
    const { signal } = new AbortController();
    const request = (newestSignedAtS = 0) => {
      const rawData = systemRandom.bytes(300).toString("base64");
      return client.requestAuthinfo({ deviceId: "D1", rawData }, { planned: true, newestSignedAtS, signal });
    };
    const codeOfFailure = (attempt: Promise<unknown>) => attempt.then(String, (error) => (error as AgentError).code);
    let first: GatewayAnswer | undefined;
    liar.tamper = async (answer) => {
      first = answer;
      return answer;
    };
    const { signedAtS } = await request();
    liar.tamper = async (answer) => ({ ...answer, body: flipped(answer.body) });
    expect(await codeOfFailure(request())).toBe("PAY_SIGNATURE_INVALID");
    // A later one has been verified since.
    liar.tamper = async (answer) => first ?? answer;
    expect(await codeOfFailure(request(signedAtS + 6))).toBe("PAY_SIGNATURE_REPLAYED");
    // Held back for six minutes, then with the date of today.
    liar.tamper = undefined;
    rig.pay.faults.next({ timestampOffsetS: -360 });
    expect(await codeOfFailure(request())).toBe("PAY_SIGNATURE_EXPIRED");
    expect((await request(signedAtS)).authinfo).toHaveLength(1_000);
    await client.close();
    await liar.stop();
  });

  it("takes nothing from a terminal by it: what is held stays", async () => {
    const liar = await dishonest();
    await using terminal = await TerminalSide.start(rig, liar.url, lineOf("D1"), terminalOf("D1"));
    const { authinfo } = await terminal.served();
    liar.tamper = async (answer) => ({ ...answer, body: flipped(answer.body) });
    const { status, body } = await terminal.ask("admin", "POST", "/v1/authinfo/refresh");
    expect([status, body.cause]).toMatchObject([502, { code: "PAY_SIGNATURE_INVALID" }]);
    expect((await terminal.ask("api", "GET", "/v1/authinfo")).body).toMatchObject({ authinfo, generation: 1 });
    await liar.stop();
  });

  it("swaps answers between terminals unnoticed, until the SDK refuses them: then all is well again", async () => {
    const liar = await dishonest();
    const waiting = new Map<string, { answer: GatewayAnswer; give: (other: GatewayAnswer) => void }>();
    const meant = new Map<string, string>();
    liar.tamper = (answer, deviceId) =>
      new Promise((give) => {
        meant.set(deviceId, (JSON.parse(answer.body.toString()) as { authinfo: string }).authinfo);
        const [other] = waiting.values();
        if (other === undefined) {
          waiting.set(deviceId, { answer, give });
          return;
        }
        waiting.clear();
        other.give(answer);
        give(other.answer);
      });
    await using one = await TerminalSide.start(rig, liar.url, lineOf("D1"), terminalOf("D1"));
    await using two = await TerminalSide.start(rig, liar.url, lineOf("D2"), terminalOf("D2"));
    // By nature: the signature says whose and how old an answer is, not for whom.
    const held = [await one.served(), await two.served()];
    expect(held.map(({ authinfo }) => authinfo)).toEqual([meant.get("D2"), meant.get("D1")]);
    expect(held.map(({ state }) => state)).toEqual(["fresh", "fresh"]);
    // The SDK of each finds out at the next face payment, and its cashier app says so.
    liar.tamper = async (answer, deviceId) => {
      meant.set(deviceId, (JSON.parse(answer.body.toString()) as { authinfo: string }).authinfo);
      return answer;
    };
    const rejection = { generation: 1, return_code: "PARAM_ERROR", return_msg: "AuthInfo License Error" };
    for (const terminal of [one, two]) {
      expect((await terminal.ask("api", "POST", "/v1/authinfo/reject", rejection)).status).toBe(202);
    }
    const healed = [await one.served(2), await two.served(2)];
    expect(healed.map(({ authinfo }) => authinfo)).toEqual([meant.get("D1"), meant.get("D2")]);
    await liar.stop();
  });
});
