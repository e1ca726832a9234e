// Begins here: who is it, where are we, what is live.
import { Component, render, type ComponentChildren, type JSX } from "preact";
import "preact/hooks";
import "@preact/signals";
import { Icon, Mark } from "./parts/icons.tsx";
import { Card, copyText, Empty, Head, Link } from "./parts/kit.tsx";
import { Login } from "./parts/login.tsx";
import { Shell } from "./parts/shell.tsx";
import { Alerts } from "./pages/alerts.tsx";
import { Archive, CopyPage } from "./pages/archive.tsx";
import { Audit } from "./pages/audit.tsx";
import { Backups } from "./pages/backups.tsx";
import { Deletion, Deletions } from "./pages/deletions.tsx";
import { Job } from "./pages/job.tsx";
import { Jobs } from "./pages/jobs.tsx";
import { OperationPage, Operations } from "./pages/operations.tsx";
import { Overview } from "./pages/overview.tsx";
import { Pools } from "./pages/pools.tsx";
import { Queues } from "./pages/queues.tsx";
import { SchedulePage, Schedules } from "./pages/schedules.tsx";
import { Settings } from "./pages/settings.tsx";
import { Snapshots } from "./pages/snapshots.tsx";
import { Trace } from "./pages/trace.tsx";
import { WebhookPage, Webhooks } from "./pages/webhooks.tsx";
import type { PageName } from "./rules/links.ts";
import { beginChoices } from "./state/choices.ts";
import { resumeDeletes } from "./state/deletes.ts";
import { beginKeys } from "./state/keys.ts";
import { beginLive } from "./state/live.ts";
import { isAllowed, missing, navigation } from "./state/nav.ts";
import { place } from "./state/place.ts";
import { beginRates } from "./state/rates.ts";
import { begin, phase } from "./state/session.ts";
import { beginWords, t } from "./state/words.ts";

function Missing(): JSX.Element {
  return <><Head title={t("No such page")} /><Card><Empty icon="trace" title={t("There is no page here")}><p>The address leads nowhere. A job’s id goes into the field at the top.</p><Link to="/" class="btn">Overview</Link></Empty></Card></>;
}

function NotAllowed({ page }: { page: string }): JSX.Element {
  const row = navigation.flatMap((group) => group.rows).find((one) => one.page === page);
  return <><Head title={t(row?.title ?? page)} /><Card><Empty icon="info" title={t("Not for this token")}><p>{row && missing(row)} {t("An administrator makes tokens with more scopes.")}</p></Empty></Card></>;
}

const lists: Record<PageName, () => JSX.Element> = { overview: Overview, jobs: Jobs, queues: Queues, pools: Pools, schedules: Schedules, archive: Archive, deletions: Deletions, operations: Operations, trace: Trace, backups: Backups, snapshots: Snapshots, webhooks: Webhooks, alerts: Alerts, audit: Audit, settings: Settings };
const ones: Record<string, (props: { id: string }) => JSX.Element> = { jobs: Job, deletions: Deletion, webhooks: WebhookPage, operations: OperationPage, schedules: SchedulePage, archive: CopyPage };

function Page(): JSX.Element {
  const { page, id } = place.value, List = page in lists ? lists[page as PageName] : undefined, One = ones[page];
  if (!List || (id !== null && !One)) return <Missing />;
  if (!isAllowed(page)) return <NotAllowed page={page} />;
  return id !== null && One ? <One key={id} id={id} /> : <List />;
}

/** A fault of the console's own: it is said, and nothing that was under way in the server is lost. */
class Guard extends Component<{ children: ComponentChildren; at: string }, { fault: Error | null; at: string }> {
  override state = { fault: null as Error | null, at: "" };
  static getDerivedStateFromError(fault: Error): { fault: Error } { return { fault }; }
  override componentDidUpdate(before: { at: string }): void { if (this.state.fault && before.at !== this.props.at) this.setState({ fault: null }); }
  render(): ComponentChildren {
    const { fault } = this.state;
    if (!fault) return this.props.children;
    return <><Head title="The console failed" /><div class="alert bad" role="alert"><Icon name="warn" /><div><p><b>{fault.message}</b></p><p>It is a fault of this page, not of the server: what was asked for goes on there.</p></div><button type="button" class="btn small" onClick={() => void copyText(fault.stack ?? fault.message, "Report")}>Copy a report</button><button type="button" class="btn small" onClick={() => location.reload()}>Load again</button></div></>;
  }
}

function App(): JSX.Element {
  if (phase.value === "starting") return <div aria-busy="true" />;
  if (phase.value === "unreachable") return <main class="bare"><div class="brand"><Mark /><span>quell</span></div><h1>The server cannot be reached</h1><p class="muted">It is asked again every two seconds. Jobs and deletes go on without this page.</p></main>;
  if (phase.value === "out") return <Login />;
  const at = `${place.value.page} ${place.value.id}`;
  return <Shell><Guard at={at}><Page /></Guard></Shell>;
}

beginChoices();
beginWords();
beginKeys();
beginLive();
beginRates();
const root = document.getElementById("console");
if (root) render(<App />, root);
void begin().then(resumeDeletes);
