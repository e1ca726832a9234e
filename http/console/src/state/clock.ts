// The server's time, as far as its answers tell: a browser's clock may be hours off, and ages and "newer than" are of the server's.
import { signal } from "@preact/signals";
import { offsetFrom } from "../rules/clock.ts";

const offset = signal(0);

export function learnTime(date: string | null, sent: number): void { offset.value = offsetFrom(date, sent, Date.now(), offset.peek()); }

/** Whoever draws by it is drawn again when the difference is learned. */
export const serverNow = (): number => Date.now() + offset.value;
