import { fstatSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { socketPlaces } from "../../../agent/api/sockets.ts";
import { inheritedSockets, socketPath } from "../../../agent/api/systemd-sockets.ts";

const given = (env: Record<string, string>) => inheritedSockets({ LISTEN_PID: "42", LISTEN_FDS: "2", ...env }, 42);

describe("sockets from systemd", () => {
  it("are found by name", () => {
    expect(given({ LISTEN_FDNAMES: "admin:api" })).toEqual({ api: 4, admin: 3 });
    expect(given({ LISTEN_FDNAMES: "api:other" })).toEqual({ api: 3 });
  });

  it("are not ours when they are meant for another process, or not there", () => {
    expect(given({ LISTEN_FDNAMES: "api:admin", LISTEN_PID: "43" })).toEqual({});
    expect(given({ LISTEN_FDNAMES: "api:admin", LISTEN_PID: "" })).toEqual({});
    expect(given({ LISTEN_FDNAMES: "api:admin", LISTEN_FDS: "1" })).toEqual({ api: 3 });
    expect(given({ LISTEN_FDNAMES: "api:admin", LISTEN_FDS: "-1" })).toEqual({});
    expect(inheritedSockets({}, 42)).toEqual({});
  });

  it("give way to a configured path and come before the default one", () => {
    const config = { socket: "/x/a.sock", socketGroup: "g", socketMode: 0o600, adminSocketMode: 0o640 };
    expect(socketPlaces(config, { api: 3, admin: 4 })).toEqual({
      api: { path: "/x/a.sock", mode: 0o600, group: "g" },
      admin: { fd: 4 },
    });
    expect(socketPlaces(undefined, {})).toEqual({
      api: { path: "/run/facepay-agent/api.sock", mode: 0o660 },
      admin: { path: "/run/facepay-agent/admin.sock", mode: 0o660 },
    });
    expect(socketPlaces({ socketMode: 0o660, adminSocketMode: 0o640, adminSocketGroup: "t" }, {}).admin).toEqual({
      path: "/run/facepay-agent/admin.sock",
      mode: 0o640,
      group: "t",
    });
  });

  it("are taken for the configured path on which they listen already", () => {
    const config = { socket: "/run/x/api.sock", socketMode: 0o660, adminSocketMode: 0o640 };
    const pathOf = (fd: number) => (fd === 3 ? "/run/x/api.sock" : undefined);
    expect(socketPlaces(config, { api: 3 }, pathOf).api).toEqual({ fd: 3 });
    expect(socketPlaces(config, { api: 4 }, pathOf).api).toMatchObject({ path: "/run/x/api.sock" });
  });

  it("tell their path by the kernel's list", async () => {
    const directory = mkdtempSync(path.join(os.tmpdir(), "facepay-sockets-"));
    const file = path.join(directory, "with a blank.sock");
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(file, resolve));
    const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
    expect(socketPath(fd)).toBe(file);
    const other = openSync("/dev/null", "r");
    expect(socketPath(other)).toBeUndefined();
    expect(socketPath(fd, path.join(directory, "no-list"))).toBeUndefined();
    const list = path.join(directory, "list");
    writeFileSync(
      list,
      `Num RefCount\n0: 1 0 0 1 1 ${fstatSync(fd).ino} @abstract\n0: 1 0 0 1 1 ${fstatSync(fd).ino}\n`,
    );
    expect(socketPath(fd, list)).toBeUndefined();
    server.close();
    rmSync(directory, { recursive: true });
  });
});
