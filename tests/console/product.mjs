// The real server on a port and a directory of its own, and calls to it past the browser.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const binary = process.env.PRODUCT_BINARY ?? fileURLToPath(new URL("../../build/release/bin/quell", import.meta.url));

async function freePort() {
  return await new Promise((found) => {
    const probe = createServer().listen(0, "127.0.0.1", () => { const { port } = probe.address(); probe.close(() => found(port)); });
  });
}

/** Looks again and again until it holds; the bound is for a hang, not a pass mark. */
export async function until(holds, what = "the awaited state", seconds = 30) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await holds();
    if (value) return value;
    if (Date.now() > end) throw new Error(`${what} did not come within ${seconds} s`);
    await new Promise((next) => setTimeout(next, 20));
  }
}

export class Product {
  static async start(...flags) {
    const product = new Product();
    product.dir = mkdtempSync(join(tmpdir(), "quell-console-"));
    product.port = await freePort();
    product.flags = flags;
    await product.run();
    return product;
  }

  async run() {
    this.url = `http://127.0.0.1:${this.port}`;
    this.log = "";
    this.process = spawn(binary, ["serve", "--data-dir", this.dir, "--listen", `127.0.0.1:${this.port}`, ...this.flags], { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on("data", (piece) => { this.log += piece; });
    await until(async () => {
      if (this.process.exitCode !== null) throw new Error(`the server ended: ${this.log.slice(-2000)}`);
      return await fetch(`${this.url}/readyz`).then((reply) => reply.ok, () => false);
    }, "a server that serves", 60);
    // The first node of a store makes the administrator; the others know him.
    const file = join(this.dir, "admin.token");
    if (existsSync(file)) this.token = readFileSync(file, "utf8").trim();
  }

  async halt() {
    const ended = new Promise((over) => this.process.once("exit", over));
    this.process.kill("SIGKILL");
    await ended;
  }

  async stop() {
    if (this.process.exitCode === null && this.process.signalCode === null) await this.halt();
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Stands still as a machine does that nobody can reach, and goes on. */
  stall() { this.process.kill("SIGSTOP"); }
  wake() { this.process.kill("SIGCONT"); }

  async call(method, path, body, token = this.token) {
    const reply = await fetch(this.url + path, { method, headers: { Authorization: `Bearer ${token}`, ...(body === undefined ? {} : { "Content-Type": "application/json" }) }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await reply.text();
    return { status: reply.status, body: text ? JSON.parse(text) : null };
  }

  async submit(job) {
    const { status, body } = await this.call("POST", "/api/v1/jobs", job);
    if (status !== 201) throw new Error(`a job was refused: ${JSON.stringify(body)}`);
    return body.job_id;
  }

  /** A job that runs until it is stopped. */
  async running(more = {}) {
    const id = await this.submit({ kind: "sleep", args: { seconds: 3600 }, ...more });
    await until(async () => (await this.call("GET", `/api/v1/jobs/${id}`)).body.status === "running", "a job that runs");
    return id;
  }

  async makeToken(role, name = role) {
    return (await this.call("POST", "/api/v1/tokens", { name, role })).body.token;
  }
}

/** Two servers on one PostgreSQL of their own. */
export class Fleet {
  static async start(...flags) {
    const fleet = new Fleet();
    fleet.postgres = spawn(process.env.TEMPORARY_POSTGRES ?? join(dirname(binary), "temporary_postgres"), [], { stdio: ["pipe", "pipe", "inherit"] });
    const store = await new Promise((told) => createInterface({ input: fleet.postgres.stdout }).once("line", told));
    fleet.nodes = [await Product.start("--store", store, ...flags), await Product.start("--store", store, ...flags)];
    fleet.nodes[1].token = fleet.nodes[0].token;
    return fleet;
  }

  async stop() {
    for (const node of this.nodes) await node.stop();
    const ended = new Promise((over) => this.postgres.once("exit", over));
    this.postgres.stdin.end();
    await ended;
  }
}

/** `quell demo --serve`: its world, and the token that it prints. */
export class Demo {
  static async start(...flags) {
    const demo = new Demo(), port = await freePort();
    demo.url = `http://127.0.0.1:${port}`;
    demo.process = spawn(binary, ["demo", "--serve", "--listen", `127.0.0.1:${port}`, ...flags], { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [demo.process.stdout, demo.process.stderr]) stream.on("data", (piece) => { said += piece; });
    await until(() => {
      if (demo.process.exitCode !== null) throw new Error(`the demo ended: ${said}`);
      return said.includes("Ctrl-C ends it");
    }, "a world that is served", 120);
    demo.token = /token {2}(\S+)/.exec(said)[1];
    return demo;
  }

  call = Product.prototype.call;

  async stop() {
    const ended = new Promise((over) => this.process.once("exit", over));
    this.process.kill("SIGINT");
    await ended;
  }
}
