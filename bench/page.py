# SPDX-License-Identifier: MIT
"""What was measured, as a page: tables with a bar in each row, light or dark."""

import html

import measure
import report
import verdict

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
td.also,td.others{white-space:normal}th.case{width:200px}th.others{width:190px}
td.who,th.who,td.bar,th.bar,td.case,td.others,th.others{text-align:left}
h3.behind{color:var(--odd)}h3.ahead{color:var(--limit)}td.odd{color:var(--odd)}
svg{display:block}.ours{fill:var(--ours)}.peer{fill:var(--peer)}.limit{fill:var(--limit)}
svg path{stroke:var(--text);stroke-width:1.5;fill:none}.disturbed{opacity:.45}
i.key{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 1em}
a{color:inherit}nav a{margin-right:.8em}"""


def _text(words):
    return html.escape(str(words))


def _bar(row, metric, kind, longest):
    low, middle, high = (max(1.0, (_BAR - 10) * min(row[metric][v], longest) / longest)
                         for v in ("min", "median", "max"))
    faded = " disturbed" if measure.has_noise(row) else ""
    cut = '<path d="M%d 2l6 5l-6 5"/>' % (_BAR - 8) if row[metric]["median"] > longest else ""
    return ('<svg width="%d" height="14"><rect class="%s%s" y="1" width="%.1f" height="12"/>'
            '<path d="M%.1f 7H%.1f"/>%s</svg>' % (_BAR, kind, faded, middle, low, high, cut))


def _columns(case):
    """What stands right of the bar: a class, a title, and a cell of each row."""
    metric = case["metric"]
    columns = [
        ("", report.UNITS[metric],
         lambda who, row: "<b>%s</b>" % report.number(row[metric]["median"])),
        ("range", "min – max", lambda who, row: "%s – %s" % (
            report.number(row[metric]["min"]), report.number(row[metric]["max"]))),
        ("", "× best peer", lambda who, row: report.ratio(row["to_peer"])),
        ("", "× limit", lambda who, row: report.ratio(row["to_limit"])),
    ]
    columns += [("", report.UNITS[other],
                 lambda who, row, other=other: report.number(row[other]["median"]))
                for other in report.others(metric)]
    return columns + [
        ("", "syscalls", lambda who, row: report.system_calls(row)),
        ("also", "", lambda who, row: _text(report.also(case, who))),
        ("odd", "disturbed", lambda who, row: report.disturbed(row)),
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
        lines.append(_cells("td", first + [(name, cell(who, row)) for name, _, cell in columns]))
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
             "A pale bar has too few rounds in which others left the processor alone; else the "
             "medians are of the quiet rounds.</p>",
             "<p>%s</p>" % _text(", ".join(named))]
    if data["absent"]:
        parts.append("<p>%s</p>" % _text(report.absent_line(data)))
    return parts


def _verdict_row(entry):
    name = report.judged_name(entry)
    return _cells("td", [
        ("case", '<a href="#%s">%s</a>' % (_anchor(entry), _text(name))),
        ("who", _text(entry["ours"])),
        ("", "<b>%s</b>" % report.ratio(entry["to_peer"])), ("range", report.noise(entry)),
        ("who", _text(entry["peer"] or "")),
        ("", report.ratio(entry["to_limit"])), ("who", _text(entry["limit"] or "")),
        ("others", _text(verdict.others(entry) + report.disturbance(entry)))])


def _lesser_row(entry, other):
    return _cells("td", [
        ("case", _text(report.judged_name(entry))), ("who", _text(entry["ours"])),
        ("", "<b>%s</b>" % report.ratio(other["to_peer"])), ("range", report.noise(other)),
        ("who", _text(other["peer"])), ("", ""), ("who", _text(other["verdict"])),
        ("others", _text(other["caveat"]))])


def _verdict_table(rows, peer, last):
    head = [("case", ""), ("who", "best of ours"), ("", "× peer"), ("range", "noise"),
            ("who", peer)] + last
    return "<table>%s%s</table>" % (_cells("th", head), "".join(rows))


def _verdict(found):
    """First what a reader asks first."""
    parts = ['<h2 id="verdict">%s</h2><p>%s</p>' % (_text(verdict.headline(found)),
                                                    _text(verdict.METHOD))]
    for name in filter(found.get, verdict.LISTS):
        parts.append('<h3 class="%s">%s</h3>' % (name.split()[0], _text(name)))
        parts.append(_verdict_table(map(_verdict_row, found[name]), "best peer",
                                    [("", "× limit"), ("who", "limit"),
                                     ("others", "others of ours")]))
    lesser = verdict.lesser(found)
    if lesser:
        parts.append("<h3>beside peers that do not promise what ours do</h3>")
        parts.append(_verdict_table((_lesser_row(*pair) for pair in lesser), "peer",
                                    [("", ""), ("who", ""), ("others", "")]))
    return parts


def _anchor(case):
    return _text(report.case_name(case).replace(" ", "-"))


def as_page(data):
    kinds = {c["contender"]: c["kind"] for c in data["contenders"]}
    names = list(dict.fromkeys(case["scene"] for case in data["cases"]))
    parts = ['<!doctype html><html lang="en"><meta charset="utf-8">'
             '<meta name="viewport" content="width=device-width">'
             "<title>aiox bench</title><style>%s</style>" % _STYLE]
    parts += _head(data) + _verdict(data["verdict"])
    parts.append("<nav>%s</nav>" % "".join('<a href="#%s">%s</a>' % (n, n) for n in names))
    last = None
    for case in data["cases"]:
        if case["scene"] != last:
            last = case["scene"]
            parts.append('<h2 id="%s">%s</h2><p>%s</p>' % (last, last, _text(case["title"])))
        parts.append('<h3 id="%s">%s</h3>%s' % (_anchor(case), _text(case["example"]),
                                               _table(case, kinds)))
        parts += ["<p>%s: %s</p>" % tuple(map(_text, item)) for item in case["missing"].items()]
    return "\n".join(parts) + "</html>\n"
