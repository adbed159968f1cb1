import { copyFile, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileSimulatedSdk } from "../../../drivers/simulator/compile-sdk.ts";
import { NativeBridge, noCompiler } from "../../support/fakes/native-bridge.ts";
import { openRig, removeFactory, type StatusDocument } from "../../support/fixtures/running-agent.ts";
import { SerialCable } from "../../support/fixtures/two-boards.ts";

/** The bridge gives a call up before the agent does, as with the real deadlines. */
const agentConfig = { driver: { call_timeout_ms: 1_500, init_timeout_ms: 3_000 } };
const bridgeDeadlines = ["--call-timeout", "700", "--init-timeout", "1500"];

let workshop: string;
let built: string;

beforeAll(async () => {
  workshop = await mkdtemp(path.join(os.tmpdir(), "facepay-sdk-"));
  if (noCompiler() === undefined) built = await compileSimulatedSdk(workshop);
});

afterAll(async () => {
  await rm(workshop, { recursive: true });
  await removeFactory();
});

/** Agent and bridge as on two boards, a serial line between them. */
async function openChain() {
  const rig = await openRig({ line: "serial", unplugged: true, config: agentConfig });
  const cable = new SerialCable(rig.within("ttyFACEPAY"), rig.within("ttyBRIDGE"));
  await cable.plug();
  const library = rig.within("libwxpayface.so");
  await copyFile(built, library);
  const { deviceId } = rig.playground.identity;
  const place = ["--port", rig.within("ttyBRIDGE"), "--device-id", deviceId, "--net-id", "eth0-1", ...bridgeDeadlines];
  const bridge = new NativeBridge(rig.directory, library, place);
  await bridge.start();
  return {
    rig,
    cable,
    bridge,
    library,
    async [Symbol.asyncDispose]() {
      rig.saw("the bridge's log", bridge.process.stderr);
      rig.saw("the bridge's argv", bridge.process.publicFace());
      await bridge[Symbol.asyncDispose]();
      await cable[Symbol.asyncDispose]();
      await rig[Symbol.asyncDispose]();
    },
  };
}

type Chain = Awaited<ReturnType<typeof openChain>>;

interface Fault {
  readonly inflict: (chain: Chain) => unknown;
  readonly fix: (chain: Chain) => unknown;
  /** What the agent blames, and the check that says what to do. */
  readonly blames: readonly [code: string, remedy: string];
}

const sdk = (behaviour: string, ...blames: [string, string]): Fault => ({
  inflict: ({ bridge }) => bridge.misbehave(behaviour),
  fix: ({ bridge }) => bridge.behave(),
  blames,
});

const faults: Readonly<Record<string, Fault>> = {
  "the cable is pulled": {
    inflict: ({ cable }) => cable.unplug(),
    fix: ({ cable }) => cable.plug(),
    blames: ["BRIDGE_NOT_FOUND", "ser.present"],
  },
  "the line is disturbed": {
    inflict({ cable }) {
      cable.disturb = (octets) => Buffer.from(octets.map((octet, at) => (at % 50 === 20 ? octet ^ 4 : octet)));
    },
    fix({ cable }) {
      cable.disturb = (octets) => octets;
    },
    blames: ["BRIDGE_TIMEOUT", "ser.handshake"],
  },
  "the bridge stands still": {
    inflict: ({ bridge }) => bridge.process.kill("SIGSTOP"),
    fix: ({ bridge }) => bridge.process.kill("SIGCONT"),
    blames: ["BRIDGE_TIMEOUT", "ser.handshake"],
  },
  "the bridge is killed": {
    inflict: ({ bridge }) => bridge.process.crash(),
    fix: ({ bridge }) => bridge.start(),
    blames: ["BRIDGE_TIMEOUT", "ser.handshake"],
  },
  "the SDK crashes": sdk("getWxpayfaceRawdata crash", "SDK_CRASHED", "sdk.stable"),
  "the SDK hangs": sdk("* hang", "SDK_HUNG", "sdk.stable"),
  "the SDK's service is down": sdk("* status -1", "SDK_SERVICE_DOWN", "sdk.service"),
  "the SDK's board has no network": sdk("getWxpayfaceRawdata no-network", "SDK_NO_NETWORK", "net.link"),
  "the library has gone": {
    async inflict({ rig, library }) {
      await rename(library, `${library}.away`);
      await rig.ask("api", "POST", "/v1/sdk/call", { body: { cmd: "getSdkInfo", simulate: "crash" } });
    },
    fix: ({ library }) => rename(`${library}.away`, library),
    blames: ["SDK_LIBRARY_MISSING", "sdk.library"],
  },
  "WeChat Pay is out of reach": {
    inflict: ({ rig }) => rig.payDown(),
    fix: ({ rig }) => rig.payUp(),
    blames: ["PAY_CONNECT_REFUSED", "pay.reach"],
  },
};

/** Three processes each, several at a time. */
const PATIENCE = { timeout: 90_000 };

describe.skipIf(noCompiler())(`agent, serial line, reference bridge, C library ${noCompiler() ?? ""}`, PATIENCE, () => {
  it("do the main job, and no rawdata is seen on the way, whatever the library prints", async () => {
    await using chain = await openChain();
    const { rig, bridge } = chain;
    const rawdata = Buffer.alloc(503, "a known rawdata ").toString("base64");
    rig.canaries.add("raw_data", rawdata);
    const answer = rig.within("rawdata.json");
    await writeFile(answer, JSON.stringify({ return_code: "SUCCESS", return_msg: "", rawdata }));
    await bridge.misbehave(`getWxpayfaceRawdata answer ${answer}`);
    const { device_id } = await rig.serve();
    expect(device_id).toBe(rig.playground.identity.deviceId);
    const name = expect.stringMatching(/^facepay-bridge\//);
    expect((await rig.status()).bridge).toMatchObject({ state: "ready", device_id, net_id: "eth0-1", bridge: name });
    await bridge.misbehave("getWxpayfaceRawdata print");
    expect((await rig.refresh()).status).toBe(200);
    expect(bridge.process.stdout + bridge.process.stderr).not.toContain("wxface:");
    expect((await bridge.process.stop()).code).toBe(0);
  });

  it.concurrent.each(Object.entries(faults))("when %s, the agent names that link and serves on", async (_, fault) => {
    await using chain = await openChain();
    const { rig } = chain;
    const { authinfo, generation } = await rig.serve();
    await fault.inflict(chain);
    expect((await rig.refresh()).status).toBe(502);
    const { last_error } = await rig.status();
    expect([last_error?.code, last_error?.remedy]).toEqual(fault.blames);
    expect((await rig.served()).authinfo).toBe(authinfo);
    await fault.fix(chain);
    await rig.served((served) => served.generation > generation && served.state === "fresh");
    const healthy = ({ last_error, bridge }: StatusDocument) => last_error === null && bridge?.state === "ready";
    await rig.statusWhere("nothing is blamed any more", healthy);
  });
});
