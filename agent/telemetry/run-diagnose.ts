import { spawn } from "node:child_process";
import { AgentError, errnoOf } from "../common/errors.ts";

/** What the agent itself was given by systemd is not for a child. */
const OURS = /^(NOTIFY_SOCKET|WATCHDOG_.*|LISTEN_.*|FDSTORE)$/;
const LARGEST_REPORT = 512 * 1024;
const TIMEOUT_S = 60;

/**
 * `facepay-agent diagnose --json` as a program of its own: it weighs more than all the rest, and the agent must never load it. Resolves to
 * the report, which holds no secret (specification 8).
 */
export function runDiagnose(
  configFile: string,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<unknown> {
  const [, program = ""] = process.argv;
  const command = [program, "diagnose", "--json", "--config", configFile, "--timeout", String(TIMEOUT_S)];
  const inherited = Object.fromEntries(Object.entries(env).filter(([name]) => !OURS.test(name)));
  const child = spawn(process.execPath, command, {
    env: inherited,
    stdio: ["ignore", "pipe", "ignore"],
    signal,
    killSignal: "SIGKILL",
  });
  const ended = Promise.withResolvers<unknown>();
  const failed = (error: string) => ended.reject(new AgentError("INTERNAL.unexpected", { error }));
  const parts: Buffer[] = [];
  let octets = 0;
  child.stdout.on("data", (part: Buffer) => {
    octets += part.length;
    if (octets > LARGEST_REPORT) child.kill("SIGKILL");
    else parts.push(part);
  });
  child.on("error", (error) => failed(errnoOf(error)));
  child.on("close", () => {
    try {
      ended.resolve(JSON.parse(Buffer.concat(parts).toString("utf8")));
    } catch {
      failed("diagnose gave no report");
    }
  });
  return ended.promise;
}
