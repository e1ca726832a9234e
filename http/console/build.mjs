// Builds dist/: hashed names, each file also as gzip and brotli, and the page that names them.
//   node build.mjs           writes dist/ and prints the sizes; ends with 1 above the budget
//   node build.mjs --check   builds beside it and says whether the committed dist/ is the same
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from "node:zlib";

const here = fileURLToPath(new URL(".", import.meta.url));
const budget = { js: 120 * 1024, css: 20 * 1024, all: 180 * 1024 };  // gzip: first load, first load, whole

const common = {
  absWorkingDir: here, bundle: true, minify: true, write: true, charset: "utf8", target: ["chrome115", "firefox115", "safari16.4"],
  entryNames: "[name]-[hash]", chunkNames: "[name]-[hash]", metafile: true, legalComments: "none", logLevel: "warning",
  jsx: "automatic", jsxImportSource: "preact", external: [],
};

function entry(result, name) {
  const found = Object.entries(result.metafile.outputs).find(([, output]) => output.entryPoint?.endsWith(name));
  return found[0].split("/").pop();
}

// The entry and what it imports at once; what is imported when a page asks for it comes later.
function firstLoad(result, name) {
  const outputs = result.metafile.outputs;
  const begin = Object.keys(outputs).find((path) => outputs[path].entryPoint?.endsWith(name));
  const seen = new Set();
  const walk = (path) => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const one of outputs[path].imports) if (one.kind === "import-statement") walk(one.path);
  };
  walk(begin);
  return [...seen].map((path) => path.split("/").pop());
}

async function make(dist) {
  const outdir = join(dist, "assets");
  mkdirSync(outdir, { recursive: true });
  const app = await build({ ...common, entryPoints: ["src/main.tsx"], outdir, format: "esm", splitting: true });
  const theme = await build({ ...common, entryPoints: ["src/theme.ts"], outdir, format: "iife" });
  const style = await build({ ...common, entryPoints: ["src/style/console.css"], outdir });
  const icon = readFileSync(join(here, "src/icon.svg"));
  const iconName = `icon-${createHash("sha256").update(icon).digest("hex").slice(0, 8).toUpperCase()}.svg`;
  writeFileSync(join(outdir, iconName), icon);
  const names = { app: entry(app, "main.tsx"), theme: entry(theme, "theme.ts"), style: entry(style, "console.css"), icon: iconName };
  const page = readFileSync(join(here, "src/index.html"), "utf8").replace(/\{\{(\w+)\}\}/g, (all, name) => names[name] ?? all);
  writeFileSync(join(dist, "index.html"), page);
  const sizes = {};
  for (const path of [join(dist, "index.html"), ...readdirSync(outdir).map((name) => join(outdir, name))]) {
    const plain = readFileSync(path);
    const gzip = gzipSync(plain, { level: 9 });
    writeFileSync(`${path}.gz`, gzip);
    writeFileSync(`${path}.br`, brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length } }));
    sizes[path.split("/").pop()] = gzip.length;
  }
  const first = [...firstLoad(app, "main.tsx"), names.theme];
  return { sizes, js: first.reduce((sum, name) => sum + sizes[name], 0), css: sizes[names.style], first: new Set([...first, names.style]) };
}

function report({ sizes, js, css, first }) {
  let all = 0;
  for (const [name, size] of Object.entries(sizes)) {
    all += size;
    console.log(`${String(size).padStart(8)}  ${name}${first.has(name) ? "  (first load)" : ""}`);
  }
  console.log(`console: first load ${js} bytes of scripts (at most ${budget.js}), ${css} of style (at most ${budget.css}); ${all} in all (at most ${budget.all}), gzip`);
  return js <= budget.js && css <= budget.css && all <= budget.all;
}

// Compressed bytes may differ between versions of zlib; what they unfold to may not.
function unfolded(path) {
  const bytes = readFileSync(path);
  return path.endsWith(".gz") ? gunzipSync(bytes) : path.endsWith(".br") ? brotliDecompressSync(bytes) : bytes;
}

function differences(a, b) {
  const list = (dir) => [...readdirSync(dir).filter((name) => name !== "assets"), ...readdirSync(join(dir, "assets")).map((name) => `assets/${name}`)];
  const ours = list(a), fresh = list(b);
  const only = [...ours.filter((name) => !fresh.includes(name)), ...fresh.filter((name) => !ours.includes(name))];
  return [...only, ...ours.filter((name) => fresh.includes(name) && !unfolded(join(a, name)).equals(unfolded(join(b, name))))];
}

const dist = join(here, "dist");
if (process.argv.includes("--check")) {
  const fresh = mkdtempSync(join(tmpdir(), "quell-console-"));
  const fits = report(await make(fresh));
  const faults = differences(dist, fresh);
  rmSync(fresh, { recursive: true });
  if (faults.length) console.log(`the committed bundle is not a fresh one: ${faults.join(", ")}; run node build.mjs`);
  process.exit(fits && faults.length === 0 ? 0 : 1);
}
rmSync(dist, { recursive: true, force: true });
process.exit(report(await make(dist)) ? 0 : 1);
