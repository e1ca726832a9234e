"""Bar charts as SVG text: one bar a system, readable on light and dark pages."""
from html import escape

WIDTH, LABEL, VALUE, ROW = 720, 150, 90, 28
OWN, OTHER = "#2f7d5b", "#8a8f98"


def bars(caption, rows, number):
    """`rows`: (name, value); ours are those whose name begins with quell."""
    most = max(value for _, value in rows) or 1
    height = 34 + ROW * len(rows) + 6
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(caption)}"'
           ' font-family="system-ui, sans-serif" font-size="13">',
           f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
           f'<text x="8" y="20" font-weight="600" fill="#1d2228">{escape(caption)}</text>']
    for i, (name, value) in enumerate(rows):
        top = 34 + ROW * i
        length = max(1.0, (WIDTH - LABEL - VALUE) * value / most)
        color = OWN if name.startswith("quell") else OTHER
        out += [f'<text x="{LABEL - 8}" y="{top + 16}" text-anchor="end" fill="#1d2228">{escape(name)}</text>',
                f'<rect x="{LABEL}" y="{top + 3}" width="{length:.1f}" height="{ROW - 8}" rx="2" fill="{color}"/>',
                f'<text x="{LABEL + length + 6:.1f}" y="{top + 16}" fill="#1d2228">{escape(number(value))}</text>']
    return "\n".join([*out, "</svg>"]) + "\n"
