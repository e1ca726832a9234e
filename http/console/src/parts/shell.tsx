// What is around every page: the top bar, the ways, the notes, and the dialogs that any page may open.
import { signal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Problem } from "../api.ts";
import { isId, linkTo } from "../rules/links.ts";
import { counted, span } from "../rules/times.ts";
import { steps } from "../rules/deletion.ts";
import { choices, choose, type Theme } from "../state/choices.ts";
import { call, sessionIsOver, unreachableSince } from "../state/client.ts";
import { dismiss, followed, unconfirmed } from "../state/deletes.ts";
import { bind, type Key } from "../state/keys.ts";
import { refresh, since, state } from "../state/live.ts";
import { useLoad } from "../state/load.ts";
import { allowedRows, missing, navigation } from "../state/nav.ts";
import { now } from "../state/now.ts";
import { go, href, place } from "../state/place.ts";
import { notes, spoken } from "../state/says.ts";
import { allProjects, logout, may, system, who } from "../state/session.ts";
import { asked, DeleteDialog } from "./delete_dialog.tsx";
import { Icon, Mark } from "./icons.tsx";
import { Help } from "./help.tsx";
import { figure } from "../rules/times.ts";
import { Link, Menu, shortId } from "./kit.tsx";
import { LoginAgain } from "./login.tsx";
import { Palette } from "./palette.tsx";
import { RestoreDialog, restoring } from "./restore.tsx";
import { t } from "../state/words.ts";

export const help = signal(false), palette = signal(false), menu = signal(false);

const themes: Theme[] = ["system", "light", "dark", "contrast"];
const nextTheme = (): void => choose({ theme: themes[(themes.indexOf(choices.value.theme) + 1) % themes.length] ?? "system" });

function useShellKeys(): void {
  useEffect(() => {
    const list: Key[] = [
      { keys: "?", title: "Keys", group: "Everywhere", run: () => { help.value = true; } },
      { keys: "Ctrl+k", title: "Commands", group: "Everywhere", run: () => { palette.value = true; } },
      { keys: "f", title: "Where did a job go?", group: "Everywhere", run: () => document.querySelector<HTMLInputElement>(".find input")?.focus() },
      { keys: "r", title: "Read again", group: "Everywhere", run: refresh },
      { keys: "l", title: "Live or paused", group: "Everywhere", run: () => choose({ live: !choices.value.live }) },
      { keys: "t", title: "Next theme", group: "Everywhere", run: nextTheme },
      ...allowedRows().map((row) => ({ keys: `g ${row.letter}`, title: row.title, group: "Go to", run: () => go(linkTo(row.page)) })),
    ];
    return bind(list);
  }, [who.value]);
}

function Find(): JSX.Element {
  const submit = (event: Event): void => {
    event.preventDefault();
    const input = (event.currentTarget as HTMLFormElement).elements.namedItem("find") as HTMLInputElement, text = input.value.trim();
    if (!text) return;
    input.value = "";
    input.blur();
    go(isId(text) ? linkTo("trace", null, { id: text.toLowerCase() }) : linkTo("jobs", null, { q: /[:<>]/.test(text) ? text : `kind:${text}` }));
  };
  return (
    <form class="find" role="search" onSubmit={submit}>
      <Icon name="trace" />
      <input name="find" aria-label={t("Where did a job go? Its id, or a filter")} placeholder={t("Where did job … go?")} autocomplete="off" spellcheck={false} />
      <kbd aria-hidden="true">Ctrl K</kbd>
    </form>
  );
}

const liveWords = { live: "Live", paused: "Paused", connecting: "Connecting", reconnecting: "Reconnecting", off: "Not live" };
const liveHints = {
  live: "Changes are shown as they happen. Press to pause.", paused: "Nothing is read until you ask. Press to go on.", connecting: "The stream of events is being opened.",
  reconnecting: "The stream of events broke; it is opened again by itself.", off: "This token may not follow all events; press r to read again.",
};

function Live(): JSX.Element {
  const kind = state.value;
  const text = kind === "reconnecting" ? `${t(liveWords[kind])} (${span(now.value - since.value)})` : t(liveWords[kind]);
  return <button type="button" class={`live is-${kind}`} title={t(liveHints[kind])} aria-pressed={kind !== "paused"} aria-label={`${text}. ${t(liveHints[kind])}`} onClick={() => choose({ live: !choices.value.live })}><i /><span>{text}</span></button>;
}

function GoingChips(): JSX.Element | null {
  const going = followed.value.filter((one) => one.deleteId && !one.over);
  const [first] = going;
  if (!first || asked.value) return null;
  const erased = steps(first.stages, first.receipt !== null).find((step) => step.name === "erase");
  return <Link to={linkTo("deletions", first.deleteId)} class="btn small" onClick={() => dismiss(first)}><Icon name="deletions" />{erased ? `${figure(erased.done)} of ${figure(erased.of)} erased` : "deleting…"}{going.length > 1 && ` + ${going.length - 1}`}</Link>;
}

function Top(): JSX.Element {
  const name = who.value?.name ?? "";
  return (
    <header class="top">
      <button type="button" class="icon-btn menu-btn" aria-label={t("Menu")} aria-expanded={menu.value} onClick={() => { menu.value = !menu.value; }}><Icon name="menu" /></button>
      <Link to="/" class="brand" aria-label={t("quell, overview")}><Mark /><span>{t("quell")}</span></Link>
      <Find />
      <span class="grow" />
      <GoingChips />
      <Live />
      <span class="wide-only"><button type="button" class="icon-btn" aria-label={`Theme: ${choices.value.theme}`} title={`Theme: ${choices.value.theme}`} onClick={nextTheme}><Icon name="sun" /></button></span>
      <Menu label={name.slice(0, 2).toUpperCase()} kind="who" right>
        {(close) => <>
          <h3>{name}{who.value?.project ? ` · project ${who.value.project}` : ""}</h3>
          <Link to={linkTo("settings")} onClick={close}>{t("Settings")}</Link>
          <button type="button" onClick={() => { close(); help.value = true; }}>{t("Keys")}{" "}<small><kbd>?</kbd></small></button>
          <button type="button" onClick={nextTheme}>{t("Theme")}{" "}<small>{choices.value.theme}</small></button>
          <hr />
          <button type="button" onClick={() => void logout()}>{t("Log out")}</button>
        </>}
      </Menu>
    </header>
  );
}

function Side(): JSX.Element {
  const counts = useLoad(async (stop) => {
    if (!may("jobs:read")) return { jobs: 0, failed: 0, pending: 0 };
    const found = await call("count_jobs", { query: { group_by: "status" }, signal: stop }) as { counts: Record<string, number> };
    const of = (name: string): number => found.counts[name] ?? 0;
    return { jobs: Object.values(found.counts).reduce((sum, n) => sum + n, 0), failed: of("delete_failed"), pending: of("pending_delete") };
  }, "side", (event) => event.type.startsWith("job.") && event.type !== "job.progress");
  const figures: Record<string, JSX.Element | null> = {
    jobs: counts.data ? <b>{figure(counts.data.jobs)}</b> : null,
    deletions: counts.data && counts.data.failed + counts.data.pending > 0
      ? <b class="bad" title={`${counted(counts.data.pending, "pending")}, ${counts.data.failed} failed`}>{figure(counts.data.failed + counts.data.pending)}<span class="unseen">{" "}{t("not finished")}</span></b> : null,
  };
  const here = place.value.page;
  return (
    <nav class={`side${menu.value ? " is-open" : ""}`} aria-label={t("Pages")} onClick={() => { menu.value = false; }}>
      {navigation.map((group) => {
        const rows = group.rows.filter((row) => missing(row) === null);
        return rows.length === 0 ? null : (
          <div key={group.title}>
            <h2>{t(group.title)}</h2>
            {rows.map((row) => <Link key={row.page} to={linkTo(row.page)} aria-current={here === row.page ? "page" : undefined}><Icon name={row.page} />{t(row.title)}{figures[row.page]}</Link>)}
          </div>
        );
      })}
    </nav>
  );
}

function Unconfirmed({ jobs, problem }: { jobs: string[]; problem: Problem }): JSX.Element {
  const [only = ""] = jobs, what = jobs.length === 1 ? `job ${shortId(only)}` : counted(jobs.length, "job");
  const over = (): void => { unconfirmed.value = null; };
  return <div class="banner" role="alert"><Icon name="warn" /><span><b>The delete of {what}{" "}{t("was not confirmed.")}</b> {problem.title}</span><Link to={linkTo("trace", null, { id: only })} class="btn small" onClick={over}>{t("Trace")}</Link><button type="button" class="icon-btn" aria-label={t("Close")} onClick={over}><Icon name="close" /></button></div>;
}

function Banners(): JSX.Element {
  const frozen = system.value?.deletions.frozen;
  return (
    <>
      {unconfirmed.value && <Unconfirmed {...unconfirmed.value} />}
      {unreachableSince.value !== null && <div class="banner" role="status"><Icon name="warn" /><span>{t("The server cannot be reached since")}{" "}{span(now.value - unreachableSince.value)}{t(". What you see may be old; nothing was lost.")}</span></div>}
      {frozen && <div class="banner" role="status"><Icon name="pause" /><span>{t("Deletions are frozen: the server refuses every new delete.")}</span>{may("system:write") && allProjects() && <Link to={linkTo("settings")} class="btn small">{t("Settings")}</Link>}</div>}
    </>
  );
}

export function Shell({ children }: { children: ComponentChildren }): JSX.Element {
  useShellKeys();
  const main = useRef<HTMLElement>(null);
  useEffect(() => { menu.value = false; }, [place.value.page, place.value.id]);
  return (
    <div class="app">
      <a class="skip" href={`${href(location.pathname)}#content`} onClick={(event) => { event.preventDefault(); main.current?.querySelector<HTMLElement>("h1")?.focus(); }}>{t("To the content")}</a>
      <Top />
      <Side />
      <div class="content"><Banners /><main id="content" ref={main}>{children}</main></div>
      <div class="notes">{notes.value.map((one) => <div key={one.id} class="note"><Icon name="check" />{one.text}</div>)}</div>
      <div class="unseen" role="status" aria-live="polite">{spoken.value}</div>
      {help.value && <Help onClose={() => { help.value = false; }} />}
      {palette.value && <Palette onClose={() => { palette.value = false; }} />}
      {restoring.value && <RestoreDialog wanted={restoring.value} onClose={() => { restoring.value = null; }} />}
      {asked.value && <DeleteDialog jobs={asked.value.jobs} done={asked.value.done} onClose={() => { asked.value = null; }} />}
      {sessionIsOver.value && <LoginAgain />}
    </div>
  );
}
