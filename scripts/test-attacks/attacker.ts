/** A process of its own: `attacker.ts NAME PLACE`, where PLACE is a unix socket or a port. Goes on until it is killed. */
import net from "node:net";
import tls from "node:tls";
import { type Attack, type AttackName, attacks } from "./attacks.ts";

/** At full speed so many are opened before those before them have had their turn. */
const AT_ONCE = 20;
const [, , name = "", place = ""] = process.argv;
const where = /^\d+$/.test(place) ? { host: "127.0.0.1", port: Number(place) } : { path: place };

/** The beginning of a TLS record that announces a client hello of 512 octets. */
const HALF_HELLO = Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]);

function open({ octets, deaf, tls: how }: Attack): net.Socket {
  const socket =
    how === "whole"
      ? tls.connect({ ...where, rejectUnauthorized: false })
      : net.connect({ ...where, allowHalfOpen: true });
  socket.on("error", () => socket.destroy());
  if (deaf) socket.pause();
  else socket.resume();
  if (how === "half") socket.write(HALF_HELLO);
  if (octets !== "") socket.write(octets);
  return socket;
}

function start(attack: Attack): void {
  const kept: net.Socket[] = [];
  const one = () => {
    while (kept.length >= attack.kept) kept.shift()?.destroy();
    kept.push(open(attack));
  };
  const { aSecond } = attack;
  if (aSecond !== undefined) {
    setInterval(one, 1_000 / aSecond);
    return;
  }
  const goOn = () => {
    for (let i = 0; i < AT_ONCE; i++) one();
    setImmediate(goOn);
  };
  goOn();
}

const chosen: Attack = attacks[name as AttackName];
if (name.endsWith("mix")) {
  for (const [other, attack] of Object.entries<Attack>(attacks)) {
    if (attack.on !== chosen.on || other === name) continue;
    // Together they are as fast as one of them alone.
    start({ ...attack, aSecond: Math.min(attack.aSecond ?? 100, 100), kept: Math.min(attack.kept, 300) });
  }
} else start(chosen);
