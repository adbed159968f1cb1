import { execFile } from "node:child_process";

/** What a tool of the system has said; undefined when there is no such tool, or it cannot speak here. */
export interface ToolAnswer {
  readonly code: number;
  readonly stdout: string;
}

const PATIENCE_MS = 4_000;
const MOST = 1024 * 1024;

/**
 * Runs a tool of the system, in plain English, with no more than the PATH that the system's own tools are on.
 * Undefined when it is missing, was killed or took too long: then nothing is known, which is no failure.
 */
export function askTool(name: string, args: readonly string[], signal?: AbortSignal): Promise<ToolAnswer | undefined> {
  return new Promise((resolve) => {
    const env = {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      LC_ALL: "C",
      SYSTEMD_PAGER: "",
    };
    const options = { env, timeout: PATIENCE_MS, maxBuffer: MOST, ...(signal === undefined ? {} : { signal }) };
    execFile(name, args, options, (error, stdout) => {
      if (error === null) return resolve({ code: 0, stdout });
      resolve(typeof error.code === "number" ? { code: error.code, stdout } : undefined);
    });
  });
}
