import type { ErrorCode, FailureId, FailureParams } from "./failure-params.ts";
import { type FailureRule, failureRules } from "./failures.ts";

export type { ErrorCode } from "./failure-params.ts";

/** What programs decide by. What people read is in the params. */
export interface ErrorContext {
  /** Seconds the peer asked us to stay away (`Retry-After`), already bounded. */
  readonly retryAfterS?: number;
  /** The system's code ("ENOTFOUND"), or one of ours for what the system has none for. */
  readonly system?: string;
  /** Facts for status, log and diagnose. Never a secret. */
  readonly [fact: string]: unknown;
}

/** A failure as it travels through status, log and problem documents: facts, from which either language is rendered (specification 5). */
export interface FailureRecord {
  readonly code: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** The code with its variant, by which a failure's text and number are found. */
export function failureIdOf({ code, params }: FailureRecord): string {
  const { variant } = params ?? {};
  return typeof variant === "string" ? `${code}.${variant}` : code;
}

interface ErrorOptions {
  readonly cause?: unknown;
  readonly context?: ErrorContext;
}

/**
 * The one error class: a stable code and typed parameters. Its texts are rendered where they are shown (agent/messages/failure-text.ts);
 * `message` names code and parameters, for stack traces.
 */
export class AgentError<Id extends FailureId = FailureId> extends Error {
  override readonly name = "AgentError";
  readonly id: Id;
  readonly code: ErrorCode;
  /** With `variant`, the part of the id behind its dot. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly context: ErrorContext;

  constructor(id: Id, params: FailureParams[Id], options: ErrorOptions = {}) {
    super(`${id} ${JSON.stringify(params)}`, options.cause === undefined ? undefined : { cause: options.cause });
    const [code, variant] = id.split(".") as [ErrorCode, string?];
    this.id = id;
    this.code = code;
    this.params = variant === undefined ? { ...params } : { variant, ...params };
    this.context = options.context ?? {};
  }

  get rule(): FailureRule {
    return failureRules[this.code];
  }

  /** Of the answer, or of the proxy's; also of one that claims success and is not believed. */
  get httpStatus(): number | undefined {
    return [this.params.httpStatus, this.context.status].find((status) => typeof status === "number");
  }

  /** The same failure with more facts, or with another cause. */
  with(context: ErrorContext, cause: unknown = this.cause ?? this): AgentError {
    // The params fit the id: they came with it.
    const same = this.params as unknown as FailureParams[Id];
    return new AgentError(this.id, same, { cause, context: { ...this.context, ...context } });
  }
}

export function isAgentError(error: unknown, code?: ErrorCode): error is AgentError {
  return error instanceof AgentError && (code === undefined || error.code === code);
}

/** The facts that, beside code and params, tell one cause from another. */
export interface FailureFacts {
  /** Of the answer, or of the proxy's. */
  readonly httpStatus?: number;
  /** The peer's own code ("NO_AUTH"), or the system's ("ENOTFOUND"). */
  readonly reason?: string;
}

export function factsOf({ params, context, httpStatus }: AgentError): FailureFacts {
  const reason = [params.answerCode, context.system].find((code) => typeof code === "string");
  return { ...(httpStatus === undefined ? {} : { httpStatus }), ...(reason === undefined ? {} : { reason }) };
}

/** Any thrown thing as an AgentError; what is not one yet is a defect of ours and keeps its stack as the cause. */
export function asAgentError(
  error: unknown,
  fallback: "INTERNAL" | "BRIDGE_LOST" | "BRIDGE_OPEN_FAILED" | "STORE_WRITE" = "INTERNAL",
): AgentError {
  if (error instanceof AgentError) return error;
  return new AgentError(`${fallback}.unexpected`, { error: errorText(error) }, { cause: error });
}

/** A failure as the fields of an event. */
export function failureFields({ code, params }: FailureRecord): { cause: string; params: FailureRecord["params"] } {
  return { cause: code, params };
}

/** The system's code, or what there is instead. */
export function errnoOf(error: unknown): string {
  return systemCode(error) ?? errorText(error);
}

/** What an error of Node or of a library says of itself. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
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
