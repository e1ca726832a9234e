// Which rows are chosen. Values only: every move makes a new one.

export interface Selection { ids: ReadonlySet<string>; anchor: string | null }

export const nothing: Selection = { ids: new Set(), anchor: null };

export function toggle(selection: Selection, id: string): Selection {
  const ids = new Set(selection.ids);
  if (!ids.delete(id)) ids.add(id);
  return { ids, anchor: id };
}

/** Everything between the anchor and this row, in the order shown; without an anchor only the row. */
export function extend(selection: Selection, id: string, order: readonly string[]): Selection {
  const from = selection.anchor === null ? -1 : order.indexOf(selection.anchor);
  const to = order.indexOf(id);
  if (to < 0) return selection;
  if (from < 0) return { ids: new Set([...selection.ids, id]), anchor: id };
  const [low, high] = from < to ? [from, to] : [to, from];
  return { ids: new Set([...selection.ids, ...order.slice(low, high + 1)]), anchor: selection.anchor };
}

export function page(selection: Selection, order: readonly string[]): Selection {
  const all = order.length > 0 && order.every((id) => selection.ids.has(id));
  return all ? nothing : { ids: new Set([...selection.ids, ...order]), anchor: selection.anchor };
}

export function pageState(selection: Selection, order: readonly string[]): "none" | "some" | "all" {
  const chosen = order.filter((id) => selection.ids.has(id)).length;
  if (chosen === 0) return "none";
  return chosen === order.length ? "all" : "some";
}

/** What is gone can no longer be chosen. */
export function without(selection: Selection, gone: Iterable<string>): Selection {
  const ids = new Set(selection.ids);
  for (const id of gone) ids.delete(id);
  return ids.size === selection.ids.size ? selection : { ids, anchor: selection.anchor };
}
