import { readSync, writeSync } from "node:fs";
import path from "node:path";
import type koffi from "koffi";
import { AgentError, errorText } from "../../agent/common/errors.ts";
import { encodeFrame, FrameDecoder, MAX_PAYLOAD } from "../line/frame.ts";
import { type HostMessage, writeHostMessage } from "./sdk-messages.ts";

/** Descriptors of the SDK's process, laid out by SdkProcess. */
const REQUESTS = 0;
export const ANSWERS = 3;

/** <sys/prctl.h>, <signal.h> */
const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;

/** One letter goes before an answer. */
const MOST_OCTETS = MAX_PAYLOAD - 1;

type Call = (request: Buffer) => HostMessage;

/**
 * The SDK's process: loads the vendor's library and calls it, until its parent is gone. Everything here waits, also the reading:
 * a library that hangs or crashes takes nothing down but this. Resolves to the exit code.
 */
export async function hostSdk(library: string, parentPid: number): Promise<number> {
  const { default: koffi } = await import("koffi");
  dieWithParent(koffi);
  // The bridge has died before that was asked for.
  if (process.ppid !== parentPid) return 1;
  let call: Call;
  try {
    call = loadLibrary(koffi, library);
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    send({ kind: "failed", error });
    return 1;
  }
  send({ kind: "ready" });
  const decoder = new FrameDecoder();
  const chunk = Buffer.alloc(MAX_PAYLOAD);
  for (;;) {
    const length = readSync(REQUESTS, chunk);
    if (length === 0) return 0;
    for (const request of decoder.push(chunk.subarray(0, length))) send(call(request));
  }
}

/** A library that hangs would keep this process, and with it the camera, after the bridge was killed: it does not notice the end of its pipe. */
function dieWithParent(library: typeof koffi): void {
  const prctl = library.load(null).func("int prctl(int option, ulong a, ulong b, ulong c, ulong d)");
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

function loadLibrary(ffi: typeof koffi, file: string): Call {
  const name = path.basename(file);
  const loaded = attempt(
    () => ffi.load(file),
    (cause) => new AgentError("SDK_LIBRARY_UNUSABLE", { library: name, error: errorText(cause) }, { cause }),
  );
  // The request as octets, not as text: reqSize counts octets, and binding by string length is the classic mistake.
  const signatures = {
    wxpayCallFaceService:
      "int wxpayCallFaceService(const uint8_t *reqBuf, uint32_t reqSize, _Out_ void **pRespBuf, _Out_ uint32_t *pRespSize)",
    wxpayReleaseResponse: "void wxpayReleaseResponse(_Inout_ void **pRespBuf)",
  };
  const bind = (symbol: keyof typeof signatures) =>
    attempt(
      () => loaded.func(signatures[symbol]),
      (cause) => new AgentError("SDK_LIBRARY_SYMBOL", { library: name, symbol }, { cause }),
    );
  const callFaceService = bind("wxpayCallFaceService");
  const releaseResponse = bind("wxpayReleaseResponse");
  return (request) => {
    const answer: unknown[] = [null];
    const size: number[] = [0];
    // A zero behind the request, which reqSize does not cover: some libraries look for it.
    const status = Number(callFaceService(Buffer.concat([request, Buffer.alloc(1)]), request.length, answer, size));
    if (status !== 0) return { kind: "status", status };
    const [octets = 0] = size;
    if (answer[0] === null) return { kind: "failed", error: new AgentError("SDK_ANSWER_INVALID.empty", {}) };
    try {
      // A size that cannot be true is not followed into memory that is not there.
      if (octets > MOST_OCTETS) {
        return { kind: "failed", error: new AgentError("SDK_ANSWER_TOO_LARGE", { octets, most: MAX_PAYLOAD }) };
      }
      // A copy: the memory is the library's until it is released.
      return { kind: "answer", octets: Buffer.from(Buffer.from(ffi.view(answer[0], octets))) };
    } finally {
      releaseResponse(answer);
    }
  };
}

function attempt<T>(act: () => T, failed: (cause: unknown) => AgentError): T {
  try {
    return act();
  } catch (error) {
    throw failed(error);
  }
}

function send(message: HostMessage): void {
  const frame = encodeFrame(writeHostMessage(message));
  for (let at = 0; at < frame.length; ) at += writeSync(ANSWERS, frame, at);
}
