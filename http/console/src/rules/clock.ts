// How far a browser's clock is from the server's, which dates every answer.

const coarse = 2000;  // An answer is dated to the second, and took a while to come: less is no difference.

/** Milliseconds to add to our time to get the server's; `old` is kept while an answer fits it. */
export function offsetFrom(date: string | null, sent: number, came: number, old: number): number {
  const said = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(said)) return old;
  const found = said + 500 - (sent + came) / 2, doubt = coarse + (came - sent) / 2;
  return Math.abs(found - old) <= doubt ? old : Math.abs(found) <= doubt ? 0 : Math.round(found);
}
