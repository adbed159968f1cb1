import { createServer as createHttpServer } from "node:http";
import net, { type AddressInfo } from "node:net";
import tls from "node:tls";
import { type CertificateOptions, createSelfSigned } from "../../../agent/simulator/certificates.ts";
import { startWechatPayServer } from "../../../agent/simulator/wechatpay-server.ts";
import { startConnectProxy } from "../fakes/connect-proxy.ts";
import type { TableFault } from "./agree.ts";
import type { FaultyTerminal } from "./faulty-terminal.ts";

/** Changes the terminal; what it returns is undone. */
export type Make = (terminal: FaultyTerminal) => Promise<unknown>;

const DAY_MS = 86_400_000;

const disposing = (stop: () => Promise<unknown>): AsyncDisposable => ({
  [Symbol.asyncDispose]: async () => void (await stop()),
});

/** All that the terminal asks goes to that port of this machine. */
const to = (port: number, more = {}) => ({ wechatpay: { base_urls: [`https://127.0.0.1:${port}`], ...more } });

/** A server that is no WeChat Pay in place of it. */
function serving(server: net.Server, more = {}): Make {
  return async (terminal) => {
    const sockets = new Set<net.Socket>();
    server.on("connection", (socket: net.Socket) => {
      sockets.add(socket.on("error", () => socket.destroy()));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    await terminal.configure(to((server.address() as AddressInfo).port, more));
    return disposing(async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
  };
}

/** WeChat Pay with another certificate. */
function certified(options: CertificateOptions | "self-signed", more = {}): Make {
  return async (terminal) => {
    const { playground } = terminal.rig;
    const { certPem, privateKeyPem } =
      options === "self-signed"
        ? await createSelfSigned({ commonName: "Shop Firewall CA", now: Date.now() })
        : await playground.ca.issueServer(options);
    const tlsOptions = { cert: certPem, key: privateKeyPem };
    const other = await startWechatPayServer({ ...playground.wechatPayOptions, tls: tlsOptions });
    other.clockOffsetS = terminal.agent.clock.movedMs / 1_000;
    await terminal.configure(to(other.port, more));
    return disposing(() => other.stop());
  };
}

/** A proxy that misbehaves; undefined: that is not there. */
function proxied(fault: number | "hang" | "cut" | undefined): Make {
  return async (terminal) => {
    const proxy = await startConnectProxy();
    proxy.fault = fault;
    if (fault === undefined) await proxy.stop();
    await terminal.configure({ wechatpay: { proxy: proxy.url, ...hurried } });
    return disposing(() => (fault === undefined ? Promise.resolve() : proxy.stop()));
  };
}

const hurried = { connect_timeout_ms: 1_500, attempt_timeout_ms: 2_500 };
const configured =
  (overrides: Parameters<FaultyTerminal["configure"]>[0]): Make =>
  (terminal) =>
    terminal.configure(overrides);

/** A server that takes the connection and says nothing, or ends it. */
const dumb = (end: boolean) => net.createServer((socket) => void (end ? socket.destroy() : socket.resume()));

/** What lies between the terminal and WeChat Pay. */
export const wayFaults: readonly TableFault<Make>[] = [
  { name: "a closed port", made: configured(to(1)), code: "PAY_CONNECT_REFUSED", remedy: /outbound TCP/ },
  {
    name: "a host that gives no TLS answer",
    made: serving(dumb(false), hurried),
    code: "PAY_CONNECT_TIMEOUT",
    remedy: /middlebox/,
  },
  {
    name: "a host that ends each connection",
    made: serving(dumb(true)),
    code: "PAY_CONNECTION_LOST",
    remedy: /broken off/,
  },
  {
    name: "plain HTTP",
    made: serving(createHttpServer((_request, response) => void response.end("hello"))),
    code: "PAY_TLS_FAILED",
    remedy: /does not speak TLS/,
  },
  {
    name: "an answer that never comes",
    made: async (terminal) => {
      terminal.answer({ delivery: "hang" });
      await terminal.configure({ wechatpay: hurried });
    },
    code: "PAY_TIMEOUT",
    remedy: /No answer comes in time/,
  },
  {
    name: "a certificate of nobody's, with ca_file",
    made: certified("self-signed"),
    code: "PAY_TLS_UNTRUSTED",
    remedy: /Never trust/,
  },
  {
    name: "a certificate of nobody's, without ca_file",
    made: certified("self-signed", { ca_file: undefined }),
    code: "PAY_TLS_UNTRUSTED",
    remedy: /Never trust/,
  },
  {
    name: "a certificate for another name",
    made: certified({ names: ["pay.example"] }),
    code: "PAY_TLS_NAME",
    remedy: /not for this host/,
  },
  {
    name: "a certificate that has expired",
    made: certified({ notBefore: Date.now() - 9 * DAY_MS, notAfter: Date.now() - DAY_MS }),
    code: "PAY_TLS_EXPIRED",
    remedy: /renew its certificate/,
  },
  {
    name: "a proxy that wants other credentials",
    made: proxied(407),
    code: "PAY_PROXY_AUTH",
    remedy: /proxy_auth_file/,
  },
  {
    name: "a proxy that refuses the tunnel",
    made: proxied(403),
    code: "PAY_PROXY",
    remedy: /CONNECT to the payment hosts/,
  },
  { name: "a proxy without a way", made: proxied(502), code: "PAY_PROXY", remedy: /CONNECT to the payment hosts/ },
  { name: "a proxy that says nothing", made: proxied("hang"), code: "PAY_PROXY", remedy: /does not answer/ },
  { name: "a proxy that is not there", made: proxied(undefined), code: "PAY_PROXY", remedy: /does not answer/ },
  { name: "a proxy that dies in the tunnel", made: proxied("cut"), code: "PAY_CONNECTION_LOST" },
  {
    name: "a name that does not exist",
    made: configured({ wechatpay: { base_urls: ["https://gateway.invalid"] } }),
    code: "PAY_DNS",
  },
  {
    name: "octets over TLS that are not HTTP",
    made: async (terminal) => {
      const { certPem, privateKeyPem } = await terminal.rig.playground.ca.issueServer();
      const server = tls.createServer({ cert: certPem, key: privateKeyPem }, (socket) => {
        socket.on("error", () => socket.destroy()).once("data", () => socket.end("SSH-2.0-x\r\n"));
      });
      return await serving(server)(terminal);
    },
    code: "PAY_ANSWER_NOT_HTTP",
    remedy: /not HTTP/,
  },
  {
    name: "a clock that is six minutes slow",
    made: async (terminal) => terminal.peerClock(360),
    code: "CLOCK_WRONG",
    remedy: /set-ntp/,
  },
  {
    name: "a clock that is six minutes fast",
    made: async (terminal) => {
      // The terminal's own hands have gone forward: what WeChat Pay signs is no earlier than before.
      terminal.agent.clock.move(361_000);
      terminal.peerClock(-361);
    },
    code: "CLOCK_WRONG",
    remedy: /set-ntp/,
  },
  {
    name: "a serial number of another certificate",
    made: configured({ wechatpay: { merchant_serial_no: "0".repeat(40) } }),
    code: "PAY_UNAUTHORIZED",
    remedy: /merchant_serial_no is wrong/,
  },
  {
    name: "an unknown public key id",
    made: configured({ wechatpay: { public_key_id: `PUB_KEY_ID_${"1".repeat(34)}` } }),
    code: "PAY_BAD_REQUEST",
    remedy: /public_key_id is wrong/,
  },
  {
    name: "a device that is not the configured one",
    made: configured({ identity: { device_id: "ANOTHER" } }),
    code: "DEVICE_ID_MISMATCH",
    remedy: /connect the former one/,
  },
  {
    name: "a socket of a bridge that is not there",
    made: configured({ driver: { path: "nowhere.sock" } }),
    code: "BRIDGE_NOT_FOUND",
  },
];
