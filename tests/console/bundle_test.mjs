// The committed bundle is what the sources make, its types are what the server says, and both fit.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { Product } from "./product.mjs";
import { consoleDir } from "./rules.mjs";

let product;
before(async () => { product = await Product.start(); });
after(async () => { await product?.stop(); });

const run = (...words) => spawnSync(process.execPath, words, { cwd: consoleDir, encoding: "utf8" });

test("the committed bundle equals a fresh one and keeps to its budget", () => {
  const done = run("build.mjs", "--check");
  console.log(done.stdout);
  assert.equal(done.status, 0, done.stdout + done.stderr);
});

test("the sources keep to their types", () => {
  const done = run("node_modules/typescript/bin/tsc", "--noEmit", "-p", ".");
  assert.equal(done.status, 0, done.stdout + done.stderr);
});

test("the types are what the server says of itself", async () => {
  const { generate } = await import(pathToFileURL(join(consoleDir, "types.mjs")).href);
  const document = await (await fetch(`${product.url}/openapi.json`)).json();
  assert.equal(readFileSync(join(consoleDir, "src/api.ts"), "utf8"), generate(document), "run ./dev console types");
});

test("the server carries each file in each coding, never to be asked for again", async () => {
  const dist = join(consoleDir, "dist");
  for (const name of readdirSync(join(dist, "assets")).filter((one) => !/\.(gz|br)$/.test(one))) {
    const reply = await fetch(`${product.url}/assets/${name}`, { headers: { "Accept-Encoding": "identity" } });
    assert.equal(reply.status, 200, name);
    assert.ok(Buffer.from(await reply.arrayBuffer()).equals(readFileSync(join(dist, "assets", name))), name);
    assert.equal(reply.headers.get("cache-control"), "public, max-age=31536000, immutable");
    assert.equal((await fetch(`${product.url}/assets/${name}`, { headers: { "Accept-Encoding": "identity", "If-None-Match": reply.headers.get("etag") } })).status, 304);
    for (const [ending, unfold] of [["gz", gunzipSync], ["br", brotliDecompressSync]])
      assert.ok(unfold(readFileSync(join(dist, "assets", `${name}.${ending}`))).equals(readFileSync(join(dist, "assets", name))), `${name}.${ending}`);
  }
});

test("no text of the bundle leads elsewhere", () => {
  for (const name of readdirSync(join(consoleDir, "dist/assets")).filter((one) => /\.(js|css)$/.test(one))) {
    const found = readFileSync(join(consoleDir, "dist/assets", name), "utf8").match(/https?:\/\/[\w.-]+/g) ?? [];
    assert.deepEqual(found.filter((one) => !/example\.(org|com)|www\.w3\.org/.test(one)), [], name);
  }
});
