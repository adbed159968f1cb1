/** How the bridge misbehaves. Several may be set at once; what is not set is as it should be. */
export interface BridgeFaults {
  /** Only on this method ("hello") or SDK command ("getWxpayfaceRawdata"); else on every request. */
  readonly only?: string;
  readonly silent?: boolean;
  readonly delayMs?: number;
  /** Raw octets on the line around the answer. */
  readonly noiseBefore?: Uint8Array;
  readonly noiseAfter?: Uint8Array;
  /** The octets of the request come back before the answer, as on a line with local echo. */
  readonly echo?: boolean;
  readonly wrongId?: boolean;
  /** The answer to the request before this one comes first, as from an earlier session. */
  readonly stale?: boolean;
  readonly duplicate?: boolean;
  readonly badFcs?: boolean;
  /** Only the first half of the frame is sent, without a closing flag. */
  readonly truncated?: boolean;
  /** A well-formed frame that is longer than the specification allows, instead of the answer. */
  readonly oversize?: boolean;
  /** Instead of the answer: this JSON-RPC result, whatever it is. */
  readonly result?: unknown;
  /** Instead of the answer: these octets as the payload of a good frame. */
  readonly payload?: Uint8Array | string;
  readonly rpcError?: { readonly code: number; readonly message: string; readonly data?: unknown };
  /** A native call that returned non-zero: JSON-RPC error -32000 with `data.status`. */
  readonly nativeStatus?: number;
  /** Instead of the fresh rawdata: "", one with a space, "not base64", a huge one. */
  readonly rawData?: string;
}

/** Whether a fault is meant for this request. */
export function concerns(fault: BridgeFaults, request: { readonly method: string; readonly cmd?: string }): boolean {
  return fault.only === undefined || fault.only === request.method || fault.only === request.cmd;
}
