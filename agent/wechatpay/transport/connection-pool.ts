import { createTarget, type SignedClientOptions, type Target } from "../signed-client.ts";
import { createTlsContext } from "./tls-context.ts";
import { loadUndici } from "./undici.ts";

/** One base URL for many requests at once. */
export interface ConnectionPool {
  readonly baseUrl: string;
  /** Runs `work` with a connection of its own; the caller bounds how many run at once. */
  use<T>(work: (target: Target) => Promise<T>): Promise<T>;
  /** Loads what the first request would wait for. */
  prepare(): Promise<void>;
  close(): Promise<void>;
}

/**
 * A transport gives up all its connections when one request fails, so that the next one resolves the name anew. Among many
 * requests that would let each failure take its neighbours along: here each has a connection of its own. The one used last is used
 * next, so that few connections are kept warm, and the TLS side is made once for all of them.
 */
export function createConnectionPool(baseUrl: string, options: SignedClientOptions): ConnectionPool {
  const all: Target[] = [];
  const idle: Target[] = [];
  let trust: ReturnType<typeof createTlsContext> | undefined;
  // Nothing but Node's own roots may speak for WeChat Pay itself, and `ca_file` is refused for its hosts (specification 2).
  const secureContext = () => {
    trust ??= createTlsContext({ ca: options.secrets.ca });
    return trust;
  };

  return {
    baseUrl,
    async use(work) {
      let target = idle.pop();
      if (target === undefined) {
        target = createTarget(baseUrl, options, { secureContext, frequent: true });
        all.push(target);
      }
      try {
        return await work(target);
      } finally {
        idle.push(target);
      }
    },
    async prepare() {
      await loadUndici(true);
      secureContext();
    },
    async close() {
      await Promise.all(all.map(({ transport }) => transport.close()));
    },
  };
}
