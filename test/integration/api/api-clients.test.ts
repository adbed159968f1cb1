import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { Agent, EventSource, request, fetch as undiciFetch } from "undici";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createCashierServer } from "../../../agent/api/cashier-api.ts";
import { type OpenSocket, openSocket } from "../../../agent/api/sockets.ts";
import { systemClock } from "../../../agent/common/clock.ts";
import { silentLog } from "../../../agent/common/log/log.ts";
import { FakeCredentialService, identity, temporaryDirectory } from "../../support/fixtures/api-fixture.ts";
import { hasCommand } from "../../support/fixtures/tools.ts";

/** HTTP clients as their libraries make them, with the headers that they send by themselves (specification section 5). */

const run = promisify(execFile);
const AUTHINFO = "CANARY-AUTHINFO-0123456789";
const REJECTION = '{"generation":7}';
/** A compiler of another language may have to start on a busy machine. */
const PATIENCE = { timeout: 120_000 };

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let socket: string;
let open: OpenSocket;
let credentials: FakeCredentialService;
let denied: string[];
let served: number;

beforeEach(async () => {
  directory = await temporaryDirectory();
  socket = `${directory.path}/api.sock`;
  credentials = new FakeCredentialService();
  denied = [];
  served = 0;
  const server = createCashierServer({
    credentials,
    identity: () => identity,
    driver: () => undefined,
    live: () => true,
    served: () => {
      served++;
    },
    denied: (reason) => denied.push(reason),
    supportCode: () => "1YPB-2M43-GN84",
    clock: systemClock(),
    log: silentLog,
  });
  open = await openSocket(server, { path: socket, mode: 0o660 });
});

afterEach(async () => {
  await open.close();
  await directory.remove();
});

/** What the client has printed or returned holds an authinfo, and the agent refused it nothing. */
function expectServed(text: string): void {
  expect(text).toContain(AUTHINFO);
  expect(denied).toEqual([]);
}

function expectRejected(): void {
  expect(credentials.rejections).toHaveLength(1);
  expect(denied).toEqual([]);
}

describe("JavaScript", () => {
  let agent: Agent;
  beforeEach(() => {
    agent = new Agent({ connect: { socketPath: socket } });
  });
  afterEach(() => agent.destroy());

  it("undici: fetch, also HEAD, and request", async () => {
    const url = "http://localhost/v1/authinfo";
    expectServed(await (await undiciFetch(url, { dispatcher: agent })).text());
    const head = await undiciFetch(url, { dispatcher: agent, method: "HEAD" });
    expect([head.status, Number(head.headers.get("content-length")) > 100, await head.text()]).toEqual([200, true, ""]);
    expectServed(await (await request(url, { dispatcher: agent })).body.text());
    // A HEAD hands nothing out.
    expect(served).toBe(2);
    const headers = { "Content-Type": "application/json" };
    const body = { method: "POST", body: REJECTION, headers, dispatcher: agent };
    expect((await undiciFetch(`${url}/reject`, body)).status).toBe(202);
    expectRejected();
  });

  it("undici: EventSource", async () => {
    const source = new EventSource("http://localhost/v1/authinfo/events", { node: { dispatcher: agent } });
    const message = await new Promise<{ data: string }>((resolve, reject) => {
      source.addEventListener("authinfo", (event) => resolve(event as unknown as { data: string }));
      source.addEventListener("error", () => reject(new Error("the event stream failed")));
    });
    source.close();
    expectServed(message.data);
  });

  it("node:http with an empty host, an offer of HTTP/2, HEAD", async () => {
    const ask = (method: string, path: string, headers: Record<string, string>) =>
      new Promise<{ status: number | undefined; type: string | undefined; text: string }>((resolve, reject) => {
        const sent = http.request({ socketPath: socket, method, path, headers, agent: false }, (res) => {
          let text = "";
          res.setEncoding("utf8").on("data", (chunk: string) => {
            text += chunk;
          });
          res.once("end", () => resolve({ status: res.statusCode, type: res.headers["content-type"], text }));
        });
        sent.once("error", reject).end();
      });
    expectServed((await ask("GET", "/v1/authinfo", { Host: "" })).text);
    const upgrade = {
      Connection: "Upgrade, HTTP2-Settings",
      Upgrade: "h2c",
      "HTTP2-Settings": "AAMAAABkAAQAoAAAAAIAAAAA",
    };
    expectServed((await ask("GET", "/v1/authinfo", upgrade)).text);
    for (const path of ["/v1/authinfo", "/livez", "/readyz"]) {
      expect(await ask("HEAD", path, {}), path).toEqual({ status: 200, type: "application/json", text: "" });
    }
    const events = { status: 200, type: "text/event-stream", text: "" };
    expect(await ask("HEAD", "/v1/authinfo/events", {})).toEqual(events);
    expect(credentials.listeners.size).toBe(0);
    expect(denied).toEqual([]);
  });

  const script = `
    await fetch("data:,");
    const { constructor: Agent } = globalThis[Symbol.for("undici.globalDispatcher.1")];
    const dispatcher = new Agent({ connect: { socketPath: process.argv[1] } });
    process.stdout.write(await (await fetch("http://localhost/v1/authinfo", { dispatcher })).text());
    const headers = { "Content-Type": "application/json" };
    await fetch("http://localhost/v1/authinfo/reject", { dispatcher, method: "POST", body: '${REJECTION}', headers });
    process.exit();`;

  it.each([
    ["of this Node", process.execPath],
    ["of the machine's own Node", "/usr/bin/node"],
  ])("fetch %s", PATIENCE, async (_name, node, { skip }: { skip: (why: string) => void } = { skip: () => {} }) => {
    if (!existsSync(node)) return skip(`${node} is not there`);
    expectServed((await run(node, ["--input-type=module", "-e", script, socket])).stdout);
    expectRejected();
  });
});

/** Client programs of other languages. `source` is written to `file` in the working directory. */
interface Client {
  readonly command: string;
  readonly args: (place: { readonly socket: string; readonly port: number }) => string[];
  readonly source?: { readonly file: string; readonly text: string };
  /** It has also sent a rejection. */
  readonly rejects?: boolean;
}

const url = "http://localhost/v1/authinfo";

const clients: readonly (readonly [name: string, client: Client])[] = [
  ["curl", { command: "curl", args: ({ socket }) => ["-sS", "--unix-socket", socket, url] }],
  ["curl --http2", { command: "curl", args: ({ socket }) => ["-sS", "--http2", "--unix-socket", socket, url] }],
  [
    "curl with a body",
    {
      command: "curl",
      args: ({ socket }) =>
        ["-sS", "--unix-socket", socket, url, "--next", "-sS", "--unix-socket", socket].concat([
          "-H",
          "Content-Type: application/json",
          "-d",
          REJECTION,
          `${url}/reject`,
        ]),
      rejects: true,
    },
  ],
  [
    "Python http.client",
    {
      command: "python3",
      args: ({ socket }) => ["client.py", socket],
      source: {
        file: "client.py",
        text: `
import http.client, socket, sys
class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(sys.argv[1])
for host in ("localhost", ""):
    client = Unix(host)
    client.request("GET", "/v1/authinfo")
    print(client.getresponse().read().decode())
    client.request("POST", "/v1/authinfo/reject", '${REJECTION}' if host else '{"generation":6}', {"Content-Type": "application/json"})
    assert client.getresponse().status == 202
    client.close()
`,
      },
    },
  ],
  [
    "Java 17 HttpClient",
    {
      command: "java",
      args: ({ port }) => ["Client.java", String(port)],
      source: {
        file: "Client.java",
        text: `
import java.net.URI;
import java.net.http.*;
class Client {
  public static void main(String[] args) throws Exception {
    var client = HttpClient.newHttpClient();
    var base = URI.create("http://127.0.0.1:" + args[0] + "/v1/authinfo");
    System.out.println(client.send(HttpRequest.newBuilder(base).build(), HttpResponse.BodyHandlers.ofString()).body());
    var head = HttpRequest.newBuilder(base).method("HEAD", HttpRequest.BodyPublishers.noBody()).build();
    if (client.send(head, HttpResponse.BodyHandlers.ofString()).statusCode() != 200) throw new Exception("HEAD");
    var post = HttpRequest.newBuilder(URI.create(base + "/reject")).header("Content-Type", "application/json")
      .POST(HttpRequest.BodyPublishers.ofString("${REJECTION.replaceAll('"', '\\"')}")).build();
    if (client.send(post, HttpResponse.BodyHandlers.ofString()).statusCode() != 202) throw new Exception("POST");
  }
}
`,
      },
      rejects: true,
    },
  ],
  [
    "Go net/http",
    {
      command: "go",
      args: ({ socket }) => ["run", "client.go", socket],
      source: {
        file: "client.go",
        text: `package main
import ("context"; "io"; "net"; "net/http"; "os"; "strings")
func main() {
  dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return net.Dial("unix", os.Args[1]) }
  client := http.Client{Transport: &http.Transport{DialContext: dial}}
  answer, err := client.Get("${url}")
  if err != nil { panic(err) }
  io.Copy(os.Stdout, answer.Body)
  if head, err := client.Head("${url}"); err != nil || head.StatusCode != 200 { panic("HEAD") }
  answer, err = client.Post("${url}/reject", "application/json", strings.NewReader(\`${REJECTION}\`))
  if err != nil || answer.StatusCode != 202 { panic("POST") }
}
`,
      },
      rejects: true,
    },
  ],
  [
    "Ruby Net::HTTP",
    {
      command: "ruby",
      args: ({ socket }) => ["client.rb", socket],
      source: {
        file: "client.rb",
        text: `
require "net/http"
require "socket"
stream = Net::BufferedIO.new(UNIXSocket.new(ARGV[0]))
get = Net::HTTP::Get.new("/v1/authinfo")
get["Host"] = ""
get.exec(stream, "1.1", get.path)
answer = Net::HTTPResponse.read_new(stream)
answer.reading_body(stream, true) { answer.body }
puts answer.body
`,
      },
    },
  ],
  [
    "PHP stream",
    {
      command: "php",
      args: ({ socket }) => [
        "-r",
        `$c = fsockopen('unix://${socket}'); fwrite($c, "GET /v1/authinfo HTTP/1.1\\r\\nHost: \\r\\nConnection: close\\r\\n\\r\\n"); echo stream_get_contents($c);`,
      ],
    },
  ],
];

describe.each(clients)("%s", PATIENCE, (_name, { command, args, source, rejects }) => {
  it("is served", async ({ skip }) => {
    if (!hasCommand(command)) return skip(`${command} is not installed`);
    if (source) await writeFile(join(directory.path, source.file), source.text);
    // For clients that know no unix sockets.
    const forwarder = net.createServer((client) => {
      const there = net.connect(socket);
      client.on("error", () => there.destroy()).pipe(there);
      there.on("error", () => client.destroy()).pipe(client);
    });
    await new Promise<void>((resolve) => forwarder.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = forwarder.address() as net.AddressInfo;
      const { stdout } = await run(command, args({ socket, port }), { cwd: directory.path });
      expectServed(stdout);
      if (rejects) expectRejected();
    } finally {
      forwarder.close();
    }
  });
});

it("curl -I gets the head of every path that has a GET", async ({ skip }) => {
  if (!hasCommand("curl")) return skip("curl is not installed");
  for (const path of ["/v1/authinfo", "/v1/authinfo/events", "/livez", "/readyz"]) {
    const { stdout } = await run("curl", ["-sSI", "--unix-socket", socket, `http://localhost${path}`]);
    expect(stdout, path).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(stdout).not.toContain("CANARY");
  }
  expect([served, denied]).toEqual([0, []]);
});
