# SPDX-License-Identifier: MIT
"""What was measured, as text and as JSON."""

import json
import os
import platform
import subprocess
import textwrap
import time

import measure
import verdict

UNITS = {"cpu_ns": "CPU ns", "wall_ns": "wall ns", "late_us": "us late", "woken_us": "us",
         "bytes_each": "bytes", "server_cpu_us": "server us", "p99_us": "p99 us"}
_HEAD = "  %-18s %10s %19s %8s %8s %9s %9s %8s  %s"

_VERDICT = "  %-32s %-18s %7s %13s %-18s %7s %-16s %s"


def _first_line(path, key):
    with open(path) as file:
        for line in file:
            if line.startswith(key):
                return line.split(":", 1)[1].strip()
    return "?"


def machine():
    """Where this was measured."""
    compiler = subprocess.run(["gcc", "--version"], stdout=subprocess.PIPE, text=True)
    return {
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "processor": _first_line("/proc/cpuinfo", "model name"),
        "processors": os.cpu_count(),
        "kernel": platform.release(),
        "compiler": compiler.stdout.splitlines()[0],
        "load_before": os.getloadavg()[0],
    }


def _case_as_dict(case, players, metric):
    return {
        "scene": case.scene["scene"], "title": case.scene["title"],
        "unit": case.scene["unit"], "metric": metric, "example": case.example,
        "caveats": case.caveats(), "missing": case.missing,
        "results": measure.results(case, players.contenders, metric),
    }


def as_dict(about, players, cases):
    played = {c for case in cases for c in case.contenders}
    kinds = {c: row["kind"] for c, row in players.contenders.items()}
    shown = [_case_as_dict(case, players, case.metric()) for case in cases]
    judged = shown + [_case_as_dict(case, players, case.scene["second"])
                      for case in cases if case.scene["second"]]
    return {
        "machine": about,
        "contenders": [row for c, row in players.contenders.items() if c in played],
        "absent": players.absent,
        "verdict": verdict.of_run(judged, kinds),
        "cases": shown,
    }


def machine_line(about):
    return ("%(date)s, %(processor)s, %(processors)s processors, Linux %(kernel)s, %(compiler)s, "
            "load %(load_before).1f before" % about)


def absent_line(data):
    return "left out: " + ", ".join("%(absent)s (%(package)s is not installed)" % a
                                    for a in data["absent"])


def case_name(case):
    return "%(scene)s %(example)s" % case


def judged_name(entry):
    """With what was judged, where that is not the CPU time of this process."""
    what = UNITS[entry["metric"]].replace(" ns", "")
    return case_name(entry) + (", " + what if entry["metric"] != "cpu_ns" else "")


def noise(entry):
    low, high = entry["noise"]
    return "%s .. %s" % (ratio(low), ratio(high)) if entry["peer"] else ""


def disturbance(entry):
    return " (disturbed)" if entry["is_disturbed"] else ""


def number(value):
    return "%.3g" % value if value < 100 else "%.0f" % value


def ratio(value):
    return "%.2f" % value if value else "-"


def system_calls(row):
    return "-" if row["system_calls"] is None else "%.2f" % row["system_calls"]


def disturbed(row):
    return "%d of %d" % (row["disturbed"], row["rounds"]) if row["disturbed"] else ""


def also(case, name):
    """What a contender does not promise, and what else the scene has said of itself."""
    known = ("cpu_ns", "wall_ns", case["metric"])
    said = [case["caveats"].get(name)]
    said += ["%s %s" % (what, number(value["median"]))
             for what, value in case["results"][name].items()
             if isinstance(value, dict) and what not in known]
    return ", ".join(filter(None, said))


def by_metric(case):
    return sorted(case["results"].items(), key=lambda item: item[1][case["metric"]]["median"])


def others(metric):
    """What stands beside that which is compared."""
    return [name for name in ("cpu_ns", "wall_ns") if name != metric]


def _text_row(case, name, row):
    metric = case["metric"]
    figures = row[metric]
    beside = [number(row[other]["median"]) for other in others(metric)]
    words = [also(case, name), "disturbed " + disturbed(row) if row["disturbed"] else ""]
    return _HEAD % (
        name, number(figures["median"]),
        "%s .. %s" % (number(figures["min"]), number(figures["max"])),
        ratio(row["to_peer"]), ratio(row["to_limit"]), beside[0], "".join(beside[1:]),
        system_calls(row), "; ".join(filter(None, words)))


def _text_head(case):
    beside = [UNITS[other] for other in others(case["metric"])]
    return _HEAD % ("per " + case["unit"], UNITS[case["metric"]], "min .. max", "x peer",
                    "x limit", beside[0], "".join(beside[1:]), "syscalls", "")


def _text_verdict(found):
    lines = ["", "verdict: " + verdict.headline(found), *textwrap.wrap(verdict.METHOD, 100)]
    for name in filter(found.get, verdict.LISTS):
        lines += ["", _VERDICT % (name, "best of ours", "x peer", "noise", "best peer",
                                  "x limit", "limit", "others of ours")]
        lines += [_VERDICT % (judged_name(v), v["ours"], ratio(v["to_peer"]), noise(v),
                              v["peer"] or "", ratio(v["to_limit"]), v["limit"] or "",
                              verdict.others(v) + disturbance(v)) for v in found[name]]
    lesser = verdict.lesser(found)
    if lesser:
        lines += ["", "beside peers that do not promise what ours do"]
    return lines + [_VERDICT % (judged_name(v), v["ours"], ratio(other["to_peer"]), noise(other),
                                other["peer"], "", other["verdict"], other["caveat"])
                    for v, other in lesser]


def as_text(data):
    lines = [machine_line(data["machine"]),
             ", ".join("%s %s" % (c["contender"], c["version"]) for c in data["contenders"])]
    if data["absent"]:
        lines.append(absent_line(data))
    for case in data["cases"]:
        lines += ["", "%s %s: %s" % (case["scene"], case["example"], case["title"]),
                  _text_head(case)]
        lines += [_text_row(case, name, row) for name, row in by_metric(case)]
        lines += ["  %-18s %s" % item for item in case["missing"].items()]
    lines += _text_verdict(data["verdict"])
    return "\n".join(line.rstrip() for line in lines) + "\n"


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def as_json(data):
    return json.dumps(data, indent=1) + "\n"
