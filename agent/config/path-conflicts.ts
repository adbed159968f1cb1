import { type Stats, statSync } from "node:fs";
import type { Config } from "./config.ts";
import type { LoadedConfig } from "./load.ts";
import type { Problem } from "./problem.ts";

interface Place {
  readonly key: string;
  readonly path: string | undefined;
  readonly fits: (found: Stats) => boolean;
  readonly expected: { readonly zh: string; readonly en: string };
}

/**
 * What stands where `run` would make its directory and its sockets, and makes it end with 78. For `config check` alone: `run` itself
 * opens these places and says more.
 */
export function placeProblems({ config, origins }: Pick<LoadedConfig, "config" | "origins">): Problem[] {
  return placesOf(config).flatMap(({ key, path, fits, expected }) => {
    // Nothing there yet is as it should be; what cannot be looked at is for whoever can.
    const found = path === undefined ? undefined : lookAt(path);
    if (found === undefined || fits(found)) return [];
    return [
      {
        key,
        origin: origins.get(key) ?? key,
        what: { zh: `${path} 已存在，但不是${expected.zh}`, en: `${path} is there, and no ${expected.en}` },
        instead: { zh: `请移走 ${path}，或改写 ${key}`, en: `move ${path} away, or name another place` },
      },
    ];
  });
}

function placesOf({ store, api }: Config): Place[] {
  const isSocket = (found: Stats) => found.isSocket();
  const socket = { zh: "套接字", en: "socket" };
  return [
    {
      key: "store.directory",
      path: store.directory,
      fits: (found) => found.isDirectory(),
      expected: { zh: "目录", en: "directory" },
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
