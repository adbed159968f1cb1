import { AgentError, type ErrorCode, type ErrorContext } from "../../agent/errors.ts";
import type { FailureId } from "../../agent/failure-params.ts";

/** A failure of which only the code matters to a test: its parameters are left out. */
export function failureWith(code: ErrorCode | FailureId, context: ErrorContext = {}, params: object = {}): AgentError {
  return new AgentError(code as FailureId, params as never, { context });
}
