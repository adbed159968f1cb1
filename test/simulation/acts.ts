import type { BridgeFaults } from "../../drivers/simulator/bridge-faults.ts";
import type { Chance } from "../support/faults/seeded.ts";
import { chanceFor, pick, secret } from "./chance.ts";
import type { Incident, IncidentKind } from "./incidents.ts";
import type { NetworkTrouble } from "./network.ts";
import type { AnswerTrouble } from "./pay.ts";
import type { ServedInvariants } from "./served.ts";
import { ANSWERS, BRIDGE, DISK, NETWORK, REFUSALS } from "./troubles.ts";
import type { World } from "./world.ts";

export interface Stage {
  readonly world: World;
  readonly served: ServedInvariants;
  /** A renewal may now be wanted out of turn, or a hold be over. */
  readonly occasion: (why: string) => void;
}

/** What there is to tell of it, and how it ends. */
export interface Begun {
  readonly what: string;
  readonly end?: () => void;
  /** Keeps the terminal from its work: recovery counts from its end. */
  readonly hinders: boolean;
}

type Act = (stage: Stage, chance: Chance, incident: Incident) => Begun;

/** The trouble that is set comes to an end: only if nothing else has taken its place. */
function setFor<T>(get: () => T, set: (value: T) => void, value: T, none: T): () => void {
  set(value);
  return () => {
    if (get() === value) set(none);
  };
}

const troubleOn = (world: World, origin: string, trouble: NetworkTrouble): Begun => {
  world.network.trouble.set(origin, trouble);
  const end = () => {
    if (world.network.trouble.get(origin) === trouble) world.network.trouble.delete(origin);
  };
  return { what: `${trouble} on ${origin}`, end, hinders: true };
};

const answering = ({ world }: Stage, trouble: AnswerTrouble): Begun => {
  const { pay } = world;
  const set = (value: AnswerTrouble | undefined) => {
    pay.trouble = value;
  };
  return { what: JSON.stringify(trouble), end: setFor(() => pay.trouble, set, trouble, undefined), hinders: true };
};

const cutPower = ({ world, occasion }: Stage): Begun => {
  if (world.process === undefined) return { what: "already off", hinders: false };
  world.powerOff(false);
  return {
    what: "",
    hinders: true,
    end: () => {
      if (world.process !== undefined) return;
      world.powerOn();
      occasion("start");
    },
  };
};

const kill = ({ world, occasion }: Stage): Begun => {
  if (world.process === undefined) return { what: "not running", hinders: false };
  world.kill();
  return {
    what: "",
    hinders: true,
    end: () => {
      if (world.process !== undefined) return;
      world.start("kill");
      occasion("start");
    },
  };
};

export const acts: Readonly<Record<IncidentKind, Act>> = {
  network: ({ world, occasion }, chance) => {
    const trouble = pick(chance, NETWORK);
    const begun = troubleOn(world, "*", trouble);
    if (trouble !== "link_down") return begun;
    occasion("link");
    const end = () => {
      begun.end?.();
      occasion("link");
    };
    return { ...begun, end };
  },
  one_origin: ({ world }, chance) =>
    troubleOn(world, new URL(pick(chance, world.device.baseUrls)).origin, pick(chance, NETWORK.slice(1))),
  answers: (stage, chance) => answering(stage, pick(chance, ANSWERS)),
  refusals: (stage, chance) => {
    const refusal = pick(chance, REFUSALS);
    const { status = 0 } = refusal;
    const waits = status === 429 || (status === 503 && chance.unit() < 0.5);
    const retryAfterS = waits ? pick(chance, [1, 30, 120, 900, 4_000]) : undefined;
    return answering(stage, {
      status,
      ...(retryAfterS === undefined ? {} : { retryAfterS }),
      ...(chance.unit() < 0.3 ? { quotes: true } : {}),
    });
  },
  renumbered: ({ world, occasion }) => {
    world.network.renumber();
    occasion("link");
    return { what: "another address", hinders: false };
  },
  disk: ({ world }, chance) => {
    const trouble = pick(chance, DISK);
    world.disk.trouble = trouble;
    return {
      what: trouble,
      hinders: trouble === "hang" || trouble === "slow",
      end: () => {
        if (world.disk.trouble === trouble) world.disk.mend();
      },
    };
  },
  line: ({ world }, chance) => {
    const { board } = world;
    if (chance.unit() < 0.7) board.unplug();
    else {
      board.trouble = "forbidden";
      board.hangUp();
    }
    return {
      what: board.trouble,
      hinders: true,
      end: () => {
        board.trouble = "none";
      },
    };
  },
  bridge: ({ world, served }, chance) => {
    const { bridge } = world.board;
    const quoted = { rpcError: { code: -32_603, message: `failed: ${served.shownAuthinfo?.slice(7, 19)}` } };
    const fault = chance.unit() < 0.1 ? quoted : pick(chance, BRIDGE);
    const set = (value: BridgeFaults) => {
      bridge.faults = value;
    };
    return { what: JSON.stringify(fault), end: setFor(() => bridge.faults, set, fault, {}), hinders: true };
  },
  bridge_restart: ({ world, occasion }, chance) => {
    world.board.bridge.restart();
    if (chance.unit() < 0.5) world.board.hangUp();
    occasion("bridge");
    return { what: "another session", hinders: false };
  },
  sdk_forgets: ({ world }) => {
    world.board.bridge.sdk.forgetInit();
    return { what: "", hinders: false };
  },
  sdk_initialising: ({ world }, _chance, { forMs }) => {
    world.board.bridge.sdk.initialiseFor(forMs);
    return { what: "", hinders: true, end: () => undefined };
  },
  network_card: ({ world, occasion }, chance) => {
    world.board.bridge.netId = pick(chance, ["eth0-02:00:00:00:00:01", "wlan0-02:00:00:00:00:02", "usb0"]);
    occasion("network_card");
    return { what: world.board.bridge.netId ?? "", hinders: false };
  },
  other_board: ({ world, served, occasion }, chance) => {
    const { bridge } = world.board;
    bridge.deviceId = pick(chance, ["SIMULATED-1", "SIMULATED-2", "SIMULATED-3"]);
    world.device.deviceId = bridge.deviceId;
    bridge.restart();
    world.board.hangUp();
    served.deviceChanged();
    occasion("device");
    return { what: bridge.deviceId, hinders: true, end: () => undefined };
  },
  clock_step: ({ world, occasion }, chance) => {
    const size = Math.round(10 ** (3.5 + 4 * chance.unit()));
    world.wallOffMs += chance.unit() < 0.5 ? size : -size;
    occasion("clock");
    return {
      what: `by ${world.wallOffMs} ms`,
      hinders: true,
      end: () => {
        world.wallOffMs = 0;
        occasion("clock");
      },
    };
  },
  suspend: ({ world }, _chance, { forMs }) => {
    world.time.suspendUntil(world.now + forMs);
    return { what: `for ${forMs} ms`, hinders: true, end: () => undefined };
  },
  power_cut: (stage) => cutPower(stage),
  power_cut_while_writing: (stage) => cutPower(stage),
  kill: (stage) => kill(stage),
  kill_while_writing: (stage) => kill(stage),
  upgrade: ({ world, occasion }) => {
    if (world.process === undefined) return { what: "not running", hinders: false };
    world.process.stop();
    return {
      what: "",
      hinders: true,
      end: () => {
        // A program that does not end in time is killed, as systemd does it.
        if (world.process?.running === true) world.kill();
        world.start("stop");
        occasion("start");
      },
    };
  },
  reload: ({ world, occasion }, chance) => {
    world.config.use(pick(chance, ["good", "more_log"]));
    world.process?.reload();
    occasion("reload");
    return { what: "", hinders: false };
  },
  bad_reload: ({ world, occasion }, chance) => {
    world.config.use(pick(chance, ["broken", "unknown_key"]));
    world.process?.reload();
    return {
      what: "",
      hinders: false,
      end: () => {
        world.config.use("good");
        world.process?.reload();
        occasion("reload");
      },
    };
  },
  reject: ({ world, occasion, served }, chance) => {
    const generation = served.shownGeneration;
    if (generation === 0) return { what: "nothing to reject", hinders: false };
    const words = `AuthInfo License Error ${served.shownAuthinfo?.slice(4, 16)}`;
    const body = { generation, err_code: 268_500_000, return_msg: chance.unit() < 0.5 ? words : "refused" };
    world.process?.cashier?.send("POST", "/v1/authinfo/reject", body, ({ status, text }) => {
      world.note(`reject ${status} ${text}`);
      if (status === 202 && !text.includes("outdated")) served.rejected(generation);
    });
    occasion("rejection");
    return { what: `generation ${generation}`, hinders: false };
  },
  technician: ({ world, occasion }) => {
    occasion("technician");
    world.process?.admin?.send("POST", "/v1/authinfo/refresh", undefined, (reply) =>
      world.note(`refresh ${reply.status}`),
    );
    return { what: "", hinders: false };
  },
  app_calls: ({ world }, chance) => {
    const authinfo = secret(chance, 999_999, 20);
    const commands = [{ cmd: "getSdkInfo" }, { cmd: "preloadSdkEnv", authinfo }, { cmd: "releaseWxpayface" }];
    for (let i = 0; i < 3; i++) {
      const command = pick(chance, commands);
      world.process?.cashier?.send("POST", "/v1/sdk/call", command, (reply) => world.note(`call ${reply.status}`));
    }
    return { what: "", hinders: false };
  },
  rot: ({ world, served }, chance) => {
    const name = pick(chance, ["state.sealed", "state.sealed", "state.prev.sealed"]);
    if (world.disk.rot(name)) served.spoilt();
    return { what: name, hinders: false };
  },
  terms: ({ world }, chance) => {
    const { pay } = world;
    const set = (value: number | undefined): void => {
      pay.expiresIn = value;
    };
    const term = pick(chance, [300, 600, 3_600, 7_200, 86_400]);
    return {
      what: `expires_in ${term}`,
      hinders: false,
      end: setFor(() => pay.expiresIn, set, term, world.device.expiresIn),
    };
  },
};

export function begin(stage: Stage, incident: Incident): Begun {
  return acts[incident.kind](stage, chanceFor(stage.world.seed, "act", incident.number), incident);
}
