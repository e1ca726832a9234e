// Everything by its name: pages, acts that have a key, saved views, a job by its id.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { isId, linkTo } from "../rules/links.ts";
import { choices, choose } from "../state/choices.ts";
import { allKeys } from "../state/keys.ts";
import { go } from "../state/place.ts";
import { t } from "../state/words.ts";

interface Entry { title: string; hint: string; run: () => void }

function entries(text: string): Entry[] {
  const wanted = text.trim().toLowerCase();
  const known: Entry[] = [
    ...(isId(wanted) ? [{ title: `Where did job ${wanted} go?`, hint: "trace", run: () => go(linkTo("trace", null, { id: wanted })) }] : []),
    ...allKeys().filter((key) => key.keys !== "Ctrl+k" && !key.group.startsWith("List")).map((key) => ({ title: key.group === "Go to" ? `Go to ${key.title}` : key.title, hint: key.keys, run: key.run })),
    ...choices.value.views.map((view) => ({ title: `View: ${view.name}`, hint: "saved view", run: () => go(`/jobs${view.search}`) })),
    ...(["light", "dark", "contrast", "system"] as const).map((theme) => ({ title: `Theme: ${theme}`, hint: "", run: () => choose({ theme }) })),
    ...(["running", "queued", "failed", "succeeded"] as const).map((status) => ({ title: `Jobs that are ${status}`, hint: "", run: () => go(linkTo("jobs", null, { status })) })),
  ];
  const found = known.filter((entry) => wanted.split(/\s+/).every((word) => entry.title.toLowerCase().includes(word)));
  if (/[:<>]/.test(wanted)) found.unshift({ title: `Jobs with ${text.trim()}`, hint: "filter", run: () => go(linkTo("jobs", null, { q: text.trim() })) });
  return found.slice(0, 12);
}

export function Palette({ onClose }: { onClose: () => void }): JSX.Element {
  const box = useRef<HTMLDialogElement>(null), [text, setText] = useState(""), [at, setAt] = useState(0);
  useEffect(() => {
    const dialog = box.current, before = document.activeElement as HTMLElement | null;
    dialog?.showModal();
    const cancel = (event: Event): void => { event.preventDefault(); onClose(); };
    dialog?.addEventListener("cancel", cancel);
    return () => { dialog?.close(); if (before?.isConnected) before.focus(); };
  }, []);
  const found = entries(text), chosen = Math.min(at, found.length - 1);
  const run = (entry: Entry | undefined): void => { if (!entry) return; onClose(); queueMicrotask(entry.run); };
  const key = (event: KeyboardEvent): void => {
    event.stopPropagation();
    if (event.key === "ArrowDown") setAt((chosen + 1) % Math.max(1, found.length));
    else if (event.key === "ArrowUp") setAt((chosen + found.length - 1) % Math.max(1, found.length));
    else if (event.key === "Enter") run(found[chosen]);
    else return;
    event.preventDefault();
  };
  return (
    <dialog ref={box} class="palette" aria-label={t("Commands")} onKeyDown={key} onClick={(event) => { if (event.target === box.current) onClose(); }}>
      <input role="combobox" aria-expanded="true" aria-controls="palette-list" aria-activedescendant={found[chosen] ? `palette-${chosen}` : undefined} aria-label={t("Command, page, view, filter or job id")} placeholder={t("Go to, filter, or paste a job id")} value={text} autocomplete="off" spellcheck={false} onInput={(event) => { setText(event.currentTarget.value); setAt(0); }} />
      <ul id="palette-list" role="listbox" aria-label={t("Commands")}>
        {found.map((entry, i) => <li key={entry.title} id={`palette-${i}`} role="option" aria-selected={i === chosen} onMouseMove={() => setAt(i)} onClick={() => run(entry)}>{entry.title}<small>{entry.hint}</small></li>)}
        {found.length === 0 && <li role="option" aria-selected="false" aria-disabled="true" class="muted">{t("Nothing by that name.")}</li>}
      </ul>
    </dialog>
  );
}
