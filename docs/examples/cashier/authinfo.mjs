// node authinfo.mjs [SOCKET]
import http from "node:http";

const texts = {
  AUTHINFO_ABSENT: "刷脸支付准备中，请稍候或扫码支付",
  AUTHINFO_EXPIRED: "暂时不能刷脸支付，请扫码支付",
  UNPROVISIONED: "本机尚未开通刷脸支付，请扫码支付",
};
const unavailable = "刷脸支付暂不可用，请扫码支付";

/** Resolves to {authinfo, state, generation, ...}, or to {text}: what to show the shopper. */
function readAuthinfo(socketPath) {
  return new Promise((resolve) => {
    const fail = () => resolve({ text: unavailable });
    const options = { socketPath, path: "/v1/authinfo", signal: AbortSignal.timeout(2000) };
    const request = http.get({ ...options, headers: { Host: "localhost" } }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => (body += chunk));
      response.on("error", fail);
      response.on("end", () => {
        try {
          const answer = JSON.parse(body);
          const good = response.statusCode === 200 && answer.authinfo;
          resolve(good ? answer : { text: texts[answer.code] ?? unavailable });
        } catch {
          fail(); // an answer that is not the agent's must not end the app
        }
      });
    });
    request.on("error", fail); // no socket, no permission, no answer in time
  });
}

const found = await readAuthinfo(process.argv[2] ?? "/run/facepay-agent/api.sock");
console.log(found.text ?? `${found.state}, generation ${found.generation}, ${found.remaining_s} s left`);
