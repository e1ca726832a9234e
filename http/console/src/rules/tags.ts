// Tags in one field, with commas between them; one that has a comma, a quote or a blank at its end stands in quotes.

export function tagsText(tags: readonly string[]): string {
  return tags.map((tag) => /[,"\\]/.test(tag) || tag !== tag.trim() || tag === "" ? JSON.stringify(tag) : tag).join(", ");
}

export function tagsOf(text: string): string[] {
  const found = text.match(/"(?:[^"\\]|\\.)*"(?=\s*(?:,|$))|[^,]+/g) ?? [];
  return found.map((word) => word.trim()).filter((word) => word !== "").map((word) => {
    if (!/^".*"$/s.test(word)) return word;
    try { return JSON.parse(word) as string; } catch { return word; }
  });
}
