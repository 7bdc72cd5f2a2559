# SPDX-License-Identifier: MIT
"""What was measured, as a page: tables with a bar in each row, light or dark."""

import html

import report

_BAR = 220  # pixels
_STYLE = """
:root{color-scheme:light dark;--text:#222;--soft:#666;--line:#ddd;--ours:#1f6fb4;--peer:#a9a9a9;
--limit:#2f8f3a;--page:#fff;--odd:#b35900}
@media (prefers-color-scheme:dark){:root{--text:#ddd;--soft:#999;--line:#444;--ours:#5aa9e6;
--peer:#777;--limit:#5cb867;--page:#181818;--odd:#e0a050}}
body{font:14px sans-serif;max-width:1120px;box-sizing:border-box;margin:2em auto;
padding:0 1em;color:var(--text);
background:var(--page)}
h2{margin:2em 0 .2em}h3{margin:1.2em 0 .3em;font-size:1em}p{margin:.3em 0}
table{border-collapse:collapse;width:100%;table-layout:fixed}
th{font-weight:normal;color:var(--soft);font-size:12px}
td,th{padding:2px 4px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line);
width:62px}th.who{width:120px}th.bar{width:220px}th.range{width:120px}th.also{width:130px}
td.also{white-space:normal}
td.who,th.who,td.bar,th.bar{text-align:left}td.odd{color:var(--odd)}
svg{display:block}.ours{fill:var(--ours)}.peer{fill:var(--peer)}.limit{fill:var(--limit)}
svg path{stroke:var(--text);stroke-width:1.5;fill:none}.disturbed{opacity:.45}
i.key{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 1em}
nav a{color:inherit;margin-right:.8em}"""


def _text(words):
    return html.escape(str(words))


def _bar(row, metric, kind, longest):
    low, middle, high = (max(1.0, (_BAR - 10) * min(row[metric][v], longest) / longest)
                         for v in ("min", "median", "max"))
    faded = " disturbed" if row["disturbed"] == row["rounds"] else ""
    cut = '<path d="M%d 2l6 5l-6 5"/>' % (_BAR - 8) if row[metric]["median"] > longest else ""
    return ('<svg width="%d" height="14"><rect class="%s%s" y="1" width="%.1f" height="12"/>'
            '<path d="M%.1f 7H%.1f"/>%s</svg>' % (_BAR, kind, faded, middle, low, high, cut))


def _columns(case):
    """What stands right of the bar: a class, a title, and a cell of each row."""
    metric = case["metric"]
    columns = [
        ("", report.UNITS[metric],
         lambda row: "<b>%s</b>" % report.number(row[metric]["median"])),
        ("range", "min – max", lambda row: "%s – %s" % (
            report.number(row[metric]["min"]), report.number(row[metric]["max"]))),
        ("", "× best peer", lambda row: report.ratio(row["to_peer"])),
        ("", "× limit", lambda row: report.ratio(row["to_limit"])),
    ]
    columns += [("", report.UNITS[other],
                 lambda row, other=other: report.number(row[other]["median"]))
                for other in report.others(metric)]
    return columns + [
        ("", "syscalls", report.system_calls),
        ("also", "", lambda row: _text(report.also(row, metric))),
        ("odd", "disturbed", report.disturbed),
    ]


def _cells(tag, cells):
    return "<tr>%s</tr>" % "".join('<%s class="%s">%s</%s>' % (tag, name, text, tag)
                                   for name, text in cells)


def _table(case, kinds):
    rows = report.by_metric(case)
    if not rows:
        return ""
    metric = case["metric"]
    medians = [row[metric]["median"] for _, row in rows]
    # One that is far off must not press the others into a corner.
    longest = max(min(max(medians), 4 * medians[len(medians) // 2]), 1e-9)
    columns = _columns(case)
    lines = [_cells("th", [("who", ""), ("bar", _text("per " + case["unit"]))]
                    + [(name, title) for name, title, _ in columns])]
    for who, row in rows:
        first = [("who", _text(who)), ("bar", _bar(row, metric, kinds[who], longest))]
        lines.append(_cells("td", first + [(name, cell(row)) for name, _, cell in columns]))
    return "<table>%s</table>" % "".join(lines)


def _head(data):
    about = data["machine"]
    named = ["%s %s" % (c["contender"], c["version"]) for c in data["contenders"]]
    parts = ["<h1>aiox bench</h1>", "<p>%s</p>" % _text(report.machine_line(about)),
             '<p><i class="key" style="background:var(--ours)"></i>ours'
             '<i class="key" style="background:var(--peer)"></i>peers'
             '<i class="key" style="background:var(--limit)"></i>limit: bare system calls, '
             "a bare switch. A bar is the median, the line across it minimum to maximum; shorter "
             "is better. A bar with an arrow is longer than four times the middle one and is cut. "
             "A pale bar has no round in which others left the processor alone; else the medians "
             "are of the quiet rounds.</p>",
             "<p>%s</p>" % _text(", ".join(named))]
    if data["absent"]:
        parts.append("<p>%s</p>" % _text(report.absent_line(data)))
    return parts


def as_page(data):
    kinds = {c["contender"]: c["kind"] for c in data["contenders"]}
    names = list(dict.fromkeys(case["scene"] for case in data["cases"]))
    parts = ['<!doctype html><html lang="en"><meta charset="utf-8">'
             '<meta name="viewport" content="width=device-width">'
             "<title>aiox bench</title><style>%s</style>" % _STYLE]
    parts += _head(data)
    parts.append("<nav>%s</nav>" % "".join('<a href="#%s">%s</a>' % (n, n) for n in names))
    last = None
    for case in data["cases"]:
        if case["scene"] != last:
            last = case["scene"]
            parts.append('<h2 id="%s">%s</h2><p>%s</p>' % (last, last, _text(case["title"])))
        parts.append("<h3>%s</h3>%s" % (_text(case["example"]), _table(case, kinds)))
        parts += ["<p>%s: %s</p>" % tuple(map(_text, item)) for item in case["missing"].items()]
    return "\n".join(parts) + "</html>\n"
