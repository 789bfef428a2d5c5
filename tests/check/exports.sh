# SPDX-License-Identifier: MIT
# The library exports the functions of vouch.h, each as VOUCH_1, and nothing else.
. tests/lib/tap.sh
tap_needs "$VOUCH_SO"
declared=$(sed -n 's/^\(int\|void\) *\(vouch_[a-z]*\)(.*/\2/p' hooks/vouch.h | LC_ALL=C sort)
mapped=$(sed -n 's/^ *\(vouch_[a-z]*\);/\1/p' hooks/vouch.map | LC_ALL=C sort)
exported=$(nm -D --defined-only --with-symbol-versions "$VOUCH_SO" | awk '$2 != "A" { print $2, $3 }' | LC_ALL=C sort -k2)
tap_same "the map lists what the header declares" "$declared" "$mapped"
tap_same "the library exports what the map lists" "$(echo "$declared" | sed 's/.*/T &@@VOUCH_1/')" "$exported"
tap_same "twelve functions" 12 "$(echo "$declared" | wc -l)"
tap_empty "nothing else is visible without a version" "$(nm -D --defined-only "$VOUCH_SO" | grep -v '@@VOUCH_1\| VOUCH_1$')"
tap_end
