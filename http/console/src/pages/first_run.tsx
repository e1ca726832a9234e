// Nothing is here yet: three steps from nothing to a receipt, each of them on this page.
import type { JSX } from "preact";
import { Card, Code } from "../parts/kit.tsx";
import { linkTo } from "../rules/links.ts";
import { prefix } from "../state/client.ts";
import { go } from "../state/place.ts";
import { may } from "../state/session.ts";
import { JobForm } from "./new_job.tsx";
import { t } from "../state/words.ts";

export function FirstRun({ onAdd: _ }: { onAdd?: () => void }): JSX.Element {
  const curl = `curl -H "Authorization: Bearer $(cat admin.token)" \\\n  ${location.origin}${prefix}/api/v1/jobs \\\n  --json '{"kind":"sleep","args":{"seconds":600}}'`;
  return (
    <Card title={t("No job has been here yet")}>
      <div class="first">
        <div class="stack">
          <ol>
            <li><b>{t("Submit a job.")}</b><p class="muted">{t("The one here sleeps for ten minutes, so that there is something to stop.")}</p></li>
            <li><b>{t("Watch it run.")}</b><p class="muted">{t("It starts at once, and shows here by itself.")}</p></li>
            <li><b>{t("Delete it while it runs.")}</b><p class="muted">{t("It is stopped, its slot is back, and you get a signed receipt that says so.")}</p></li>
          </ol>
          <Code value={curl} what={t("curl line")} />
          <p class="muted">{t("From a program, the same call does it; the whole API describes itself at")}{" "}<a href={`${prefix}/openapi.json`}>openapi.json</a>.</p>
        </div>
        {may("jobs:write") ? <div class="stack"><JobForm id="first-job" onDone={(job) => go(linkTo("jobs", job))} /><div class="row end"><button form="first-job" class="btn primary">{t("Submit job")}</button></div></div> : <p class="muted">{t("This token may not submit jobs; it needs the scope")}{" "}<code>jobs:write</code>.</p>}
      </div>
    </Card>
  );
}
