# SPDX-License-Identifier: MIT
"""unittest, told as TAP: end a test file with `tap.main()`.

Results go to the real standard output; whatever tests print goes to standard error."""
import os
import sys
import time
import unittest


class Result(unittest.TestResult):
    def __init__(self, out):
        super().__init__()
        self.out, self.number, self.bad, self.failed = out, 0, False, False

    def say(self, text):
        self.out.write(text + "\n")
        self.out.flush()

    def tell(self, good, test, note=""):
        self.number += 1
        self.failed |= not good
        words = (test.shortDescription() or str(test).split(" ")[0]).replace("#", "")
        self.say("%s %d - %s%s" % ("ok" if good else "not ok", self.number, words, note))

    def explain(self, error, test):
        for line in self._exc_info_to_string(error, test).rstrip().split("\n"):
            self.say("# " + line)

    def startTest(self, test):
        super().startTest(test)
        self.bad, self.begun = False, time.monotonic()

    def fail(self, test, error):
        if not self.bad:
            self.tell(False, test)
        self.bad = True
        self.explain(error, test)

    def addSuccess(self, test):
        if not self.bad:
            self.tell(True, test)

    def addError(self, test, err):
        self.fail(test, err)

    def addFailure(self, test, err):
        self.fail(test, err)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.fail(test, err)
            self.say("# in " + str(subtest))

    def addSkip(self, test, reason):
        self.tell(True, test, " # SKIP " + reason.replace("\n", " "))

    def addExpectedFailure(self, test, err):
        self.tell(True, test)

    def addUnexpectedSuccess(self, test):
        self.tell(False, test)


def main(module="__main__"):
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    names = [a for a in sys.argv[1:] if not a.startswith("-")]
    loader = unittest.TestLoader()
    loaded = sys.modules[module]
    suite = loader.loadTestsFromNames(names, loaded) if names else loader.loadTestsFromModule(loaded)
    result = Result(out)
    result.say("1..%d" % suite.countTestCases())
    suite.run(result)
    sys.stdout.flush()
    sys.exit(1 if result.failed else 0)
