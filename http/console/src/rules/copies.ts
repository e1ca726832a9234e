// What is known of copies without asking: for how many days they are kept, and how a restore ended, in words.
import type { Restored, RetentionRules } from "../api.ts";
import { figure } from "./times.ts";

/** The shortest and the longest time that a copy of a job in one of these queues is kept. `more`: there may be other queues. */
export function copyDays(rules: RetentionRules, byQueue: Record<string, RetentionRules>, queues: readonly string[], more: boolean): [number, number] {
  const days = queues.map((queue) => (byQueue[queue] ?? rules).archive_days);
  if (more || days.length === 0) days.push(rules.archive_days, ...Object.values(byQueue).map((one) => one.archive_days));
  return [Math.min(...days), Math.max(...days)];
}

export const restoreWords: Record<Restored["outcomes"][number]["outcome"], string> = {
  restored: "is back", no_copy: "has no copy any more", id_taken: "is here already", unique_conflict: "another job has its unique key", refused: "may not be run again by this token", damaged: "its copy cannot be read",
};

/** "2 jobs are back, 1 is not." */
export function restoredText(done: Pick<Restored, "restored" | "failed">): string {
  const back = done.restored === 1 ? "1 job is back" : `${figure(done.restored)} jobs are back`;
  if (done.failed === 0) return `${back}.`;
  return done.restored === 0 ? done.failed === 1 ? "It did not come back." : `None of ${figure(done.failed)} came back.` : `${back}, ${figure(done.failed)} ${done.failed === 1 ? "is" : "are"} not.`;
}
