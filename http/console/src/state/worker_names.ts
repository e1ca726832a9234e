// What the workers are called, so that a row says "gpu-1" and not the end of an id. Asked for once, and again when one is met that
// nobody knew, at most each half minute.
import { signal } from "@preact/signals";
import { call } from "./client.ts";
import { may } from "./session.ts";

const names = signal<ReadonlyMap<string, string>>(new Map());
let asked = -Infinity;

function ask(): void {
  if (!may("queues:read") || performance.now() - asked < 30_000) return;
  asked = performance.now();
  void call("list_workers").then((found) => { names.value = new Map(found.workers.map((one) => [one.worker_id, one.name])); }, () => undefined);
}

/** Its name, or the end of its id as long as that is all that is known. */
export function workerName(id: string): string {
  const known = names.value.get(id);
  if (known === undefined) queueMicrotask(ask);
  return known || id.slice(-6);
}
