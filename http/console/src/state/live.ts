// One stream of events for all tabs of a browser: the tab that holds the lock reads it and tells the others. Paused and hidden
// tabs ask for nothing. What was missed is replayed from the last id, or everything is read anew when the server says `reset`.
import { effect, signal } from "@preact/signals";
import { EventReader, type LiveEvent } from "../rules/events.ts";
import { choices } from "./choices.ts";
import { serverNow } from "./clock.ts";
import { prefix, sessionIsOver, unreachableSince } from "./client.ts";
import { may, phase, who } from "./session.ts";

export type LiveState = "live" | "paused" | "connecting" | "reconnecting" | "off";
export const state = signal<LiveState>("connecting");
export const since = signal<number>(serverNow());
/** Rises when everything has to be read again: a gap, a return, a refresh by hand. */
export const generation = signal(0);

type Watcher = (events: readonly LiveEvent[]) => void;
const watchers = new Set<Watcher>();
const channel = new BroadcastChannel(`quell.live${prefix}`);
let lastId = "", wasLive = false, stopReading: AbortController | null = null, held: LiveEvent[] = [], timer = 0;

const batch = 250, hiddenPatience = 60_000;

export function watch(watcher: Watcher): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export function refresh(): void { generation.value += 1; }

function setState(next: LiveState): void {
  if (state.value !== next) since.value = serverNow();
  state.value = next;
}

function tell(events: LiveEvent[]): void {
  if (choices.value.live) for (const watcher of watchers) watcher(events);
}

function flush(): void {
  timer = 0;
  const events = held;
  held = [];
  channel.postMessage({ kind: "events", events, lastId });
  tell(events);
}

function take(event: LiveEvent): void {
  if (event.id) lastId = event.id;
  if (event.type === "reset") { channel.postMessage({ kind: "reset" }); refresh(); return; }
  if (event.type === "system.draining" || event.type === "unauthenticated") return;
  held.push(event);
  if (!timer) timer = window.setTimeout(flush, batch);
}

function announce(next: LiveState): void {
  setState(next);
  channel.postMessage({ kind: "state", state: next });
}

/** Aborted with `stop`, and when the machine loses its network: a stream that is cut so would not notice for minutes. */
function whileOnline(stop: AbortSignal): AbortSignal {
  const cut = new AbortController();
  const end = (): void => cut.abort();
  stop.addEventListener("abort", end, { once: true });
  addEventListener("offline", end, { once: true });
  return cut.signal;
}

async function readOnce(stop: AbortSignal): Promise<boolean> {
  const headers: Record<string, string> = { Accept: "text/event-stream" };
  if (lastId) headers["Last-Event-ID"] = lastId;
  const reply = await fetch(`${prefix}/api/v1/events`, { headers, signal: whileOnline(stop), credentials: "same-origin", cache: "no-store" });
  if (reply.status === 401) { sessionIsOver.value = true; return false; }
  if (reply.status === 403) { announce("off"); return false; }
  if (!reply.ok || !reply.body) throw new Error(`events: ${reply.status}`);
  unreachableSince.value = null;
  // Without a place to go on from nothing can be replayed: what is shown is read anew.
  if (wasLive && !lastId) { channel.postMessage({ kind: "reset" }); refresh(); }
  wasLive = true;
  announce("live");
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader(), events = new EventReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return true;
    for (const event of events.push(value)) take(event);
  }
}

function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((go) => {
    const wake = window.setTimeout(go, ms);
    stop.addEventListener("abort", () => { clearTimeout(wake); go(); }, { once: true });
    addEventListener("online", () => go(), { once: true });
  });
}

async function lead(stop: AbortSignal): Promise<void> {
  let wait = 500;
  while (!stop.aborted) {
    try {
      if (!await readOnce(stop)) {
        if (state.value === "off") return;
        await pause(1000, stop);
        continue;
      }
      wait = 500;
    } catch {
      if (stop.aborted) return;
    }
    announce("reconnecting");
    await pause(wait, stop);
    wait = Math.min(wait * 2, 8000);
  }
}

function stopLeading(): void {
  stopReading?.abort();
  stopReading = null;
}

function startLeading(): void {
  if (stopReading) return;
  const own = stopReading = new AbortController();
  if (state.value === "paused") setState("connecting");
  const run = async (): Promise<void> => { if (!own.signal.aborted) await lead(own.signal); };
  // Waits here for as long as another tab reads; a browser without locks reads in each tab.
  if (navigator.locks) navigator.locks.request(`quell.live${prefix}`, { signal: own.signal }, run).catch(() => undefined);
  else void run();
  channel.postMessage({ kind: "ask" });
}

interface Told { kind: "events" | "state" | "reset" | "ask"; events?: LiveEvent[]; lastId?: string; state?: LiveState }

function hear({ data }: MessageEvent<Told>): void {
  if (data.kind === "events") { lastId = data.lastId ?? lastId; tell(data.events ?? []); }
  if (data.kind === "state" && data.state && choices.value.live) setState(data.state);
  if (data.kind === "reset") refresh();
  if (data.kind === "ask" && (state.value === "live" || state.value === "off") && stopReading) channel.postMessage({ kind: "state", state: state.value });
}

export function beginLive(): void {
  channel.addEventListener("message", hear);
  let hidden = 0, wasAway = false;
  effect(() => {
    if (phase.value !== "in" || sessionIsOver.value) return stopLeading();
    if (!choices.value.live) { stopLeading(); return setState("paused"); }
    if (!may("events:read") || who.value?.project) return setState("off");
    if (document.visibilityState === "visible") startLeading();
  });
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hidden);
    if (document.visibilityState === "hidden") {
      hidden = window.setTimeout(() => { wasAway = true; stopLeading(); }, hiddenPatience);
    } else if (choices.value.live && phase.value === "in") {
      startLeading();
      // Followers heard nothing either while every tab was hidden; what is shown is read anew once.
      if (wasAway) refresh();
      wasAway = false;
    }
  });
}
