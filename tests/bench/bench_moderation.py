# SPDX-License-Identifier: MIT
"""How well moderation tells abuse from other text, and how fast: as shipped, and after training.

Needs labelled texts, which are not part of this tree: a folder named by VOUCH_DATA, or shared/data
beside the checkout, with abuse.LANGUAGE.tsv, obfuscated.LANGUAGE.tsv and reviews.LANGUAGE.tsv (lines of
label, source, text; every line of reviews is harmless) and, for pt, olist/ with its reviews. A fifth of
the texts is held out of the training and judged; a text and its near copies (all words but one the same)
are on one side."""
import csv
import glob
import hashlib
import os
import subprocess
import tempfile

from cluster import ROOT

BUILD = os.environ.get("VOUCH_BUILD") or os.path.join(ROOT, "build")
LANGUAGES = ["en", "es", "pt", "ar", "fa", "lv"]
KINDS = ["abuse", "obfuscated", "reviews"]


def folder():
    found = os.environ.get("VOUCH_DATA") or os.path.join(os.path.dirname(ROOT), "shared", "data")
    return found if os.path.isdir(found) else None


def program():
    """moderation_quality, linked with the module's own objects."""
    made = os.path.join(BUILD, "bench", "moderation_quality")
    os.makedirs(os.path.dirname(made), exist_ok=True)
    objects = [o for o in sorted(glob.glob(os.path.join(BUILD, "obj", "**", "*.o"), recursive=True)) if "/cli/" not in o]
    libraries = subprocess.run(["pkg-config", "--libs", "libpq", "jansson", "libcurl", "libutf8proc", "libsodium", "sqlite3"],
                               stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    subprocess.run([os.environ.get("CC", "gcc"), "-std=c11", "-D_GNU_SOURCE", "-O2", "-I" + os.path.join(ROOT, "plugin"),
                    "-o", made, os.path.join(ROOT, "tests", "bench", "moderation_quality.c"), *objects, *libraries,
                    "-lm", "-pthread"], check=True)
    return made


def olist(data):
    for path in glob.glob(os.path.join(data, "olist", "*order_reviews*.csv")):
        with open(path, encoding="utf-8", newline="") as f:
            for row in csv.DictReader(f):
                text = " ".join((row["review_comment_title"] + " " + row["review_comment_message"]).split())
                if text:
                    yield "reviews", "0", "review/olist", text


def texts(data, language):
    """Rows of kind, label, source, text."""
    for kind in KINDS:
        path = os.path.join(data, "%s.%s.tsv" % (kind, language))
        if not os.path.exists(path):
            continue
        with open(path, encoding="utf-8") as f:
            for line in f:
                label, source, text = line.rstrip("\n").split("\t", 2)
                yield (kind, "0", "review/" + source, text) if kind == "reviews" else (kind, label, source, text)
    if language == "pt":
        yield from olist(data)


def number(text):
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def groups(rows):
    """The group of each row: near copies share one."""
    parents, seen = list(range(len(rows))), {}

    def find(i):
        while parents[i] != i:
            parents[i] = parents[parents[i]]
            i = parents[i]
        return i
    for i, row in enumerate(rows):
        words = [number(w) for w in row[3].split()]
        whole = sum(words)
        for key in {whole} | ({whole - w for w in words} if len(words) > 3 else set()):
            other = seen.setdefault(key, i)
            if other != i:
                parents[find(i)] = find(other)
    return [find(i) for i in range(len(rows))]


def split(rows, language, where, fold=0):
    """Files to learn from and to judge: the first path, and the others."""
    learn = os.path.join(where, "learn.%s.tsv" % language)
    judged = {}
    with open(learn, "w", encoding="utf-8") as f:
        for row, group in zip(rows, groups(rows)):
            if number(rows[group][3]) % 5 == fold:
                judged.setdefault(row[0], []).append(row)
            else:
                f.write("%s\t%s\t%s\n" % row[1:])
    paths = [os.path.join(where, "%s.%s.tsv" % (kind, language)) for kind in judged]
    for path, own in zip(paths, judged.values()):
        with open(path, "w", encoding="utf-8") as f:
            f.writelines("%s\t%s\t%s\n" % row[1:] for row in own)
    return learn, paths


def run(given):
    del given
    data = folder()
    if not data:
        print("moderation: no labelled texts here; VOUCH_DATA names their folder")
        return
    judge, seeds = program(), os.path.join(ROOT, "sql", "seed")
    for language in LANGUAGES:
        rows = list(texts(data, language))
        if not rows:
            continue
        with tempfile.TemporaryDirectory() as where:
            learn, paths = split(rows, language, where)
            for title, more in ("as shipped", []), ("after training", ["-t", learn]):
                print("== %s, %s" % (language, title), flush=True)
                subprocess.run([judge, *more, seeds, *paths], env=dict(os.environ, VOUCH_SOURCES="1"), check=True)
