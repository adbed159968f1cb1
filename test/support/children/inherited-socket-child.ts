import { spawn } from "node:child_process";
import net from "node:net";
import { createApiServer } from "../../../agent/api/http/server.ts";
import { openSocket, socketPlaces } from "../../../agent/api/sockets.ts";
import { inheritedSockets } from "../../../agent/api/systemd-sockets.ts";
import { systemClock } from "../../../agent/common/clock.ts";
import { silentLog } from "../../../agent/common/log/log.ts";

// As systemd does with a .socket unit: one process makes the listening socket and never accepts, another one finds it
// as file descriptor 3. The maker kills itself, so that only the other can answer.
const [file] = process.argv.slice(2);
if (file === undefined) await serve();
else make(file);

function make(path: string): void {
  const maker = net.createServer();
  maker.listen(path, () => {
    const { fd } = (maker as unknown as { _handle: { fd: number } })._handle;
    const env = { ...process.env, LISTEN_FDS: "1", LISTEN_FDNAMES: "api" };
    spawn(process.execPath, [...process.execArgv, import.meta.filename], {
      stdio: ["inherit", "inherit", "inherit", fd],
      env,
    });
    process.kill(process.pid, "SIGKILL");
  });
}

async function serve(): Promise<void> {
  const inherited = inheritedSockets({ ...process.env, LISTEN_PID: String(process.pid) }, process.pid);
  const server = createApiServer(new Map([["/livez", { get: ({ res }) => void res.end(`here ${process.pid}`) }]]), {
    clock: systemClock(),
    log: silentLog,
    denied: () => {},
  });
  const open = await openSocket(server, socketPlaces(undefined, inherited).api);
  process.once("SIGTERM", async () => {
    await open.close();
    process.stdout.write("closed\n");
  });
  process.stdout.write(`${process.pid}\n`);
}
