#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Whatever language declares a function of vouch.h declares what the header says. Needs nothing built."""
import ast
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import tap

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
FUNCTION = r"(int|void)\s+(vouch_\w+)\s*\(([^)]*)\)\s*;"
# In ctypes a handle, a text to free and a pointer to either look alike.
PYTHON = {"int": "c_int", "size_t": "c_size_t", "const char *": "c_char_p", "vouch *": "c_void_p", "char *": "c_void_p",
          "char **": "OUT", "vouch **": "OUT"}
# In koffi an out parameter names itself, and Text is a char * that is copied and freed.
NODE = {"_Out_ vouch **": "vouch **", "_Out_ Text *": "char **", "void *": "char *"}


def read(*parts):
    with open(os.path.join(ROOT, *parts), encoding="utf-8") as f:
        return f.read()


def declarations(text, pattern=FUNCTION, translate=None):
    """{name: (result, [argument types])} of C declarations in a text, without argument names."""
    found = {}
    for result, name, arguments in re.findall(pattern, text):
        arguments = re.sub(r"\s+", " ", arguments.strip())
        types = []
        for argument in arguments.split(",") if arguments not in ("", "void") else []:
            kind = re.sub(r"(?<=[ *])\w+$", "", argument.strip()).strip() if re.search(r"[ *]\w+$", argument.strip()) else argument
            types.append((translate or {}).get(kind, kind))
        found[name] = (result, types)
    return found


HEADER = declarations(re.sub(r"/\*.*?\*/", "", read("hooks", "vouch.h"), flags=re.S))
FIRST = ["vouch_abi", "vouch_open", "vouch_emit", "vouch_take", "vouch_ack", "vouch_serve", "vouch_close", "vouch_free"]


class Declarations(unittest.TestCase):
    def compare(self, found, needed=FIRST):
        self.assertLessEqual(set(needed), set(found))
        for name, declared in found.items():
            self.assertEqual(declared, HEADER[name], name)

    def test_header(self):
        """the header declares the twelve functions of the contract, in its order"""
        self.assertEqual(list(HEADER), ["vouch_" + n for n in (
            "abi open start step stop emit take ack serve describe close free").split()])
        self.assertEqual(HEADER["vouch_open"], ("int", ["const char *", "vouch **", "char **"]))
        codes = dict(re.findall(r"#define VOUCH_(\w+) +(-?\d+)", read("hooks", "vouch.h")))
        self.assertEqual(codes, {"ABI": "1", "OK": "0", "SPOOLED": "1", "EMPTY": "2", "INVALID": "-1", "UNAVAILABLE": "-2",
                                 "MISUSE": "-3", "FORKED": "-4", "FAILED": "-5"})

    def test_php(self):
        """PHP"""
        self.compare(declarations(read("examples", "php", "vouch.php")))
        self.compare(declarations(read("tests", "host", "fpm.php")), ["vouch_open"])

    def test_node(self):
        """Node"""
        pattern = FUNCTION.replace(r"\s*;", "'")
        self.compare(declarations(read("examples", "node", "vouch.js"), pattern, NODE))
        self.compare(declarations(read("tests", "host", "many.js"), pattern, NODE), ["vouch_open"])

    def test_python(self):
        """Python"""
        tree = ast.parse(read("examples", "python", "vouch.py"))
        table = next(n.value for n in tree.body if isinstance(n, ast.Assign) and n.targets[0].id == "FUNCTIONS")
        found = {k.value: [e.id for e in v.elts] for k, v in zip(table.keys, table.values)}
        self.assertLessEqual(set(FIRST) - {"vouch_free"}, set(found))
        for name, types in found.items():
            self.assertEqual(types, [PYTHON[t] for t in HEADER[name][1]], name)
        self.assertIn("lib.vouch_free.argtypes, lib.vouch_free.restype = [c_void_p], None", read("examples", "python", "vouch.py"))

    def test_c(self):
        """C hosts"""
        for path, header in (("tests/host/host.c", ""), ("examples/replay/replay.c", ""), ("examples/store/loader.c", "loader.h")):
            text = read(path) + (read(os.path.dirname(path), header) if header else "")
            names = dict(re.findall(r'\{"(vouch_\w+)",\s*(?:&(?:\w+->)?|offsetof\(struct \w+, )(\w+)', text))
            self.assertIn("vouch_emit", names, path)
            for name, pointer in names.items():
                kind = re.search(r"(int|void) \(\*%s\)\(([^)]*)\);" % pointer, text)
                self.assertIsNotNone(kind, "%s: %s" % (path, pointer))
                types = [re.sub(r"(?<=[ *])(module|reply|options|event|request|response|length|text|threads|\w+_ms|event_id)$", "",
                                t.strip()).strip() for t in kind.group(2).split(",")] if kind.group(2) != "void" else []
                self.assertEqual((kind.group(1), types), HEADER[name], "%s: %s" % (path, name))


tap.main()
