/**
 * WeChat Pay as cheap as can be, so that the proxies and not it are measured: one answer, signed once, for whatever is asked.
 * Arguments: a directory with the playground's files, the platform's key as PEM in base64. A message starts it.
 */
import { randomBytes, sign } from "node:crypto";
import https from "node:https";
import type { AddressInfo } from "node:net";

export interface UpstreamOrder {
  readonly cert: string;
  readonly key: string;
  readonly platformKeyPem: string;
  readonly platformKeyId: string;
}

function answerHeaders(body: string, { platformKeyPem, platformKeyId }: UpstreamOrder): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const nonce = randomBytes(16).toString("hex");
  const signature = sign("RSA-SHA256", Buffer.from(`${timestamp}\n${nonce}\n${body}\n`), platformKeyPem);
  return {
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": String(Buffer.byteLength(body)),
    "Request-ID": `${randomBytes(22).toString("hex").toUpperCase()}-0`,
    "Wechatpay-Timestamp": timestamp,
    "Wechatpay-Nonce": nonce,
    "Wechatpay-Signature": signature.toString("base64"),
    "Wechatpay-Serial": platformKeyId,
    "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
  };
}

process.on("message", (order: UpstreamOrder) => {
  const body = JSON.stringify({ authinfo: randomBytes(750).toString("base64") });
  let headers = answerHeaders(body, order);
  // A signature is believed for five minutes.
  setInterval(() => {
    headers = answerHeaders(body, order);
  }, 30_000).unref();
  const server = https.createServer({ cert: order.cert, key: order.key, keepAliveTimeout: 8_000 }, (req, res) => {
    req.resume();
    req.once("end", () => res.writeHead(200, headers).end(body));
  });
  server.listen(0, "127.0.0.1", () => {
    process.send?.({ url: `https://127.0.0.1:${(server.address() as AddressInfo).port}` });
  });
});
