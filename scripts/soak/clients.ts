import net from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { ask, between, type Cast, pause } from "./cast.ts";
import { PROMISE_MS } from "./faults.ts";

/** A renewal starts within a second when the allowance has one left; then it takes a bridge, a WeChat Pay, and a busy machine. */
const RENEWED_MS = 10_000;

/** An app that refuses whatever it gets. */
export async function refuseEverything(cast: Cast): Promise<void> {
  cast.asked(6);
  const quiet = cast.recovery.calm;
  cast.recovery.begin("rejections");
  const alone = () => quiet && cast.recovery.active === "rejections" && !cast.signal.aborted;
  let renewing: { readonly generation: number; readonly byMs: number } | undefined;
  for (
    const end = performance.now() + between(cast, 3_000, 20_000);
    performance.now() < end && !cast.signal.aborted;
  ) {
    const { generation } = cast.judge;
    const body = JSON.stringify({ generation, err_code: "268500996" });
    const answer = await ask(cast, "api", "POST", "/v1/authinfo/reject", body);
    const nowMs = performance.now();
    if (!alone() || cast.judge.generation > (renewing?.generation ?? 0)) renewing = undefined;
    if (alone() && answer?.text.includes('"renewing"')) renewing ??= { generation, byMs: nowMs + RENEWED_MS };
    if (renewing && nowMs > renewing.byMs && cast.agent.upSince(nowMs - RENEWED_MS)) {
      cast.report("not_fresh", `${RENEWED_MS / 1_000} s after generation ${renewing.generation} was rejected`);
      renewing = undefined;
    }
    await delay(250);
  }
  cast.recovery.end("rejections", PROMISE_MS, performance.now());
}

/** Idlers, half requests, readers that do not read, and bodies nobody wants, all at once. */
export async function crowd(cast: Cast, ms: number): Promise<void> {
  const { apiSocket, adminSocket } = cast.peers.playground;
  const sockets = Array.from({ length: 120 }, (_, n) => {
    const socket = net.connect(n % 4 === 0 ? adminSocket : apiSocket);
    socket.on("error", () => socket.destroy());
    const request = "GET /v1/authinfo HTTP/1.1\r\nHost: localhost\r\n";
    if (n % 3 === 0) socket.write(request);
    if (n % 3 === 1) socket.pause().write(`${request}\r\n`.repeat(40));
    if (n % 7 === 0) socket.write("POST /v1/authinfo/reject HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n");
    return socket;
  });
  await pause(cast, ms);
  for (const socket of sockets) socket.destroy();
}
