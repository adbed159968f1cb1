/**
 * `npm run test:gateway-ha`: two gateways behind the HAProxy configuration of the documentation, one of them killed and brought
 * back under load. Every terminal uses the agent's own client, which tries once more at once; a request that fails even so is
 * lost. Exits with 1 when one is. Needs HAProxy: apt-get install haproxy. `-- --seconds N`, `-- --terminals N`.
 */
import { spawnSync } from "node:child_process";
import { GatewayRig } from "../../test/support/fixtures/gateway-rig.ts";
import { readOptions } from "../read-options.ts";
import { Fleet } from "./fleet.ts";
import { startHaproxy } from "./haproxy.ts";

/** sysexits EX_UNAVAILABLE. */
const MISSING = 69;

const options = readOptions("test:gateway-ha", {
  seconds: { type: "string", default: "30" },
  terminals: { type: "string", default: "12" },
});

if (spawnSync("haproxy", ["-v"]).status !== 0) {
  process.stderr.write("this needs HAProxy, which is not installed: apt-get install haproxy\n");
  process.exit(MISSING);
}

const say = (line: string) => process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
const wait = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1_000));

const limits = { limits: { requests_per_hour: "3600000", burst: "100000" } };
await using first = await GatewayRig.create();
await first.start(limits);
await using second = await first.twin(limits);
await using balancer = await startHaproxy(first.directory, [first, second]);
say(`two gateways on ${first.port} and ${second.port}, HAProxy on ${balancer.port}`);

const fleet = new Fleet(first, balancer.port, options.number("terminals"));
const third = options.number("seconds") / 3;
fleet.start();
await wait(third);
say(`${fleet.told()}; kill -9 of gateway 1`);
await first.process.crash();
await wait(third);
say(`${fleet.told()}; gateway 1 starts again`);
await first.restart();
await wait(third);
await fleet.stop();
say(fleet.told());
const shares = [first, second].map((rig) => rig.process.logged("GATEWAY_REQUEST").length);
say(`forwarded by gateway 1 since it is back: ${shares[0]}, by gateway 2: ${shares[1]}`);
const { lost, asked } = fleet;
const passed = lost.length === 0 && asked > 100 && shares.every((share) => share > 0);
say(passed ? "no request was lost beyond one retry" : `FAILED: ${lost.slice(0, 5).join("; ")}`);
process.exitCode = passed ? 0 : 1;
