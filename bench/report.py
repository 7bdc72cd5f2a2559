# SPDX-License-Identifier: MIT
"""What was measured, as text, as JSON and as a page with plots."""

import html
import json
import os
import platform
import subprocess
import time

import measure

_UNITS = {"cpu_ns": "ns of CPU", "wall_ns": "ns", "late_us": "us late", "bytes_each": "bytes",
          "server_cpu_us": "us of the server's CPU"}
_COLOURS = {"ours": "#1f77b4", "peer": "#b0b0b0", "limit": "#2ca02c"}


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


def as_dict(about, players, cases):
    kinds = {c: row["kind"] for c, row in players.contenders.items()}
    return {
        "machine": about,
        "contenders": list(players.contenders.values()),
        "cases": [{
            "scene": case.scene["scene"], "title": case.scene["title"],
            "unit": case.scene["unit"], "metric": case.metric(), "example": case.example,
            "missing": case.missing, "results": measure.results(case, kinds),
        } for case in cases],
    }


def _ratio(value):
    return "%8.2f" % value if value else "%8s" % "-"


def _number(value):
    return "%.3g" % value if value < 100 else "%.0f" % value


def _by_metric(case):
    return sorted(case["results"].items(), key=lambda item: item[1][case["metric"]]["median"])


def as_text(data):
    about = data["machine"]
    lines = ["%s, %s processors, Linux %s, %s, load %.1f before" % (
        about["processor"], about["processors"], about["kernel"], about["compiler"],
        about["load_before"])]
    lines.append(", ".join("%s %s" % (c["contender"], c["version"]) for c in data["contenders"]))
    for case in data["cases"]:
        lines += ["", "%s %s: %s" % (case["scene"], case["example"], case["title"])]
        lines.append("  %-16s %10s %18s %10s %8s %8s %8s  %s" % (
            "per " + case["unit"], _UNITS[case["metric"]].split()[0], "min .. max", "wall ns",
            "syscalls", "x peer", "x limit", "disturbed"))
        for name, row in _by_metric(case):
            figure = row[case["metric"]]
            calls = row["system_calls"]
            lines.append("  %-16s %10s %18s %10s %8s %s %s  %s" % (
                name, _number(figure["median"]),
                "%s .. %s" % (_number(figure["min"]), _number(figure["max"])),
                _number(row["wall_ns"]["median"]), "-" if calls is None else "%.2f" % calls,
                _ratio(row["to_peer"]), _ratio(row["to_limit"]),
                "%d of %d" % (row["disturbed"], row["rounds"]) if row["disturbed"] else ""))
        lines += ["  %-16s %s" % item for item in case["missing"].items()]
    return "\n".join(lines) + "\n"


def _words(row, case):
    text = "%s %s" % (_number(row[case["metric"]]["median"]), _UNITS[case["metric"]])
    if row["to_peer"]:
        text += ", %.2f x the best peer" % row["to_peer"]
    if row["to_limit"]:
        text += ", %.2f x the limit" % row["to_limit"]
    return text


def _bar(top, name, row, case, colour, width_of):
    left = 150
    width, low, high = (width_of(row[case["metric"]][v]) for v in ("median", "min", "max"))
    return (
        '<text x="%d" y="%d" text-anchor="end">%s</text>' % (left - 8, top + 13, html.escape(name))
        + '<rect x="%d" y="%d" width="%.1f" height="16" fill="%s"/>' % (left, top, width, colour)
        + '<path d="M%.1f %dH%.1f" stroke="#000" stroke-width="1.5"/>' % (
            left + low, top + 8, left + high)
        + '<text x="%.1f" y="%d" class="n">%s</text>' % (
            left + max(width, high) + 8, top + 13, html.escape(_words(row, case))))


def _plot(case, kinds):
    rows = _by_metric(case)
    medians = [row[case["metric"]]["median"] for _, row in rows]
    # One that is far off must not press the others into a corner.
    longest = max([min(m, 4 * medians[len(medians) // 2]) for m in medians] + [1e-9])
    bars = [_bar(6 + i * 22, name, row, case, _COLOURS[kinds[name]],
                 lambda value: max(1, 420 * min(value, longest) / longest))
            for i, (name, row) in enumerate(rows)]
    return '<svg width="940" height="%d">%s</svg>' % (12 + 22 * len(rows), "".join(bars))


def as_page(data):
    kinds = {c["contender"]: c["kind"] for c in data["contenders"]}
    about = data["machine"]
    parts = ["""<!doctype html><html lang="en"><meta charset="utf-8"><title>aiox bench</title>
<style>body{font:14px sans-serif;max-width:940px;margin:2em auto;color:#222}
svg text{font-size:13px}.n{fill:#555}h2{margin:1.6em 0 .2em}p{margin:.2em 0}
b.o{color:#1f77b4}b.l{color:#2ca02c}b.p{color:#888}</style><h1>aiox bench</h1>"""]
    parts.append("<p>%s</p>" % html.escape(
        "%(date)s, %(processor)s, %(processors)s processors, Linux %(kernel)s, %(compiler)s" % about))
    parts.append('<p><b class="o">ours</b>, <b class="p">peers</b>, <b class="l">limit</b> '
                 "(bare system calls, a bare switch). Bars are medians, lines minimum to maximum; "
                 "shorter is better. A bar that would be longer than four times the middle one "
                 "is cut.</p>")
    parts.append("<p>%s</p>" % html.escape(", ".join(
        "%s %s" % (c["contender"], c["version"]) for c in data["contenders"])))
    title = None
    for case in data["cases"]:
        if case["title"] != title:
            title = case["title"]
            parts.append("<h2>%s</h2><p>%s</p>" % (html.escape(case["scene"]), html.escape(title)))
        parts.append("<h3>%s</h3>%s" % (html.escape(case["example"]), _plot(case, kinds)))
        parts += ["<p>%s: %s</p>" % tuple(map(html.escape, item))
                  for item in case["missing"].items()]
        disturbed = sum(r["disturbed"] for r in case["results"].values())
        if disturbed:
            parts.append("<p>%d of %d runs were disturbed.</p>" % (
                disturbed, sum(r["rounds"] for r in case["results"].values())))
    return "\n".join(parts) + "</html>\n"


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def as_json(data):
    return json.dumps(data, indent=1) + "\n"
