// Runs the named suites and closes with the line "N passed, M failed".   node run.mjs unit_test flows_test
// What they need is brought by `npm ci` when it is not there yet; the lock files say exactly what.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url)), consoleDir = join(here, "../../http/console");

for (const dir of [consoleDir, here]) {
  const mark = join(dir, "node_modules/.package-lock.json");
  if (existsSync(mark) && statSync(mark).mtimeMs >= statSync(join(dir, "package-lock.json")).mtimeMs - 1000) continue;
  if (existsSync(mark) && sameVersions(dir, mark)) continue;
  if (spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: dir, stdio: "inherit" }).status !== 0) process.exit(1);
}

function sameVersions(dir, mark) {
  const list = (path) => Object.entries(JSON.parse(readFileSync(path, "utf8")).packages).filter(([name]) => name).map(([name, one]) => [name, one.version]);
  const have = new Map(list(mark));
  return list(join(dir, "package-lock.json")).every(([name, version]) => !have.has(name) || have.get(name) === version);
}

if (process.argv[2] === "--prepare") process.exit(0);
const suites = process.argv.slice(2).map((name) => join(here, `${name.replace(/\.mjs$/, "")}.mjs`));
const tests = spawn(process.execPath, ["--test", "--test-reporter=tap", ...suites], { stdio: ["ignore", "pipe", "inherit"] });
let text = "";
tests.stdout.on("data", (piece) => { text += piece; process.stdout.write(piece); });
tests.on("close", (code) => {
  const of = (word) => Number(new RegExp(`^# ${word} (\\d+)`, "m").exec(text)?.[1] ?? 0);
  const failed = of("fail") + of("cancelled");
  console.log(`${of("pass")} passed, ${failed || (code === 0 ? 0 : 1)} failed`);
  process.exit(code === 0 && of("pass") > 0 ? 0 : 1);
});
