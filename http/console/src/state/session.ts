// Who is here and what they may do. What a token may not do is not drawn; the server refuses it as well.
import { signal } from "@preact/signals";
import type { LoggedIn, Routes, System } from "../api.ts";
import { call, callOffered, Fault, sessionBegan, sessionEnded } from "./client.ts";

export const who = signal<LoggedIn | null>(null);
export const phase = signal<"starting" | "out" | "in" | "unreachable">("starting");
export const system = signal<System | null>(null);
const offered = signal<ReadonlySet<string>>(new Set());

export const may = (scope: string): boolean => who.value?.scopes.includes(scope) ?? false;
/** Whether this server has a route by that name; a page whose routes are missing is not drawn. */
export const offers = (name: keyof Routes | (string & {})): boolean => offered.value.has(name);
export const allProjects = (): boolean => who.value?.project == null;

async function learn(): Promise<void> {
  const description = await callOffered("GET", "/openapi.json") as { paths?: Record<string, Record<string, { operationId?: string }>> };
  const names = new Set<string>();
  for (const methods of Object.values(description.paths ?? {}))
    for (const operation of Object.values(methods)) if (operation.operationId) names.add(operation.operationId);
  offered.value = names;
  if (may("system:read")) await refreshSystem();
}

export async function refreshSystem(): Promise<void> {
  system.value = await call("get_system");
}

async function enter(found: LoggedIn): Promise<void> {
  who.value = found;
  sessionBegan();
  await learn();
  phase.value = "in";
}

export async function begin(): Promise<void> {
  try {
    const found = await call("get_session");
    if (found.name === null) phase.value = "out"; else await enter({ ...found, name: found.name });
  } catch (fault) {
    phase.value = fault instanceof Fault && fault.status === 0 ? "unreachable" : "out";
    if (phase.value === "unreachable") setTimeout(() => void begin(), 2000);
  }
}

export async function login(token: string): Promise<void> {
  await enter(await call("login", { body: { token } }));
}

export async function logout(): Promise<void> {
  sessionEnded();
  try { await call("logout"); } catch { /* The session ends by itself. */ }
  who.value = null;
  system.value = null;
  phase.value = "out";
}
