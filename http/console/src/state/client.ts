// Every call to the API. Types come from its own description; faults come as problems with a sentence.
import { signal } from "@preact/signals";
import { routes, type Problem, type Routes } from "../api.ts";
import { learnTime, serverNow } from "./clock.ts";
import { exactJson } from "../rules/exact_json.ts";

export const prefix = document.querySelector<HTMLMetaElement>('meta[name="quell-prefix"]')?.content ?? "";

export class Fault extends Error {
  readonly status: number;
  readonly problem: Problem;
  constructor(status: number, problem: Problem) {
    super(problem.detail ?? problem.title);
    this.status = status;
    this.problem = problem;
  }
  get code(): string { return this.problem.code; }
}

// The server answered nothing at all.
export const isUnreachable = (fault: unknown): boolean => fault instanceof Fault && fault.status === 0;

/** Set while the server cannot be reached: since when. */
export const unreachableSince = signal<number | null>(null);
/** Set while a session is over and somebody has to show a token again; calls wait for it. */
export const sessionIsOver = signal(false);

let waitingForLogin: Array<(goesOn: boolean) => void> = [];
let hadSession = false;

function letGo(goesOn: boolean): void {
  sessionIsOver.value = false;
  const waiting = waitingForLogin;
  waitingForLogin = [];
  for (const go of waiting) go(goesOn);
}

export function sessionBegan(): void {
  hadSession = true;
  letGo(true);
}

/** What waited for a login is not sent: whoever logs in next is somebody else. */
export function sessionEnded(): void {
  hadSession = false;
  letGo(false);
}

export interface Ask {
  params?: string[]; query?: Record<string, string | number | boolean | null | undefined>; body?: unknown; text?: string; signal?: AbortSignal | undefined; ifMatch?: string;
  /** `text`: the body as it is sent, in place of `body`. `once`: the Idempotency-Key: see state/once.ts. */
  once?: string;
}

// What only looks may be asked again at will; of what changes something nobody knows whether it came before the cut.
function unanswered(method: string, url: string, ask: Ask): Fault {
  const looks = method === "GET" || url.endsWith("/delete-preview") || (ask.body as { validate_only?: boolean } | undefined)?.validate_only === true;
  if (!looks) return new Fault(0, { type: "about:blank", title: "No answer came.", status: 0, code: "unanswered", retryable: true, detail: "No answer came. It may have been done." });
  return new Fault(0, { type: "about:blank", title: "The server cannot be reached.", status: 0, code: "unreachable", retryable: true, detail: "The server cannot be reached. What is shown may be old; it is asked again by itself." });
}

function address(path: string, ask: Ask): string {
  let at = 0;
  const filled = path.replace(/\{[^}]+\}/g, () => encodeURIComponent(ask.params?.[at++] ?? ""));
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(ask.query ?? {})) if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
  const text = query.toString();
  return prefix + filled + (text ? `?${text}` : "");
}

async function send(method: string, url: string, ask: Ask): Promise<Response> {
  const init: RequestInit = { method, credentials: "same-origin", cache: "no-store", headers: { Accept: "application/json, application/problem+json, */*;q=0.1" } };
  if (ask.signal) init.signal = ask.signal;
  if (method !== "GET") {
    init.headers = { ...init.headers as Record<string, string>, "Content-Type": "application/json" };
    if (ask.once) init.headers = { ...init.headers as Record<string, string>, "Idempotency-Key": ask.once };
    if (ask.ifMatch) init.headers = { ...init.headers as Record<string, string>, "If-Match": ask.ifMatch };
    init.body = ask.text ?? JSON.stringify(ask.body ?? {});
  }
  try {
    const sent = Date.now(), reply = await fetch(url, init);
    learnTime(reply.headers.get("Date"), sent);
    unreachableSince.value = null;
    return reply;
  } catch (fault) {
    if ((fault as Error).name === "AbortError") throw fault;
    unreachableSince.value ??= serverNow();
    throw unanswered(method, url, ask);
  }
}

async function problemOf(reply: Response): Promise<Fault> {
  try {
    return new Fault(reply.status, await reply.json() as Problem);
  } catch {
    return new Fault(reply.status, { type: "about:blank", title: `The server answered ${reply.status}.`, status: reply.status, code: "internal", retryable: reply.status >= 500 });
  }
}

const texts = new WeakMap<object, string>();
/** The text that a reply was read from, for what must keep its digits. */
export const textOf = (reply: object): string => texts.get(reply) ?? JSON.stringify(reply);

async function read(reply: Response): Promise<unknown> {
  const text = await reply.text();
  if (!(reply.headers.get("Content-Type") ?? "").includes("json") || !text) return text;
  const value = exactJson(text);
  if (typeof value === "object" && value !== null) texts.set(value, text);
  return value;
}

async function exchange(method: string, path: string, ask: Ask): Promise<unknown> {
  const url = address(path, ask);
  for (;;) {
    const reply = await send(method, url, ask);
    // A call that came after the session's end did nothing, so it may be made again afterwards.
    if (reply.status === 401 && hadSession && !path.endsWith("/login") && !path.endsWith("/logout")) {
      sessionIsOver.value = true;
      if (await new Promise<boolean>((go) => waitingForLogin.push(go))) continue;
      throw new Fault(401, { type: "about:blank", title: "You logged out before it was sent.", status: 401, code: "unauthenticated", retryable: false });
    }
    if (!reply.ok) throw await problemOf(reply);
    return await read(reply);
  }
}

export async function call<K extends keyof Routes>(name: K, ask: Ask = {}): Promise<Routes[K]["reply"]> {
  const [method, path] = routes[name];
  return await exchange(method, path, ask) as Routes[K]["reply"];
}

/** For what this console's build does not know yet and this server offers: see `offers`. */
export async function callOffered(method: string, path: string, ask: Ask = {}): Promise<unknown> {
  return await exchange(method, path, ask);
}

export function problemFrom(fault: unknown): Problem {
  if (fault instanceof Fault) return fault.problem;
  return { type: "about:blank", title: "The console failed.", status: 0, code: "console", retryable: false, detail: fault instanceof Error ? fault.message : String(fault) };
}
