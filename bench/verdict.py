# SPDX-License-Identifier: MIT
"""Ahead, level or behind: the best of ours beside the best peer, in every case that was played."""

import measure

LISTS = ("behind", "level", "ahead", "too few rounds", "no peer")
_AHEAD = 0.95
METHOD = ("x peer is the median of the best of ours by that of the best peer; noise is that "
          "of our lowest round by their highest .. our highest by their lowest (of the quiet "
          "rounds if there are three; of seven and more without the lowest and the highest). "
          "Behind: all of it is above 1. Ahead: all of it is below 1, and x peer below 0.95. "
          "Else level.")


def _divide(a, b):
    return a / b if b > 0 else None


def _noise(row, other, metric):
    """The least and the most that one could be by the other, as far as the rounds tell."""
    ours, theirs = row[metric], other[metric]
    return _divide(ours["low"], theirs["high"]), _divide(ours["high"], theirs["low"])


def _has_shown(row):
    return row["used"] >= measure.FEWEST_ROUNDS or row["is_far_behind"]


def _judge(row, other, metric):
    """Of one of ours beside one peer. What cannot be told is not guessed."""
    if not (_has_shown(row) and _has_shown(other)):
        return "too few rounds"
    ours, theirs = row[metric], other[metric]
    if ours["low"] > theirs["high"]:
        return "behind"
    if ours["high"] < theirs["low"] and ours["median"] < _AHEAD * theirs["median"]:
        return "ahead"
    return "level"


def _beside(row, rows, metric):
    """Who is compared with whom was settled by measure.results()."""
    peer = row["best_peer"]
    return {
        "verdict": _judge(row, rows[peer], metric) if peer else "no peer",
        "peer": peer, "to_peer": row["to_peer"],
        "noise": _noise(row, rows[peer], metric) if peer else (None, None),
        "limit": row["best_limit"], "to_limit": row["to_limit"],
        "is_disturbed": any(measure.has_noise(rows[who]) for who in (row["contender"], peer)
                            if who),
    }


def _lesser(best, rows, case):
    """Peers that do not promise what ours do here, and are quicker, it may be."""
    metric = case["metric"]
    return [{"peer": who, "caveat": caveat,
             "to_peer": best[metric]["median"] / rows[who][metric]["median"],
             "noise": _noise(best, rows[who], metric), "verdict": _judge(best, rows[who], metric)}
            for who, caveat in case["caveats"].items()
            if who in rows and rows[who][metric]["median"] > 0]


def of_case(case, kinds):
    """None if none of ours has shown anything."""
    metric = case["metric"]
    rows = {who: dict(row, contender=who) for who, row in case["results"].items()}
    ours = sorted((row for who, row in rows.items() if kinds[who] == "ours"),
                  key=lambda row: row[metric]["median"])
    if not ours:
        return None
    return {
        "scene": case["scene"], "example": case["example"], "metric": metric,
        "ours": ours[0]["contender"],
        **_beside(ours[0], rows, metric),
        "others": {row["contender"]: _beside(row, rows, metric) for row in ours[1:]},
        "lesser": _lesser(ours[0], rows, case),
    }


def of_run(cases, kinds):
    """Lists of cases, the worst first."""
    found = [v for v in (of_case(case, kinds) for case in cases) if v]
    found.sort(key=lambda v: -(v["to_peer"] or v["to_limit"] or 0))
    return {name: [v for v in found if v["verdict"] == name] for name in LISTS}


def headline(verdict):
    counts = ["%d %s" % (len(verdict[name]), name) for name in LISTS[:3]]
    rest = ["%d %s" % (len(verdict[name]), name) for name in LISTS[3:] if verdict[name]]
    return "; ".join([", ".join(counts)] + rest)


def lesser(verdict):
    """Pairs of a case and one who is quicker there and promises less; the worst first."""
    pairs = [(v, other) for name in LISTS for v in verdict[name] for other in v["lesser"]]
    return sorted(pairs, key=lambda pair: -pair[1]["to_peer"])


def others(entry):
    """The rest of ours in a few words: a verdict is said where it differs."""
    words = []
    for who, row in entry["others"].items():
        said = " " + row["verdict"] if row["verdict"] != entry["verdict"] else ""
        ratio = row["to_peer"] or row["to_limit"]
        words.append("%s %s%s" % (who, "%.2f" % ratio if ratio else "-", said))
    return ", ".join(words)
