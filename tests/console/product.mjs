// The real server on a port and a directory of its own, and calls to it past the browser.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
    this.token = readFileSync(join(this.dir, "admin.token"), "utf8").trim();
  }

  async halt() {
    const ended = new Promise((over) => this.process.once("exit", over));
    this.process.kill("SIGKILL");
    await ended;
  }

  async stop() {
    if (this.process.exitCode === null) await this.halt();
    rmSync(this.dir, { recursive: true, force: true });
  }

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
