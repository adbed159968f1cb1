/**
 * The floor: takes a body over HTTPS, signs it with a key that is held ready, forwards it by undici and hands the answer on.
 * It asks for no certificate, checks nothing, counts nothing, writes no line. A message starts it.
 */
import { createPrivateKey, randomBytes, sign } from "node:crypto";
import https from "node:https";
import type { AddressInfo } from "node:net";

export interface BareOrder {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  readonly upstream: string;
  readonly merchantKeyPem: string;
  readonly mchid: string;
  readonly serialNo: string;
}

process.on("message", async (order: BareOrder) => {
  const { Agent, request } = await import("undici");
  const { ca, upstream, mchid, serialNo } = order;
  const dispatcher = new Agent({ connect: { ca }, pipelining: 1, allowH2: false });
  const privateKey = createPrivateKey(order.merchantKeyPem);
  const server = https.createServer({ cert: order.cert, key: order.key }, async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const timestamp = Math.floor(Date.now() / 1000);
    const nonce = randomBytes(16).toString("hex");
    const message = Buffer.concat([Buffer.from(`POST\n${req.url}\n${timestamp}\n${nonce}\n`), body, Buffer.from("\n")]);
    const signature = sign("RSA-SHA256", message, privateKey).toString("base64");
    const answer = await request(`${upstream}${req.url}`, {
      dispatcher,
      method: "POST",
      headers: {
        accept: "application/json",
        "content-type": "application/json",
        "user-agent": "bare",
        authorization:
          `WECHATPAY2-SHA256-RSA2048 mchid="${mchid}",nonce_str="${nonce}",signature="${signature}",` +
          `timestamp="${timestamp}",serial_no="${serialNo}"`,
      },
      body,
    });
    const octets = Buffer.from(await answer.body.arrayBuffer());
    res.writeHead(answer.statusCode, { ...answer.headers, "content-length": String(octets.length) }).end(octets);
  });
  server.listen(0, "127.0.0.1", () => {
    process.send?.({ port: (server.address() as AddressInfo).port });
  });
});
