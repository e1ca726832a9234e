// A dialog that keeps the focus inside and gives it back. What destroys asks as an alertdialog, with the focus on what does nothing.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { problemFrom } from "../state/client.ts";
import { Icon } from "./icons.tsx";
import { Trouble } from "./kit.tsx";
import type { Problem } from "../api.ts";
import { t } from "../state/words.ts";

// A key that is held down goes on pressing; what it opened must not be answered by it.
const isPress = (event: KeyboardEvent): boolean => (event.key === "Enter" || event.key === " ") && event.target instanceof HTMLButtonElement;

export function Dialog({ title, alert = false, wide = false, onClose, children, foot, describedBy, long = false, stays = false }: {
  title: string; alert?: boolean; wide?: boolean; onClose: () => void; children: ComponentChildren; foot?: ComponentChildren; describedBy?: string; long?: boolean;
  /** Nothing closes it but its own end. */
  stays?: boolean;
}): JSX.Element {
  const box = useRef<HTMLDialogElement>(null), id = useId();
  const close = useRef(onClose);
  close.current = onClose;
  useEffect(() => {
    const dialog = box.current, before = document.activeElement as HTMLElement | null;
    if (!dialog) return;
    dialog.showModal();
    dialog.querySelector<HTMLElement>("[data-first]")?.focus();
    const cancel = (event: Event): void => { event.preventDefault(); close.current(); };
    // A second Escape closes a dialog without asking: one that must stay comes back, another one is told.
    const closed = (): void => { if (!stays) return close.current(); dialog.showModal(); dialog.querySelector<HTMLElement>("[data-first]")?.focus(); };
    dialog.addEventListener("cancel", cancel);
    dialog.addEventListener("close", closed);
    return () => {
      dialog.removeEventListener("cancel", cancel);
      dialog.removeEventListener("close", closed);
      dialog.close();
      if (before?.isConnected) before.focus(); else document.querySelector<HTMLElement>("main h1")?.focus();
    };
  }, []);
  return (
    <dialog ref={box} class={wide ? "wide" : ""} role={alert ? "alertdialog" : undefined} aria-labelledby={id} aria-describedby={describedBy} onKeyDown={(event) => { event.stopPropagation(); if (event.key === "Escape" ? stays : event.repeat && isPress(event)) event.preventDefault(); }}>
      <div class="dialog-head"><h2 id={id}>{title}</h2>{!stays && <button type="button" class="icon-btn" aria-label={t("Close")} onClick={() => onClose()}><Icon name="close" /></button>}</div>
      <div class="dialog-body" {...(long ? { tabIndex: 0, role: "region", "aria-labelledby": id } : {})}>{children}</div>
      {foot && <div class="dialog-foot">{foot}</div>}
    </dialog>
  );
}

/** For acts that are one call: asks, calls, says what went wrong, closes when it is done. */
export function Confirm({ title, children, act, run, danger = false, onClose, reason = false }: {
  title: string; children: ComponentChildren; act: string; run: (reason: string) => Promise<unknown>; danger?: boolean; onClose: () => void; reason?: boolean;
}): JSX.Element {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [why, setWhy] = useState("");
  const go = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try { await run(why); onClose(); } catch (fault) { setProblem(problemFrom(fault)); setBusy(false); }
  };
  return (
    <Dialog title={title} alert={danger} onClose={onClose} foot={<>
      <span class="grow" />
      <button type="button" class="btn" data-first onClick={onClose}>{t("Cancel")}</button>
      <button type="button" class={`btn ${danger ? "danger" : "primary"}`} disabled={busy} onClick={() => void go()}>{busy ? "Working…" : act}</button>
    </>}>
      <div class="muted">{children}</div>
      {reason && <label class="field"><span>{t("Reason (kept in the audit log)")}</span><input class="input" value={why} maxLength={1024} onInput={(event) => setWhy(event.currentTarget.value)} /></label>}
      {problem && <Trouble problem={problem} />}
    </Dialog>
  );
}
