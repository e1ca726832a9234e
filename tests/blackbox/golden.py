"""Texts that must not change by accident lie in tests/blackbox/golden."""
import os
import pathlib
import re

GOLDEN = pathlib.Path(__file__).parent / "golden"


def golden(name, text):
    """What the file says the text is; UPDATE_GOLDEN=1 writes the file anew."""
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return path.read_text()


def masked(text):
    """Without what differs at each run: ids, times, signatures."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<id>", text)
    text = re.sub(r'"receipt":\{"payload":"[^"]*","signatures":\[\{[^]]*\]\}', '"receipt":<receipt>', text)
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<time>", text)
