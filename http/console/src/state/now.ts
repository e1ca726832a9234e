// The time that ages and spans are reckoned from; it moves once a second, and stands still in a hidden tab.
import { signal } from "@preact/signals";

export const now = signal(Date.now());
setInterval(() => { if (document.visibilityState === "visible") now.value = Date.now(); }, 1000);
