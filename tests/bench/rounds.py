# SPDX-License-Identifier: MIT
"""Interleaved rounds: every variant runs once a round, the order rotates, and a ratio is the median
of the ratios within a round. Absolute numbers of a noisy machine mean little, these hold."""
import statistics
import sys


def measure(variants, rounds):
    """{name: [figure of each round]} for variants {name: function giving a figure}."""
    figures = {name: [] for name in variants}
    names = list(variants)
    for turn in range(rounds):
        for i, name in enumerate(names[turn % len(names):] + names[:turn % len(names)]):
            progress("round %d of %d, %d of %d: %s" % (turn + 1, rounds, i + 1, len(names), name))
            figures[name].append(variants[name]())
    progress("")
    return figures


def progress(text):
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K" + text)
        sys.stderr.flush()


def ratio(figures, name, base):
    """Median, least and greatest of name / base, round by round."""
    each = [a / b for a, b in zip(figures[name], figures[base])]
    return statistics.median(each), min(each), max(each)


def table(title, figures, unit):
    print("\n%s (median of %d rounds)" % (title, len(next(iter(figures.values())))))
    for name, values in figures.items():
        print("  %-58s %12s %s" % (name, "{:,.0f}".format(statistics.median(values)), unit))


def goals(figures, wanted):
    """wanted: (name, base, least ratio). Prints each beside its goal."""
    for name, base, least in wanted:
        middle, low, high = ratio(figures, name, base)
        print("  %-4s %s: %.2f of %s (%.2f to %.2f), to reach %.2f"
              % ("ok" if middle >= least else "LESS", name, middle, base, low, high, least))
