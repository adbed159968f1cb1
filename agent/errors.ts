import { type FailureRule, failureRules } from "./failures.ts";

export type ErrorCode = keyof typeof failureRules;

export interface ErrorContext {
  /** Seconds the peer asked us to stay away (`Retry-After`), already bounded. */
  readonly retryAfterS?: number;
  /** Facts for status, log and diagnose. Never a secret. */
  readonly [fact: string]: unknown;
}

/** The one error class. `code` is stable; `message` is for people and decides nothing. */
export class AgentError extends Error {
  override readonly name = "AgentError";
  readonly code: ErrorCode;
  readonly context: ErrorContext;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; context?: ErrorContext } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.context = options.context ?? {};
  }

  get rule(): FailureRule {
    return failureRules[this.code];
  }
}

export function isAgentError(error: unknown, code?: ErrorCode): error is AgentError {
  return error instanceof AgentError && (code === undefined || error.code === code);
}

/** The facts that, beside the code, tell one cause from another. */
export interface FailureFacts {
  /** Of the answer, or of the proxy's. */
  readonly httpStatus?: number;
  /** The peer's own code ("NO_AUTH"), or the system's ("ENOTFOUND"). */
  readonly reason?: string;
}

export function factsOf({ context }: Pick<AgentError, "context">): FailureFacts {
  const httpStatus = [context.status, context.proxyStatus].find((status) => typeof status === "number");
  const reason = [context.answerCode, context.system].find((code) => typeof code === "string");
  return { ...(httpStatus === undefined ? {} : { httpStatus }), ...(reason === undefined ? {} : { reason }) };
}

/** Any thrown thing as an AgentError; what is not one yet is a defect of ours and keeps its stack as the cause. */
export function asAgentError(error: unknown, fallback: ErrorCode = "INTERNAL"): AgentError {
  if (error instanceof AgentError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new AgentError(fallback, message, { cause: error });
}

/** Whether the kernel has refused somebody, rather than that there is nothing. */
export function isNotPermitted(error: unknown): boolean {
  const code = systemCode(error);
  return code === "EACCES" || code === "EPERM";
}

/** The `code` of a Node or undici error ("ECONNREFUSED", "UND_ERR_CONNECT_TIMEOUT"), else undefined. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : undefined;
}
