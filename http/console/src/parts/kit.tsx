// The small parts that every page is made of.
import type { ComponentChildren, ComponentProps, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { JobStatus, Problem } from "../api.ts";
import { linkTo, type PageName } from "../rules/links.ts";
import { exact, relative, span } from "../rules/times.ts";
import { choices } from "../state/choices.ts";
import { go, href } from "../state/place.ts";
import { note } from "../state/says.ts";
import { now } from "../state/now.ts";
import { Icon, StateIcon } from "./icons.tsx";
import { t } from "../state/words.ts";

const looks: Record<JobStatus, string> = {
  scheduled: "wait", queued: "wait", running: "run", succeeded: "ok", failed: "bad", cancelled: "wait", pending_delete: "del", delete_failed: "bad",
};
const titles: Partial<Record<JobStatus, string>> = { pending_delete: "being deleted", delete_failed: "delete failed" };
export const statusTitle = (status: JobStatus): string => t(titles[status] ?? status);

export function Status({ status, gone = false }: { status: JobStatus; gone?: boolean }): JSX.Element {
  if (gone) return <span class="st del"><StateIcon name="pending_delete" />{t("deleted")}</span>;
  return <span class={`st ${looks[status]}`}><StateIcon name={status} />{statusTitle(status)}</span>;
}

/** A link inside the console; modified clicks open a tab as everywhere. */
export function Link({ to, children, onClick: also, ...rest }: { to: string; children: ComponentChildren; onClick?: () => void } & Omit<ComponentProps<"a">, "href" | "role" | "onClick">): JSX.Element {
  const onClick = (event: MouseEvent): void => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    also?.();
    go(to);
  };
  return <a {...rest} href={href(to)} onClick={onClick}>{children}</a>;
}

export function Time({ at, plain = false }: { at: string | null | undefined; plain?: boolean }): JSX.Element | null {
  if (!at) return null;
  const full = exact(at, choices.value.zone);
  return <time dateTime={at} title={full}>{plain ? full : relative(Date.parse(at), now.value)}</time>;
}

/** How long it took, or takes so far. */
export function Took({ from, to }: { from: string | null | undefined; to?: string | null | undefined }): JSX.Element | null {
  if (!from) return null;
  return <span class="nowrap">{span((to ? Date.parse(to) : now.value) - Date.parse(from))}</span>;
}

export const shortId = (id: string): string => `${id.slice(0, 8)}…${id.slice(-6)}`;

export async function copyText(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Over plain HTTP browsers give pages no clipboard; what is selected can still be copied.
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  note(`${what} copied`);
}

export function Copy({ text, what }: { text: string; what: string }): JSX.Element {
  return <button type="button" class="icon-btn" title={`Copy ${what}`} aria-label={`Copy ${what}`} onClick={() => void copyText(text, what)}><Icon name="copy" /></button>;
}

export function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** What is said behind the title: without the title again, which some details begin with. */
const further = ({ title, detail }: Problem): string => (detail?.startsWith(title) ? detail.slice(title.length) : detail ?? "").trim();

export function Trouble({ problem, again }: { problem: Problem; again?: () => void }): JSX.Element {
  return (
    <div class="alert bad" role="alert">
      <Icon name="warn" />
      <div>
        <p><b>{problem.title}</b></p>
        {further(problem) && <p>{further(problem)}</p>}
        {problem.errors?.map((one) => <p key={one.pointer}><code>{one.pointer}</code> {one.detail}</p>)}
        {problem.scope && <p>{t("The scope it needs:")}{" "}<code>{problem.scope}</code>{t(". Ask an administrator for a token with it.")}</p>}
        {problem.request_id && <p class="small">{t("Request")}{" "}<code>{problem.request_id}</code> <button type="button" class="btn ghost small" onClick={() => void copyText(problem.request_id ?? "", "Request id")}>{t("Copy")}</button></p>}
      </div>
      {again && <button type="button" class="btn small" onClick={again}>{t("Try again")}</button>}
    </div>
  );
}

export function Empty({ icon, title, children }: { icon: string; title: string; children?: ComponentChildren }): JSX.Element {
  return <div class="empty"><Icon name={icon} /><h2>{title}</h2>{children}</div>;
}

export function Skeleton({ rows = 6 }: { rows?: number }): JSX.Element {
  return <div class="body stack" aria-busy="true" aria-label={t("Loading")}>{Array.from({ length: rows }, (_, i) => <div key={i} class="skeleton" style={{ width: `${92 - (i * 17) % 40}%` }} />)}</div>;
}

/** What is there, what went wrong, or that it is on its way: never an empty hole. */
/** What was read; a server that is away says the banner, once for all that is still shown. */
export function Shown<T>({ of, rows, children }: { of: { data: T | null; problem: Problem | null; slow: boolean; reload: () => void }; rows?: number; children: (data: T) => ComponentChildren }): JSX.Element | null {
  return (
    <>
      {of.problem && !(of.data !== null && of.problem.code === "unreachable") && <div class="body"><Trouble problem={of.problem} again={of.reload} /></div>}
      {of.data !== null ? children(of.data) : !of.problem && of.slow ? <Skeleton {...(rows === undefined ? {} : { rows })} /> : null}
    </>
  );
}

export function Back({ to, title }: { to: PageName; title: string }): JSX.Element {
  return <p class="small"><Link to={linkTo(to)}><span aria-hidden="true">‹ </span>{title}</Link></p>;
}

export function Card({ title, aside, children, level: _level }: { title?: ComponentChildren; aside?: ComponentChildren; children: ComponentChildren; level?: number }): JSX.Element {
  return <section class="card">{title !== undefined && <header><h2>{title}</h2>{aside}</header>}{children}</section>;
}

export function Head({ title, sub, children }: { title: string; sub?: ComponentChildren; children?: ComponentChildren }): JSX.Element {
  useEffect(() => { document.title = `${title} · quell`; }, [title]);
  return <div class="head"><h1 tabIndex={-1}>{title}</h1>{sub && <span class="sub">{sub}</span>}<span class="grow" />{children}</div>;
}

export function Bar({ part, label, fill = false }: { part: number; label: string; fill?: boolean }): JSX.Element {
  const percent = Math.round(Math.min(1, Math.max(0, part)) * 100);
  return <span class={`bar${fill ? " fill" : ""}`} role="progressbar" aria-label={label} aria-valuenow={percent} aria-valuemin={0} aria-valuemax={100}><i style={{ width: `${percent}%` }} /></span>;
}

export function Code({ value, what }: { value: unknown; what: string }): JSX.Element {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2) ?? "";
  return <div class="copy-line"><pre class="code" tabIndex={0} aria-label={what}>{text}</pre><Copy text={text} what={what} /></div>;
}

/** A button with a small sheet under it that closes on Escape, on a click elsewhere, and when the focus goes. */
export function Menu({ label, icon, children, right = false, kind = "ghost" }: { label: string; icon?: string; children: (close: () => void) => ComponentChildren; right?: boolean; kind?: string }): JSX.Element {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const away = (event: Event): void => { if (!box.current?.contains(event.target as Node)) setOpen(false); };
    document.addEventListener("pointerdown", away);
    document.addEventListener("focusin", away);
    return () => { document.removeEventListener("pointerdown", away); document.removeEventListener("focusin", away); };
  }, [open]);
  const close = (): void => { setOpen(false); box.current?.querySelector("button")?.focus(); };
  return (
    <div class="anchor" ref={box} onKeyDown={(event) => { if (event.key === "Escape" && open) { event.stopPropagation(); close(); } }}>
      <button type="button" class={`btn ${kind}`} aria-expanded={open} onClick={() => setOpen(!open)}>{icon && <Icon name={icon} />}{label}</button>
      {open && <div class="pop" style={right ? { right: 0, top: "calc(100% + 4px)" } : { left: 0, top: "calc(100% + 4px)" }}>{children(close)}</div>}
    </div>
  );
}

export function Toggle<T extends string>({ name, value, options, onChange }: { name: string; value: T; options: Array<[T, string]>; onChange: (value: T) => void }): JSX.Element {
  return (
    <div class="seg" role="radiogroup" aria-label={name}>
      {options.map(([key, title]) => <label key={key}><input type="radio" name={name} checked={key === value} onChange={() => onChange(key)} />{title}</label>)}
    </div>
  );
}
