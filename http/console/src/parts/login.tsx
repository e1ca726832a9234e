// A token for a session. The token is shown to the server once and kept nowhere here.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Problem } from "../api.ts";
import { problemFrom } from "../state/client.ts";
import { login, logout, phase } from "../state/session.ts";
import { Dialog } from "./dialog.tsx";
import { Mark } from "./icons.tsx";
import { Trouble } from "./kit.tsx";
import { t } from "../state/words.ts";

function useLogin(): { form: JSX.Element; problem: Problem | null; busy: boolean; submit: (event: Event) => void } {
  const [token, setToken] = useState(""), [busy, setBusy] = useState(false), [problem, setProblem] = useState<Problem | null>(null);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (busy || !token.trim()) return;
    setBusy(true);
    setProblem(null);
    login(token.trim()).then(() => setToken(""), (fault: unknown) => setProblem(problemFrom(fault))).finally(() => setBusy(false));
  };
  const form = <label class="field"><span>{t("Token")}</span><input class="input mono" type="password" name="token" data-first autocomplete="current-password" spellcheck={false} aria-invalid={problem !== null} value={token} placeholder={t("quell_…")} onInput={(event) => setToken(event.currentTarget.value)} /></label>;
  return { form, problem, busy, submit };
}

export function Login(): JSX.Element {
  const { form, problem, busy, submit } = useLogin();
  return (
    <main class="login">
      <form onSubmit={submit}>
        <div class="brand"><Mark /><span>{t("quell")}</span></div>
        <div><h1 tabIndex={-1}>{t("Log in")}</h1><p class="muted">{t("With a token of this server. It becomes a session of this browser, and is not kept here.")}</p></div>
        {form}
        {problem && <Trouble problem={problem} />}
        <button class="btn primary" disabled={busy}>{busy ? "Logging in…" : "Log in"}</button>
        <details class="fold"><summary>{t("Where is my token?")}</summary><p class="muted">{t("The first start of a server writes its administrator’s token to")}{" "}<code>admin.token</code>{" "}{t("in the data directory. Further ones, with fewer rights:")}</p><pre class="code">quell token create --name me --role operator</pre></details>
      </form>
    </main>
  );
}

/** The session ended while somebody was at work: everything typed is still there afterwards. */
export function LoginAgain(): JSX.Element {
  const { form, problem, busy, submit } = useLogin();
  return (
    <Dialog title={t("Your session is over")} stays onClose={() => undefined} foot={<><button type="button" class="btn ghost" onClick={() => { void logout(); phase.value = "out"; }}>{t("Log out")}</button><span class="grow" /><button form="again" class="btn primary" disabled={busy}>{busy ? "Logging in…" : "Log in and go on"}</button></>}>
      <p class="muted">{t("Log in again; what you were doing waits behind this and goes on.")}</p>
      <form id="again" onSubmit={submit}>{form}</form>
      {problem && <Trouble problem={problem} />}
    </Dialog>
  );
}
