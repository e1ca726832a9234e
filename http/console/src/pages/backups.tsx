// Backups that this server made, how the last went, and one more on demand.
import type { JSX } from "preact";
import type { Backups as Reply } from "../api.ts";
import { useState } from "preact/hooks";
import { Confirm } from "../parts/dialog.tsx";
import { Icon } from "../parts/icons.tsx";
import { Card, Empty, Head, Shown, Time, Took } from "../parts/kit.tsx";
import { bytes, counted, exact, figure, span } from "../rules/times.ts";
import { choices } from "../state/choices.ts";
import { call } from "../state/client.ts";
import { useLoad, useTurns } from "../state/load.ts";
import { note } from "../state/says.ts";
import { t } from "../state/words.ts";

function Now({ data }: { data: Reply }): JSX.Element {
  const { keep, running, last, last_failure: failure } = data, zone = choices.value.zone;
  return (
    <Card title={t("How it stands")}><div class="body stack">
      {running && <div class="alert info" role="status"><Icon name="refresh" /><div><p><b>{t("A backup is being made")}</b>{t(", since")}{" "}<Took from={running.began} />.</p><p>{figure(running.rows)}{" "}{t("rows,")}{" "}{bytes(running.bytes)}{running.table && `, now ${running.table}`}.</p></div></div>}
      {failure && (!last || failure.ended > last.ended) && <div class="alert bad"><Icon name="warn" /><div><p><b>{t("The last one failed")}</b> <Time at={failure.ended} />.</p><p>{failure.error}</p></div></div>}
      <dl class="facts"><dt>{t("Last")}</dt><dd>{last ? <>{exact(last.ended, zone)}: {counted(last.jobs, "job")}, {bytes(last.bytes)}</> : "none was made yet"}</dd>{last && <><dt>{t("Digest")}</dt><dd class="mono">{last.digest}</dd></>}
        <dt>{t("By itself")}</dt><dd>{data.every_s === 0 ? "never; only when somebody asks" : `each ${span(data.every_s * 1000)}`}</dd><dt>{t("Kept")}</dt><dd>{counted(keep.hourly, "hourly", "hourly")}, {counted(keep.daily, "daily", "daily")}, {counted(keep.weekly, "weekly", "weekly")}{" "}{t("ones")}</dd>
        <dt>{t("Secrets")}</dt><dd>{data.secrets}</dd><dt>{t("Directory")}</dt><dd class="mono">{data.dir ?? "none is set (backup_dir)"}</dd></dl>
      {data.fault && <div class="alert bad"><Icon name="warn" /><div>{data.fault}</div></div>}
    </div></Card>
  );
}

export function Backups(): JSX.Element {
  const found = useLoad((stop) => call("list_backups", { signal: stop }), "backups"), [asking, setAsking] = useState(false), running = found.data?.running != null;
  useTurns(found.reload, running ? 1 : 30);
  return (
    <>
      <Head title={t("Backups")} sub={t("what can be brought back after a loss")}>{found.data?.dir && !running && <button type="button" class="btn" onClick={() => setAsking(true)}><Icon name="plus" />{t("Back up now")}</button>}</Head>
      <Shown of={found}>{(data) => <div class="stack"><Now data={data} />
        <Card title={t("In the directory")}>{data.backups.length === 0 ? <Empty icon="backups" title={t("No backup yet")}><p>{data.dir ? "One made now, or by the clock, stands here." : "Set backup_dir, and how often one is made."}</p></Empty> : <div class="scroll"><table class="cards"><caption class="unseen">{t("Backups, newest first")}</caption>
          <thead><tr><th scope="col">{t("Name")}</th><th scope="col">{t("Moment")}</th><th scope="col" class="num">{t("Jobs")}</th><th scope="col" class="num">{t("Size")}</th><th scope="col">{t("Store")}</th><th scope="col">{t("Secrets")}</th><th scope="col">{t("State")}</th></tr></thead>
          <tbody>{[...data.backups].reverse().map((one) => <tr key={one.name}><th scope="row" class="mono"><span class="cut" style={{ maxWidth: "min(440px, 60vw)" }} title={one.name}>{one.name}</span></th><td data-label={t("Moment")} class="muted"><Time at={one.moment} /></td><td data-label={t("Jobs")} class="num">{figure(one.jobs)}</td><td data-label={t("Size")} class="num">{bytes(one.bytes)}</td><td data-label={t("Store")} class="muted">{one.store}</td><td data-label={t("Secrets")} class="muted">{one.secrets}</td><td data-label={t("State")}>{one.fault ? <span class="st bad" title={one.fault}><Icon name="warn" />{one.fault}</span> : <span class="st ok"><Icon name="check" />{one.rotates ? "whole" : "kept for ever"}</span>}</td></tr>)}</tbody></table></div>}</Card></div>}</Shown>
      {asking && <Confirm title={t("Make a backup now?")} act={t("Back up")} onClose={() => setAsking(false)} run={() => call("make_backup").then(() => { note("The backup has begun"); found.reload(); })}>{t("It is written beside the work that goes on, into the server’s directory.")}</Confirm>}
    </>
  );
}
