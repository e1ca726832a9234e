// The server's time that ages and spans are reckoned from; it moves once a second, and stands still in a hidden tab.
import { effect, signal } from "@preact/signals";
import { serverNow } from "./clock.ts";

export const now = signal(serverNow());
effect(() => { now.value = serverNow(); });
setInterval(() => { if (document.visibilityState === "visible") now.value = serverNow(); }, 1000);
