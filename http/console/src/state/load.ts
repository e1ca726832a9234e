// What a page shows of the server: read when it opens, again when events say that it changed, never while live is paused.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Problem } from "../api.ts";
import type { LiveEvent } from "../rules/events.ts";
import { choices } from "./choices.ts";
import { serverNow } from "./clock.ts";
import { problemFrom } from "./client.ts";
import { generation, watch } from "./live.ts";

export interface Loaded<T> { data: T | null; problem: Problem | null; slow: boolean; at: number; reload: () => void; set: (change: (old: T) => T) => void }

const patience = 300, calm = 1000;

/** `when`: which events make it be read again, at most once a second. */
export function useLoad<T>(read: (signal: AbortSignal) => Promise<T>, key: string, when?: (event: LiveEvent) => boolean): Loaded<T> {
  const [view, setView] = useState<{ key: string; data: T | null; problem: Problem | null; at: number }>({ key: "", data: null, problem: null, at: 0 });
  const [slow, setSlow] = useState(false);
  const [turn, setTurn] = useState(0);
  const latest = useRef(read);
  latest.current = read;
  const wanted = useRef(when);
  wanted.current = when;
  const round = generation.value;

  useEffect(() => {
    const stop = new AbortController();
    const waiting = window.setTimeout(() => setSlow(true), patience);
    latest.current(stop.signal).then(
      (data) => { if (!stop.signal.aborted) setView({ key, data, problem: null, at: serverNow() }); },
      (fault: unknown) => { if (!stop.signal.aborted) setView((old) => ({ key, data: old.key === key ? old.data : null, problem: problemFrom(fault), at: serverNow() })); },
    ).finally(() => { clearTimeout(waiting); if (!stop.signal.aborted) setSlow(false); });
    return () => { stop.abort(); clearTimeout(waiting); };
  }, [key, turn, round]);

  useEffect(() => {
    let due = 0;
    const forget = watch((events) => {
      const concerns = wanted.current;
      if (due || !concerns || !events.some(concerns)) return;
      due = window.setTimeout(() => { due = 0; setTurn((n) => n + 1); }, calm);
    });
    return () => { forget(); clearTimeout(due); };
  }, []);

  const isOld = view.key !== key;
  return {
    data: isOld ? null : view.data, problem: isOld ? null : view.problem, slow, at: view.at,
    reload: () => setTurn((n) => n + 1),
    set: (change) => setView((old) => old.data === null ? old : { ...old, data: change(old.data) }),
  };
}

/** For what no event tells: reads again each so many seconds, never while live is paused or the tab is hidden. */
export function useTurns(reload: () => void, seconds: number): void {
  const latest = useRef(reload), live = choices.value.live;
  latest.current = reload;
  useEffect(() => {
    if (!live) return;
    const timer = setInterval(() => { if (!document.hidden) latest.current(); }, 1000 * seconds);
    return () => clearInterval(timer);
  }, [seconds, live]);
}
