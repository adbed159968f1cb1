import http from "node:http";
import { systemCode } from "../common/errors.ts";

export interface AdminAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface TextAnswer {
  readonly status: number;
  readonly text: string;
}

/** Why the agent did not answer: no listener, no permission, or no answer in time. */
export class AgentUnreachable extends Error {
  override readonly name = "AgentUnreachable";
  readonly reason: "absent" | "forbidden" | "silent";

  constructor(reason: "absent" | "forbidden" | "silent", cause: unknown) {
    super(`the agent's admin socket is ${reason}`, { cause });
    this.reason = reason;
  }
}

const MAX_ANSWER_BYTES = 1024 * 1024;

/** One request to a socket of the running agent, mostly the admin's. Throws AgentUnreachable. */
export async function askAgent(
  socketPath: string,
  method: "GET" | "POST",
  path: string,
  timeoutMs: number,
  content?: object,
): Promise<AdminAnswer> {
  const { status, text } = await askForText(socketPath, method, path, timeoutMs, content);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw new AgentUnreachable("silent", error);
  }
  if (typeof body !== "object" || body === null) throw new AgentUnreachable("silent", new TypeError("no JSON object"));
  return { status, body: body as AdminAnswer["body"] };
}

/** The same for an answer of any type. Throws AgentUnreachable. */
export function askForText(
  socketPath: string,
  method: "GET" | "POST",
  path: string,
  timeoutMs: number,
  content?: object,
): Promise<TextAnswer> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const headers = { Host: "localhost", ...(content && { "Content-Type": "application/json" }) };
    const request = http.request({ socketPath, method, path, headers, signal }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
        if (text.length > MAX_ANSWER_BYTES) request.destroy(new Error("the answer is too long"));
      });
      response.on("error", (error) => reject(new AgentUnreachable("silent", error)));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on("error", (error) => {
      const code = systemCode(error) ?? "";
      if (["ENOENT", "ECONNREFUSED", "ENOTDIR"].includes(code)) reject(new AgentUnreachable("absent", error));
      else if (["EACCES", "EPERM"].includes(code)) reject(new AgentUnreachable("forbidden", error));
      else reject(new AgentUnreachable("silent", error));
    });
    request.end(content && JSON.stringify(content));
  });
}
