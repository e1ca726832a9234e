"""What the scripts of bench/ share: running a program, reading its lines, and the files that results rest in."""
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULTS = ROOT / "build" / "bench"
BASELINES = ROOT / "bench" / "baselines"


def key(line):
    return line["bench"], line["store"], line["figure"]


def commit():
    if os.environ.get("BENCH_COMMIT"):
        return os.environ["BENCH_COMMIT"]
    try:
        name = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True)
        return name.stdout.strip()
    except OSError:
        return ""


def machine():
    with open("/proc/cpuinfo") as info:
        model = next((line.split(": ", 1)[1].strip() for line in info if line.startswith("model name")), "unknown")
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {"cores": os.sysconf("SC_NPROCESSORS_ONLN"), "cpu": model, "memory_gb": int(memory / 1e9)}


def figure(bench, store, name, value, unit, better, quick=False, samples=1):
    """One figure of a script, in the same lines as the programs of bench/ say theirs."""
    print(f"{bench + ' ' + store:<20} {name:<44} {value:>13.3f} {unit}")
    print(json.dumps({"bench": bench, "store": store, "figure": name, "unit": unit, "better": better, "median": value,
                      "min": value, "max": value, "n": samples, "quick": quick, "commit": commit(), "machine": machine()},
                     separators=(",", ":")), flush=True)


def run(command, show=True):
    """Runs a program of ours; shows its lines for people as they come, returns (exit code, its JSON lines)."""
    lines = []
    environment = {**os.environ, "BENCH_COMMIT": commit()}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT) as program:
        for text in program.stdout:
            if text.startswith("{"):
                lines.append(json.loads(text))
            elif show:
                sys.stdout.write(text)
                sys.stdout.flush()
    return program.returncode, lines


def read(path):
    with open(path) as file:
        return [json.loads(text) for text in file if text.strip()]


def results():
    """Every figure of the result files; a later line of the same figure takes the place of an earlier one."""
    found = {}
    for path in sorted(RESULTS.glob("*.jsonl")):
        for line in read(path):
            found[key(line)] = line
    return found


def worse(line, ratio):
    """By how much a new figure is worse than an old one, as a part of the old; negative when it is better."""
    return {"lower": ratio - 1, "higher": 1 - ratio}.get(line["better"], 0.0)
