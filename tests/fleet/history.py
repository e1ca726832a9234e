"""What was seen from outside, in one order: receiver, clients and nemesis draw from one counter."""
import json
import threading
import time


class History:
    def __init__(self):
        self.lock = threading.Lock()
        self.events = []
        self.began = time.monotonic()

    def note(self, what, **facts):
        """Writes an event down and returns its number."""
        with self.lock:
            number = len(self.events)
            self.events.append({"seq": number, "at": round(time.monotonic() - self.began, 4), "what": what, **facts})
        return number

    def count(self, what):
        with self.lock:
            return sum(1 for event in self.events if event["what"] == what)

    def write(self, path):
        with self.lock, open(path, "w") as out:
            for event in self.events:
                out.write(json.dumps(event) + "\n")
