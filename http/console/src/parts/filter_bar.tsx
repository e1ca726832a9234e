// The filter: chips of what holds, a field with suggestions for what is added. The URL keeps it.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { parse, suggestions, termText, type Term } from "../rules/filter.ts";
import { Icon } from "./icons.tsx";
import { Card, Empty, Link } from "./kit.tsx";
import { t } from "../state/words.ts";

/** In place of what would be found by the rest of the filter, which is more than was meant. */
export function NotUnderstood({ to, all }: { to: string; all: string }): JSX.Element {
  return <Card><Empty icon="trace" title={t("This filter cannot be understood")}><p>{t("Mend it, or take it away; nothing is shown by a part of it.")}</p><Link to={to} class="btn">{all}</Link></Empty></Card>;
}

export function FilterBar({ terms, known, onChange, hint = "queue:default  kind:llm  created>-2h" }: { hint?: string; terms: Term[]; known: Record<string, string[]>; onChange: (terms: Term[]) => void }): JSX.Element {
  const [draft, setDraft] = useState(""), [faults, setFaults] = useState<string[]>([]), [at, setAt] = useState(-1), [open, setOpen] = useState(false);
  const word = draft.slice(draft.lastIndexOf(" ") + 1);
  const offered = open ? suggestions(word, known) : [];
  const add = (text: string): void => {
    const found = parse(text, Date.now());
    setFaults(found.faults);
    if (found.faults.length > 0) return;
    setDraft("");
    setAt(-1);
    // What is typed again of a field stands for what its chip said.
    onChange([...terms.filter((old) => !found.terms.some((one) => one.field === old.field && one.op === old.op)), ...found.terms]);
  };
  const take = (text: string): void => {
    const next = draft.slice(0, draft.lastIndexOf(" ") + 1) + text;
    if (/[:<>]$/.test(text)) { setDraft(next); setAt(-1); } else add(next);
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key === "ArrowDown" && offered.length > 0) setAt((at + 1) % offered.length);
    else if (event.key === "ArrowUp" && offered.length > 0) setAt((at + offered.length) % offered.length);
    else if (event.key === "Enter") { const chosen = offered[at]; if (chosen) take(chosen.text); else if (draft.trim()) add(draft); }
    else if (event.key === "Tab" && at >= 0 && offered[at]) take(offered[at].text);
    else if (event.key === "Backspace" && draft === "" && terms.length > 0) onChange(terms.slice(0, -1));
    else if (event.key === "Escape") { event.stopPropagation(); if (open && offered.length > 0 && draft) { setOpen(false); } else (event.currentTarget as HTMLElement).blur(); return; }
    else return;
    event.preventDefault();
  };
  return (
    <>
      <div class="chips">
        <Icon name="trace" />
        {terms.map((term) => <span key={termText(term)} class="chip">{termText(term)}<button type="button" aria-label={`Remove the filter ${termText(term)}`} onClick={() => onChange(terms.filter((one) => one !== term))}><Icon name="close" /></button></span>)}
        <div class="anchor">
          <input id="filter" role="combobox" aria-label={t("Add a filter")} aria-expanded={offered.length > 0} aria-controls="filter-list" aria-autocomplete="list" aria-activedescendant={at >= 0 ? `filter-${at}` : undefined} aria-describedby={faults.length > 0 ? "filter-fault" : undefined} aria-invalid={faults.length > 0}
            placeholder={terms.length === 0 ? hint : "add a filter…"} autocomplete="off" spellcheck={false} value={draft}
            onFocus={() => setOpen(true)} onBlur={() => { setOpen(false); setAt(-1); }} onKeyDown={key} onInput={(event) => { setDraft(event.currentTarget.value); setOpen(true); setFaults([]); setAt(-1); }} />
          <ul id="filter-list" role="listbox" aria-label={t("Suggestions")} class="pop" hidden={offered.length === 0} style={{ top: "calc(100% + 6px)", left: 0 }}>
            {offered.map((one, i) => <li key={one.text} id={`filter-${i}`} role="option" aria-selected={i === at} class="row option" onPointerDown={(event) => { event.preventDefault(); take(one.text); }}><code>{one.text}</code><small class="faint">{one.hint}</small></li>)}
          </ul>
        </div>
        {terms.length > 0 && <button type="button" class="btn ghost small" onClick={() => { setFaults([]); onChange([]); }}>{t("Clear")}</button>}
      </div>
      {faults.length > 0 && <p id="filter-fault" class="danger-text small" role="alert" style={{ flexBasis: "100%" }}>{faults.join(" ")}</p>}
    </>
  );
}
