# SPDX-License-Identifier: MIT
"""What tests in a browser need: modules from npm, installed once into build/browser, and a script run beside a front."""
import glob
import json
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HOME = os.path.join(ROOT, "tests", "browser")
MODULES = os.path.join(ROOT, "build", "browser")
PAGES = os.path.join(ROOT, "build", "pages")


def payloads():
    with open(os.path.join(HOME, "payloads.json"), encoding="utf-8") as f:
        return json.load(f)


def chromium():
    return next((p for p in (os.environ.get("CHROMIUM"), shutil.which("chromium"), shutil.which("chromium-browser"),
                             shutil.which("google-chrome")) if p), None)


def install():
    os.makedirs(MODULES, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(os.path.join(HOME, name), MODULES)
    if not glob.glob(MODULES + "/node_modules/playwright-core/package.json"):
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"], cwd=MODULES, check=True,
                       stdin=subprocess.DEVNULL, stdout=sys.stderr, timeout=240)


def run(script, **env):
    """The script's exit code; its TAP goes to our own standard output."""
    install()
    sys.stdout.flush()
    return subprocess.call(["node", os.path.join(HOME, script)], stdin=subprocess.DEVNULL,
                           env=dict(os.environ, MODULES=MODULES, PAGES=PAGES, CHROMIUM=chromium() or "", **env))
