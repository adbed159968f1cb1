import { createSecureContext, getCACertificates, type SecureContext } from "node:tls";

interface Credentials {
  /** An extra root, PEM. */
  readonly ca?: string | undefined;
  readonly clientCert?: string | undefined;
  readonly clientKey?: string | undefined;
}

/** Whom we believe to be the server, and who we are ourselves. */
export function createTlsContext(options: Credentials): SecureContext {
  return createSecureContext({
    ca: [...getCACertificates("bundled"), ...(options.ca === undefined ? [] : [options.ca])],
    ...(options.clientCert === undefined ? {} : { cert: options.clientCert }),
    ...(options.clientKey === undefined ? {} : { key: options.clientKey }),
    minVersion: "TLSv1.2",
  });
}
