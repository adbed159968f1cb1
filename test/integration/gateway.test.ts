import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GatewayRig } from "../support/gateway-rig.ts";

let rig: GatewayRig;
beforeAll(async () => {
  rig = await GatewayRig.create();
  await rig.start();
});
afterAll(() => rig[Symbol.asyncDispose]());

describe("smoke", () => {
  it("works", async () => {
    const answer = await rig.ask();
    console.log(answer.status, answer.rawHeaders, answer.body.toString().slice(0, 80));
    console.log((await rig.ask({ body: rig.body({ device_id: "OTHER" }) })).body.toString());
    console.log((await rig.ask({ terminal: {} })).body.toString());
    console.log((await rig.ask({ path: "/v3/security/echo", body: { echo_message: "hi" } })).body.toString());
    console.log(await rig.health("/readyz"));
    console.log((await rig.health("/metrics")).text.split("\n").filter((l) => /^facepay/.test(l)).join("\n"));
    console.log(rig.process.stderr);
    expect(answer.status).toBe(200);
    console.log(await rig.process.stop(), rig.process.stderr.slice(-300));
  });
});
