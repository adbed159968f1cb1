import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../../test/support/fixtures/gateway-rig.ts";

interface Behind {
  readonly port: number;
  readonly healthPort: number;
}

export interface Balancer extends AsyncDisposable {
  readonly port: number;
}

/** A real HAProxy with the documentation's own configuration, its addresses apart. */
export async function startHaproxy(directory: string, gateways: readonly [Behind, Behind]): Promise<Balancer> {
  const documented = await readFile(new URL("../../docs/gateway-haproxy.cfg", import.meta.url), "utf8");
  const port = await freePort();
  let text = documented.replace("bind 0.0.0.0:443", `bind 127.0.0.1:${port}`);
  for (const [i, gateway] of gateways.entries()) {
    const address = `10.0.0.${11 + i}:8443 check port 8444`;
    if (!text.includes(address)) throw new Error(`docs/gateway-haproxy.cfg does not name ${address}`);
    text = text.replace(address, `127.0.0.1:${gateway.port} check port ${gateway.healthPort}`);
  }
  const file = path.join(directory, "haproxy.cfg");
  await writeFile(file, text);
  const child = spawn("haproxy", ["-db", "-f", file], { stdio: ["ignore", "inherit", "inherit"] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  while (!(await isOpen(port))) {
    if (child.exitCode !== null) throw new Error("HAProxy does not start: see above");
    await delay(50);
  }
  return {
    port,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
