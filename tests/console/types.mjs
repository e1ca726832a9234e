// Writes http/console/src/api.ts from what the built server says of itself.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { Product } from "./product.mjs";
import { fileURLToPath } from "node:url";

const product = await Product.start();
const done = spawnSync(process.execPath, [join(fileURLToPath(new URL("../../http/console/", import.meta.url)), "types.mjs"), `${product.url}/openapi.json`], { stdio: "inherit" });
await product.stop();
process.exit(done.status ?? 1);
