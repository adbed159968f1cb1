import { fstatSync, lstatSync, renameSync, type Stats } from "node:fs";
import { chmod, lchown, lstat, unlink } from "node:fs/promises";
import { connect, type Server } from "node:net";
import path from "node:path";
import { AgentError, errnoOf, systemCode } from "../common/errors.ts";
import { makeDirectories } from "../common/files/file-system.ts";
import { lookupGroup } from "../common/files/group.ts";
import type { ApiConfig } from "../config/config.ts";
import { type InheritedSockets, socketPath } from "./systemd-sockets.ts";

/** Where a server is to listen: on a file of its own, or on a socket that systemd has made. */
export type SocketPlace =
  | { readonly path: string; readonly mode: number; readonly group?: string }
  | { readonly fd: number };

/** What is given a place: an ApiServer, or the bridge's own listener. */
export interface SocketServer {
  readonly listener: Server;
  close(): Promise<void>;
}

export interface OpenSocket {
  /** The file; undefined for an inherited socket that does not tell. */
  readonly path?: string;
  /** Whether our file has been removed or another one stands in its place: new clients no longer find us. */
  isReplaced(): boolean;
  /** Stops listening at once, removes our file (never another one that took its place), then as `SocketServer.close`. */
  close(): Promise<void>;
}

/** sun_path has 108 octets, the last one for the final zero (unix(7)). */
const MAX_PATH_BYTES = 107;
const DEFAULT_DIRECTORY = "/run/facepay-agent";
const DEFAULT_MODE = 0o660;

/**
 * Specification 2: a configured path, else the socket systemd hands over, else the default path. A configured path on which
 * systemd's socket already listens is that socket: it cannot be bound a second time.
 */
export function socketPlaces(
  config: ApiConfig | undefined,
  inherited: InheritedSockets,
  pathOf: (fd: number) => string | undefined = socketPath,
): Readonly<Record<"api" | "admin", SocketPlace>> {
  const place = (
    name: "api" | "admin",
    configured: string | undefined,
    mode: number = DEFAULT_MODE,
    group: string | undefined,
  ): SocketPlace => {
    const fd = inherited[name];
    if (fd !== undefined && (configured === undefined || configured === pathOf(fd))) return { fd };
    const file = configured ?? `${DEFAULT_DIRECTORY}/${name}.sock`;
    return { path: file, mode, ...(group === undefined ? {} : { group }) };
  };
  return {
    api: place("api", config?.socket, config?.socketMode, config?.socketGroup),
    admin: place("admin", config?.adminSocket, config?.adminSocketMode, config?.adminSocketGroup),
  };
}

/** Gives a server its place. Rejects with API_SOCKET, whose message says what to do. */
export async function openSocket(server: SocketServer, place: SocketPlace): Promise<OpenSocket> {
  return "fd" in place ? await openInherited(server, place.fd) : await openFile(server, place);
}

async function openInherited(server: SocketServer, fd: number): Promise<OpenSocket> {
  let isSocket = false;
  try {
    isSocket = fstatSync(fd).isSocket();
  } catch (error) {
    throw new AgentError("API_SOCKET.fd_closed", { fd }, { cause: error });
  }
  if (!isSocket) throw new AgentError("API_SOCKET.fd_not_socket", { fd });
  await listen(server, { fd }, `file descriptor ${fd}`);
  const path = socketPath(fd);
  return { ...(path === undefined ? {} : { path }), isReplaced: () => false, close: () => server.close() };
}

async function openFile(
  server: SocketServer,
  { path: file, mode, group }: { path: string; mode: number; group?: string },
): Promise<OpenSocket> {
  if (!file.startsWith("/") || file.includes("\0")) throw new AgentError("API_SOCKET.relative", {});
  const octets = Buffer.byteLength(file);
  if (octets > MAX_PATH_BYTES) {
    throw new AgentError("API_SOCKET.too_long", { path: file, octets, most: MAX_PATH_BYTES });
  }
  const gid = group === undefined ? undefined : findGroup(group, file);
  await makeDirectory(path.dirname(file));
  await makeRoom(file);
  await listen(server, { path: file }, file);
  const own = identify(file);
  const open: OpenSocket = {
    path: file,
    isReplaced: () => !isSame(own, identify(file)),
    close: () => closeFile(server, file, own),
  };
  try {
    // The group first: until the mode is set, only the owner gets in.
    if (gid !== undefined) await lchown(file, -1, gid);
    await chmod(file, mode);
  } catch (error) {
    await open.close();
    const params = { path: file, group, mode: mode.toString(8), errno: errnoOf(error) };
    throw new AgentError("API_SOCKET.mode", params, { cause: error });
  }
  return open;
}

function findGroup(group: string, file: string): number {
  const gid = lookupGroup(group);
  if (gid !== undefined) return gid;
  throw new AgentError("API_SOCKET.group", { path: file, group });
}

async function makeDirectory(directory: string): Promise<void> {
  try {
    // Everybody may pass through the directory; who may connect is decided by the socket's own mode.
    const made = await makeDirectories(path.resolve(directory), 0o755);
    if (made !== undefined) await chmod(directory, 0o755);
  } catch (error) {
    throw new AgentError("API_SOCKET.directory", { path: directory, errno: errnoOf(error) }, { cause: error });
  }
}

/** A socket that a killed agent left behind is removed; anything else at this path is somebody's and stays. */
async function makeRoom(file: string): Promise<void> {
  let found: Stats;
  try {
    found = await lstat(file);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return;
    throw new AgentError("API_SOCKET.unreadable", { path: file, errno: errnoOf(error) }, { cause: error });
  }
  if (!found.isSocket()) throw new AgentError("API_SOCKET.not_socket", { path: file });
  const answer = await knock(file);
  if (answer === "ENOENT") return;
  if (answer !== "ECONNREFUSED") {
    throw new AgentError("API_SOCKET.in_use", { path: file });
  }
  try {
    await unlink(file);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return;
    throw new AgentError("API_SOCKET.not_removed", { path: file, errno: errnoOf(error) }, { cause: error });
  }
}

/** Undefined when somebody listens, else why not. connect(2) on a unix socket never waits for the peer. */
function knock(file: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(file);
    const done = (answer: string | undefined) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => done(undefined));
    socket.once("error", (error) => done(systemCode(error) ?? "unknown"));
  });
}

function listen({ listener }: SocketServer, where: { path: string } | { fd: number }, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: unknown) => {
      listener.off("listening", onListening);
      reject(new AgentError("API_SOCKET.listen", { where: name, errno: errnoOf(error) }, { cause: error }));
    };
    const onListening = () => {
      listener.off("error", onError);
      resolve();
    };
    listener.once("error", onError);
    listener.once("listening", onListening);
    // bind(2) happens within listen(): so the file is never seen with more rights than the owner's.
    const before = process.umask(0o177);
    try {
      listener.listen(where);
    } finally {
      process.umask(before);
    }
  });
}

/** libuv removes the path when it closes a pipe, even when another process has put its file there; so ours is moved aside first. */
function closeFile(server: SocketServer, file: string, own: Stats | undefined): Promise<void> {
  const now = identify(file);
  const aside = `${file}.kept`;
  const foreign = now !== undefined && !isSame(own, now);
  if (foreign) renameSync(file, aside);
  const closed = server.close();
  if (foreign) renameSync(aside, file);
  return closed;
}

function identify(file: string): Stats | undefined {
  return lstatSync(file, { throwIfNoEntry: false });
}

const isSame = (a: Stats | undefined, b: Stats | undefined) =>
  a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev && a.birthtimeMs === b.birthtimeMs;
