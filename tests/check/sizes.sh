# SPDX-License-Identifier: MIT
# Sizes of functions and files: a report to look at, and ceilings of 80 and 600 lines.
. tests/lib/tap.sh
functions=$(ctags --languages=C --c-kinds=f --fields=+ne -o - $(find plugin hooks -name '*.c' ! -name '*_table.c') |
    awk -F '\t' '{ for (i = 4; i <= NF; i++) { if ($i ~ /^line:/) a = substr($i, 6); if ($i ~ /^end:/) e = substr($i, 5) }
        print e - a + 1, $2, $1 }' | sort -n)
files=$(find plugin hooks -name '*.c' ! -name '*_table.c' -exec wc -l {} + | grep -v ' total$' | sort -n)
quantiles() { awk -v what="$1" '{ v[NR] = $1 } END { if (NR) printf "# %s: %d, median %d, p90 %d, most %d lines\n",
    what, NR, v[int((NR + 1) / 2)], v[int(NR * 0.9 + 0.999)], v[NR] }'; }
echo "$functions" | quantiles functions
echo "$files" | quantiles "files (.c)"
echo "# longest functions:"
echo "$functions" | tail -n 5 | sed 's/^/#   /'
echo "# longest files:"
echo "$files" | tail -n 5 | sed 's/^ */#   /'
tap_empty "no function is longer than 80 lines" "$(echo "$functions" | awk '$1 > 80')"
tap_empty "no file is longer than 600 lines" "$(echo "$files" | awk '$1 > 600')"
tap_empty "no header is longer than 400 lines" "$(find plugin hooks -name '*.h' -exec wc -l {} + | grep -v ' total$' | awk '$1 > 400')"
tap_empty "half of all functions are within 15 lines" \
    "$(echo "$functions" | awk '{ v[NR] = $1 } END { m = v[int((NR + 1) / 2)]; if (m > 15) print m }')"
tap_end
