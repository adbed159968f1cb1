import http from "node:http";

/** What a network in between answered in place of the host. */
export interface CaptivePortal {
  readonly status: number;
  /** The host it sends browsers to. */
  readonly host?: string;
}

/** Hosts to which WeChat Pay itself may send a browser. */
const OF_TENCENT = /(^|\.)(qq\.com|wechatpay\.cn|tencent\.com)$/;

/**
 * Asks the host by plain HTTP, as a browser would, to see whether a login page of the network answers: a portal cannot answer over
 * TLS, where all one sees is a connection that fails. Believes nothing, sends nothing of ours. Undefined when no portal shows.
 */
export function findCaptivePortal(host: string, signal: AbortSignal, port = 80): Promise<CaptivePortal | undefined> {
  return new Promise((resolve) => {
    const nothing = () => resolve(undefined);
    try {
      const headers = { Host: host, "User-Agent": "facepay-agent", Connection: "close" };
      const request = http.get({ host, port, path: "/", headers, agent: false, signal }, (response) => {
        const { statusCode = 0, headers: answer } = response;
        response.resume().destroy();
        resolve(judge(host, statusCode, answer.location, answer["content-type"]));
      });
      request.on("error", nothing);
    } catch {
      // An aborted signal or a name that cannot stand in a header.
      nothing();
    }
  });
}

/** A status of its own (RFC 6585), a page, or a way to another host. */
export function judge(host: string, status: number, location = "", type = ""): CaptivePortal | undefined {
  if (status === 511) return { status };
  if (status >= 300 && status < 400) {
    if (!URL.canParse(location, `http://${host}/`)) return undefined;
    const { hostname } = new URL(location, `http://${host}/`);
    return hostname === host || OF_TENCENT.test(hostname) ? undefined : { status, host: hostname.slice(0, 100) };
  }
  return status === 200 && /\bhtml\b/i.test(type) ? { status } : undefined;
}
