import { describe, expect, it } from "vitest";
import { socketPlaces } from "../../agent/api/sockets.ts";
import { inheritedSockets } from "../../agent/api/systemd-sockets.ts";

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
});
