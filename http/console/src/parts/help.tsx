// `?`: every key that works here now.
import type { JSX } from "preact";
import { choices, choose } from "../state/choices.ts";
import { allKeys, type Key } from "../state/keys.ts";
import { Dialog } from "./dialog.tsx";
import { t } from "../state/words.ts";

export function KeyNames({ keys }: { keys: string }): JSX.Element {
  return <>{keys.split(" ").map((part, i) => <kbd key={i}>{part.replace("ArrowUp", "↑").replace("ArrowDown", "↓").replace("Ctrl+", "Ctrl ").replace("Shift+", "Shift ")}</kbd>)}</>;
}

// Two keys for one act are one line.
function titles(keys: Key[]): Array<[string, string[]]> {
  const found = new Map<string, string[]>();
  for (const key of keys) found.set(key.title, [...found.get(key.title) ?? [], key.keys]);
  return [...found];
}

export function Help({ onClose }: { onClose: () => void }): JSX.Element {
  const keys = allKeys(), groups = [...new Set(keys.map((key) => key.group))];
  return (
    <Dialog title={t("Keys")} wide long onClose={onClose} foot={<>
      <label class="check"><input type="checkbox" checked={choices.value.letters} onChange={(event) => choose({ letters: event.currentTarget.checked })} />{t("single letters work")}</label>
      <span class="grow" /><button type="button" class="btn primary" data-first onClick={onClose}>{t("Close")}</button>
    </>}>
      <div class="keys">
        {groups.map((group) => <section key={group}><h3>{group}</h3><ul>{titles(keys.filter((key) => key.group === group)).map(([title, all]) => <li key={title}><span>{title}</span>{all.map((one, i) => <>{i > 0 && <small class="faint">or</small>}<KeyNames keys={one} /></>)}</li>)}</ul></section>)}
      </div>
    </Dialog>
  );
}
