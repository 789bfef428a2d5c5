# SPDX-License-Identifier: MIT
# What is committed: nothing of one machine, no strangers' data, everything with its licence line.
. tests/lib/tap.sh
if ! git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    tap_skip "what is committed" "not a git tree"
    tap_end
fi
self=tests/check/tree.sh
text=$(git ls-files | grep -vE "^$self\$|\.(png|svg|ico|woff2|sqlite)\$" | while read -r f; do [ -f "$f" ] && echo "$f"; done)
tap_empty "names of files are plain" "$(git ls-files | LC_ALL=C grep -vE '^[A-Za-z0-9._/@+-]+$')"
tap_empty "no path of one machine" "$(echo "$text" | xargs grep -nE '(^|[^A-Za-z0-9_.{}$/-])/(work|home|root|Users)/[A-Za-z0-9.]')"
tap_empty "no file above 1 MiB" "$(git ls-files -z | xargs -0 du -k 2>/dev/null | awk '$1 > 1024')"
tap_empty "nothing built, nothing downloaded" "$(git ls-files | grep -E '(^|/)(build|node_modules|__pycache__)/|\.(o|so|a|pyc|gz|zip|deb|tgz)$')"
tap_empty "no orders of real shops" "$(git ls-files | grep -iE 'olist.*\.csv$' | xargs -r wc -l | awk '$2 != "total" && $1 > 500')"
tap_empty "mail addresses are reserved ones" \
    "$(echo "$text" | grep -vE '^(plugin/base/address|tests/unit/test_address|tests/fuzz/)' |
        xargs grep -noE '[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.(com|net|org|io|de|br|lv|es|pt|ir|fr|uk|eu|dev|app)\b' |
        grep -vE '@(([a-z0-9-]+\.)*example\.(com|net|org)|gmail\.com|googlemail\.com)$')"
tap_empty "sources say their licence first" \
    "$(git ls-files 'plugin/*.[ch]' 'hooks/*.[ch]' 'tests/*.[ch]' 'tests/*.py' 'tests/*.sh' 'sql/*.sql' 'examples/*.c' 'examples/*.py' |
        while read -r f; do [ ! -f "$f" ] || head -n 3 "$f" | grep -q 'SPDX-License-Identifier: MIT' || echo "$f"; done)"
tap_empty "no blank at the end of a line" "$(echo "$text" | grep -E '\.([chs]|sql|sh|py|awk|mk|html|json)$|Makefile$' | xargs grep -nE '[[:blank:]]$' | head -n 20)"
tap_empty "no merge left half done" "$(echo "$text" | xargs grep -nE '^(<<<<<<<|>>>>>>>) ')"
tap_empty "scripts run" "$(git ls-files -s tests/run tests/setup tests/lib/cluster .ci/run examples/store/demo tests/bench/run | awk '$1 != "100755" { print $4 }')"
tap_end
