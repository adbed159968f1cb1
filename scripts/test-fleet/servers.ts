import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";

const kit = path.resolve(import.meta.dirname, "../../docs/fleet");
const read = (file: string) => readFileSync(path.join(kit, file), "utf8");

export interface Alert {
  readonly name: string;
  readonly device: string;
  readonly state: "pending" | "firing";
}

/** So much faster than the kit's own rules, intervals and hours the rig is. */
const FASTER = 20;

/** The operator's servers with the kit's own files: other ports, shorter waits, nothing else. */
export class Servers implements AsyncDisposable {
  readonly #directory: string;
  readonly #children = new Map<string, ChildProcess>();
  #ports = { broker: 0, exporter: 0, prometheus: 0, alertmanager: 0 };

  constructor(directory: string) {
    this.#directory = directory;
  }

  get brokerPort(): number {
    return this.#ports.broker;
  }

  async start(gatewayPort: number): Promise<void> {
    const [broker, exporter, prometheus, alertmanager] = [await free(), await free(), await free(), await free()];
    this.#ports = { broker, exporter, prometheus, alertmanager };
    this.#write(
      "mosquitto.conf",
      `listener ${broker} 127.0.0.1\nallow_anonymous true\npersistence false\nmessage_size_limit 524288\n`,
    );
    this.#write("exporter.yaml", read("exporter.yaml").replace("127.0.0.1:1883", `127.0.0.1:${broker}`));
    this.#write("alertmanager.yml", read("alertmanager.yml"));
    this.#write(
      "rules.yml",
      read("rules.yml").replace(/for: (\d+)([smhd])/g, (_all, n, unit) => `for: ${shorter(n, unit)}s`),
    );
    const prom = read("prometheus.yml")
      .replace("127.0.0.1:9641", `127.0.0.1:${exporter}`)
      .replace("127.0.0.1:8444", `127.0.0.1:${gatewayPort}`)
      .replace("127.0.0.1:9093", `127.0.0.1:${alertmanager}`)
      .replace(/_interval: 10s/g, "_interval: 1s");
    this.#write("prometheus.yml", prom);
    this.broker();
    this.exporter();
    this.#run("prometheus-alertmanager", [
      `--config.file=${this.#in("alertmanager.yml")}`,
      `--storage.path=${this.#in("alerts")}`,
      `--web.listen-address=127.0.0.1:${alertmanager}`,
      "--cluster.listen-address=",
    ]);
    this.#run("prometheus", [
      `--config.file=${this.#in("prometheus.yml")}`,
      `--storage.tsdb.path=${this.#in("metrics")}`,
      `--web.listen-address=127.0.0.1:${prometheus}`,
    ]);
    await until("Prometheus", async () => (await this.query("up")).length > 0);
  }

  broker(): void {
    this.#run("mosquitto", ["-c", this.#in("mosquitto.conf")]);
  }

  exporter(): void {
    const place = ["-listen-address", "127.0.0.1", "-listen-port", String(this.#ports.exporter)];
    this.#run("prometheus-mqtt-exporter", ["-config", this.#in("exporter.yaml"), ...place]);
  }

  async kill(name: string): Promise<void> {
    const child = this.#children.get(name);
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  async query(expr: string): Promise<{ metric: Record<string, string>; value: number }[]> {
    const body = await this.#get(this.#ports.prometheus, `/api/v1/query?query=${encodeURIComponent(expr)}`);
    const { result = [] } = (body.data ?? {}) as {
      result?: { metric: Record<string, string>; value: [number, string] }[];
    };
    return result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
  }

  async alerts(): Promise<Alert[]> {
    const body = await this.#get(this.#ports.prometheus, "/api/v1/alerts");
    const { alerts = [] } = (body.data ?? {}) as {
      alerts?: { labels: Record<string, string>; state: Alert["state"] }[];
    };
    return alerts.map(({ labels, state }) => ({
      name: labels.alertname ?? "",
      device: labels.device ?? labels.instance ?? labels.sp_mchid ?? "",
      state,
    }));
  }

  /** How many alerts have come to the Alertmanager. */
  async received(): Promise<number> {
    const body: unknown = await this.#get(this.#ports.alertmanager, "/api/v2/alerts");
    return Array.isArray(body) ? body.length : 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.#children.keys()) await this.kill(name);
  }

  #in(name: string): string {
    return path.join(this.#directory, name);
  }

  #write(name: string, text: string): void {
    writeFileSync(this.#in(name), text);
  }

  #run(name: string, args: readonly string[]): void {
    this.#children.set(
      name,
      spawn(name, args, { stdio: "ignore", env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } }),
    );
  }

  async #get(port: number, where: string): Promise<Record<string, unknown>> {
    try {
      const answer = await fetch(`http://127.0.0.1:${port}${where}`, { signal: AbortSignal.timeout(5_000) });
      return (await answer.json()) as Record<string, unknown>;
    } catch {
      // Not up yet.
      return {};
    }
  }
}

function shorter(count: string, unit: string): number {
  const seconds = Number(count) * ({ s: 1, m: 60, h: 3_600, d: 86_400 }[unit] ?? 1);
  return Math.min(10, Math.max(2, Math.round(seconds / FASTER)));
}

export async function until(what: string, holds: () => Promise<boolean>, withinMs = 60_000): Promise<number> {
  const from = performance.now();
  while (!(await holds())) {
    if (performance.now() - from > withinMs) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return performance.now() - from;
}

async function free(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
