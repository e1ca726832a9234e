// A receipt: what was signed, and whether the signature fits, checked in this page.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Receipt } from "../api.ts";
import { check, payloadOf, type Verdict } from "../rules/receipt.ts";
import { system } from "../state/session.ts";
import { say } from "../state/says.ts";
import { Icon } from "./icons.tsx";
import { Code, copyText, download } from "./kit.tsx";
import { t } from "../state/words.ts";

export function useReceiptCheck(): [Verdict | null, (receipt: Receipt) => Promise<void>] {
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const run = async (receipt: Receipt): Promise<void> => {
    const key = system.value?.public_key;
    const found: Verdict = key ? await check(receipt, key, globalThis.crypto?.subtle) : { kind: "unable", why: "This token may not read the server's public key (system:read)." };
    setVerdict(found);
    say(found.kind === "holds" ? "The receipt holds" : `The receipt was not confirmed. ${found.why}`);
  };
  return [verdict, run];
}

export function VerdictLine({ verdict }: { verdict: Verdict }): JSX.Element {
  if (verdict.kind === "holds") return <div class="alert good"><Icon name="check" /><div><p><b>{t("The signature holds.")}</b></p><p>{t("Checked in this browser with the server's public key")}{" "}<code>{verdict.keyid.slice(0, 16)}</code>{t(". Not a byte was changed.")}</p></div></div>;
  return <div class={`alert ${verdict.kind === "broken" ? "bad" : ""}`}><Icon name="warn" /><div><p><b>{verdict.kind === "broken" ? "The signature does not hold." : "It could not be checked here."}</b></p><p>{verdict.why}</p></div></div>;
}

export function ReceiptButtons({ receipt, name, onCheck }: { receipt: Receipt; name: string; onCheck: () => void }): JSX.Element {
  const text = JSON.stringify(receipt, null, 2);
  return (
    <>
      <button type="button" class="btn" onClick={onCheck}><Icon name="check" />{t("Check it")}</button>
      <button type="button" class="btn" onClick={() => void copyText(text, "Receipt")}><Icon name="copy" />{t("Copy")}</button>
      <button type="button" class="btn" onClick={() => download(`receipt-${name}.json`, text)}><Icon name="download" />{t("Download")}</button>
    </>
  );
}

export function ReceiptPayload({ receipt }: { receipt: Receipt }): JSX.Element {
  return <details class="fold"><summary>{t("What was signed")}</summary><Code value={payloadOf(receipt)} what={t("Signed text")} /></details>;
}
