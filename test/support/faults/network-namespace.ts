/**
 * Runs in a network and mount namespace of its own (`unshare --net --mount`), where it may do as it likes: makes the network of a scenario,
 * with a resolver and a login page if need be, and has `facepay-agent diagnose` look at it. Prints its report.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import http from "node:http";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { launcher } from "../fixtures/agent-process.ts";

export interface Scenario {
  /** A cable into nowhere, with this address and a prefix length. */
  readonly address?: string;
  /** The default gateway, at its other end. */
  readonly gateway?: string;
  /** Unless false the gateway is known on the cable, so that what goes to it vanishes without a word. */
  readonly neighbour?: boolean;
  /** Further addresses of this machine itself, to be reached like hosts far away. */
  readonly own?: readonly string[];
  /** The nameserver of /etc/resolv.conf. */
  readonly nameserver?: string;
  /** What a resolver on 127.0.0.1 says to every question. */
  readonly answer?: string;
  /** A login page on port 80 of every address. */
  readonly portal?: boolean;
  /** The agent runs, and has failed once, before diagnose looks; its status is printed first, on one line. */
  readonly running?: boolean;
  /** At the other end of the cable a host with this address that larger packets than `mtu` never reach. */
  readonly far?: { readonly address: string; readonly mtu: number; readonly cert: string; readonly key: string };
}

const env = { PATH: process.env.PATH ?? "", LANG: "C.UTF-8" };

if (import.meta.filename === process.argv[1]) await main();

async function main(): Promise<void> {
  const [scenario = "{}", configFile = ""] = process.argv.slice(2);
  const wanted = JSON.parse(scenario) as Scenario;
  await build(wanted);
  if (wanted.running === true) process.stdout.write(`${JSON.stringify(await statusAfterFailure(configFile))}\n`);
  const child = spawn(process.execPath, [launcher, "diagnose", "--json", "--config", configFile], {
    stdio: ["ignore", "inherit", "inherit"],
    env,
  });
  await once(child, "close");
  process.exit(0);
}

async function statusAfterFailure(configFile: string): Promise<unknown> {
  const agent = spawn(process.execPath, [launcher, "run", "--config", configFile], {
    stdio: ["ignore", "ignore", "ignore"],
    env,
  });
  process.once("exit", () => agent.kill("SIGKILL"));
  for (;;) {
    const words = [launcher, "status", "--json", "--config", configFile];
    const { stdout } = spawnSync(process.execPath, words, { encoding: "utf8", env });
    const status = stdout === "" ? undefined : (JSON.parse(stdout) as { last_error: unknown });
    if (status?.last_error) return status;
    await delay(200);
  }
}

async function build({
  address,
  gateway,
  neighbour = true,
  own = [],
  nameserver,
  answer,
  portal,
  far,
}: Scenario): Promise<void> {
  const ip = (...words: string[]) => execFileSync("ip", words);
  // Its own view of the cards; the one inherited is of the network outside.
  execFileSync("mount", ["-t", "sysfs", "sysfs", "/sys"]);
  ip("link", "set", "lo", "up");
  if (address !== undefined) {
    // A cable whose other end nobody listens at: it has a carrier, and swallows everything.
    ip("link", "add", "shop0", "type", "veth", "peer", "name", "shop1");
    ip("address", "add", address, "dev", "shop0", ...(address.includes(":") ? ["nodad"] : []));
    ip("link", "set", "shop0", "up");
    if (far === undefined) ip("link", "set", "shop1", "up");
    else await plugFarHost(far, ip);
  }
  if (gateway !== undefined) ip("route", "add", "default", "via", gateway);
  if (far !== undefined) ip("route", "add", "default", "dev", "shop0");
  if (gateway !== undefined && neighbour)
    ip("neighbour", "add", gateway, "lladdr", "02:00:00:00:00:01", "dev", "shop0");
  for (const each of own) ip("address", "add", `${each}/32`, "dev", "lo");
  // Seen in here alone, and gone with the namespace.
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", "/mnt"]);
  const resolvConf = "/mnt/resolv.conf";
  writeFileSync(resolvConf, nameserver === undefined ? "" : `nameserver ${nameserver}\n`);
  execFileSync("mount", ["--bind", resolvConf, "/etc/resolv.conf"]);
  if (answer !== undefined) await answerNames(answer);
  if (portal === true) {
    const login = http.createServer((_request, response) =>
      response.writeHead(302, { Location: "http://login.shop.example/" }).end(),
    );
    await new Promise<void>((resolve) => login.listen(80, resolve));
  }
}

async function plugFarHost(far: NonNullable<Scenario["far"]>, ip: (...words: string[]) => void): Promise<void> {
  const script = path.join(import.meta.dirname, "far-host.ts");
  const words = ["--net", "--mount", process.execPath, script, "shop1", `${far.address}/32`, `${far.mtu}`];
  const host = spawn("unshare", words, { stdio: ["pipe", "pipe", "inherit"] });
  process.once("exit", () => host.kill("SIGKILL"));
  host.stdin.end(JSON.stringify({ cert: far.cert, key: far.key }));
  // Several segments in one packet would pass unmeasured.
  ip("link", "set", "shop0", "gso_max_segs", "1");
  ip("link", "set", "shop1", "netns", `${host.pid}`);
  await once(host.stdout, "data");
}

/** RFC 1035 in its smallest form: the question comes back with one A record, or, asked for anything else, with none. */
async function answerNames(address: string): Promise<void> {
  const socket = createSocket("udp4");
  socket.on("message", (query, from) => {
    const end = query.indexOf(0, 12) + 5;
    const isA = query.readUInt16BE(end - 4) === 1;
    const head = Buffer.from(query.subarray(0, end));
    head.writeUInt16BE(0x8180, 2);
    head.writeUInt16BE(isA ? 1 : 0, 6);
    head.writeUInt32BE(0, 8);
    const record = Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split(".").map(Number)]);
    socket.send(Buffer.concat(isA ? [head, record] : [head]), from.port, from.address);
  });
  socket.bind(53, "127.0.0.1");
  await once(socket, "listening");
}
