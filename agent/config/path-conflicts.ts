import { type Stats, statSync } from "node:fs";
import type { AnyMessage } from "../messages/message.ts";
import type { Config } from "./config.ts";
import type { LoadedConfig } from "./load.ts";
import type { Problem } from "./problem.ts";

interface Place {
  readonly key: string;
  readonly path: string | undefined;
  readonly fits: (found: Stats) => boolean;
  readonly expected: AnyMessage;
}

/**
 * What stands where `run` would make its directory and its sockets, and makes it end with 78. For `config check` alone: `run` itself
 * opens these places and says more.
 */
export function placeProblems({ config, origins }: Pick<LoadedConfig, "config" | "origins">): Problem[] {
  return placesOf(config).flatMap(({ key, path, fits, expected }) => {
    // Nothing there yet is as it should be; what cannot be looked at is for whoever can.
    const found = path === undefined ? undefined : lookAt(path);
    if (path === undefined || found === undefined || fits(found)) return [];
    return [
      {
        key,
        origin: origins.get(key) ?? key,
        what: { id: "place.taken", params: { path, expected } },
        instead: { id: "place.move_away", params: { path, key } },
      },
    ];
  });
}

function placesOf({ store, api }: Config): Place[] {
  const isSocket = (found: Stats) => found.isSocket();
  const socket: AnyMessage = { id: "place.socket" };
  return [
    {
      key: "store.directory",
      path: store.directory,
      fits: (found) => found.isDirectory(),
      expected: { id: "place.directory" },
    },
    { key: "api.socket", path: api.socket, fits: isSocket, expected: socket },
    { key: "api.admin_socket", path: api.adminSocket, fits: isSocket, expected: socket },
  ];
}

function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
