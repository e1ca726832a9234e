// The console's rules as modules that Node can load: built from their TypeScript into a folder of their own.
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const consoleDir = fileURLToPath(new URL("../../http/console/", import.meta.url));
const { buildSync } = createRequire(join(consoleDir, "package.json"))("esbuild");
const out = mkdtempSync(join(tmpdir(), "quell-console-rules-"));
process.on("exit", () => rmSync(out, { recursive: true, force: true }));

export async function rules(name) {
  buildSync({ entryPoints: [join(consoleDir, `src/rules/${name}.ts`)], outfile: join(out, `${name}.mjs`), bundle: true, format: "esm", target: "node18" });
  return await import(pathToFileURL(join(out, `${name}.mjs`)).href);
}
