# SPDX-License-Identifier: MIT
# TAP for shell tests, sourced from the root of the tree. Ends by `tap_end`.
tap_number=0
tap_failed=0

# tap NAME STATUS [DETAIL]: a result; DETAIL is told when it failed.
tap() {
    tap_number=$((tap_number + 1))
    if [ "$2" = 0 ]; then
        echo "ok $tap_number - $1"
    else
        echo "not ok $tap_number - $1"
        tap_failed=1
        [ -z "${3-}" ] || printf '%s\n' "$3" | sed 's/^/# /'
    fi
}

# tap_same NAME EXPECTED FOUND
tap_same() {
    [ "$2" = "$3" ]
    tap "$1" $? "expected:
$2
found:
$3"
}

# tap_empty NAME FOUND: nothing may have been found.
tap_empty() {
    [ -z "$2" ]
    tap "$1" $? "$2"
}

tap_skip() {
    tap_number=$((tap_number + 1))
    echo "ok $tap_number - $1 # SKIP $2"
}

# tap_needs FILE: no result about a file that is not there.
tap_needs() {
    [ -e "$1" ] && return
    echo "Bail out! $1 is not there"
    exit 1
}

tap_end() {
    echo "1..$tap_number"
    exit $tap_failed
}
