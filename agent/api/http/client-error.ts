import { systemCode } from "../../common/errors.ts";
import type { ProblemCode } from "./problem.ts";
import type { RejectionReason } from "./rejection-reasons.ts";

/**
 * What to say on a connection whose octets Node's parser has refused. `reason` is undefined when the caller itself has
 * closed the connection: nothing is counted and no answer is sent.
 */
export function judgeClientError(error: unknown): { code: ProblemCode; reason: RejectionReason } | undefined {
  switch (systemCode(error)) {
    case "ECONNRESET":
    case "EPIPE":
    // Its end has come in the middle of a request.
    case "HPE_INVALID_EOF_STATE":
      return undefined;
    case "HPE_HEADER_OVERFLOW":
      return { code: "HEADERS_TOO_LARGE", reason: "headers_too_large" };
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return { code: "BODY_TOO_LARGE", reason: "body_too_large" };
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return { code: "REQUEST_TIMEOUT", reason: "request_timeout" };
    case "HPE_INVALID_METHOD":
      return startsLikeRequest(error)
        ? { code: "METHOD_NOT_ALLOWED", reason: "method" }
        : { code: "MALFORMED_REQUEST", reason: "malformed" };
    default:
      return { code: "MALFORMED_REQUEST", reason: "malformed" };
  }
}

/** An unregistered method (`FOO /path`), as opposed to noise such as a TLS hello. */
function startsLikeRequest(error: unknown): boolean {
  const { rawPacket, bytesParsed } = error as { rawPacket?: unknown; bytesParsed?: unknown };
  if (!Buffer.isBuffer(rawPacket)) return false;
  // The packet may begin with requests that were in order: the bad one starts after the last line end before the fault.
  const fault = typeof bytesParsed === "number" ? bytesParsed : 0;
  const start = fault === 0 ? 0 : rawPacket.lastIndexOf("\n", fault - 1) + 1;
  return /^[A-Za-z-]{1,32} \//.test(rawPacket.toString("latin1", start, start + 64));
}
