# SPDX-License-Identifier: MIT
# timeout: 900
# The other compiler builds the same without a word, and what it links passes the same gates.
. tests/lib/tap.sh
said=$(make -s --no-print-directory -j2 BUILD=build/clang CC=clang all 2>&1 </dev/null)
tap "clang builds it with -Werror" $? "$said"
tap_empty "without a word" "$said"
if [ -e build/clang/vouch.so ]; then
    tap_same "the same exports" "$(nm -D --defined-only "$VOUCH_SO" | awk '{ print $3 }')" \
        "$(nm -D --defined-only build/clang/vouch.so | awk '{ print $3 }')"
    tap_same "the same libraries" "$(readelf -dW "$VOUCH_SO" | sed -n 's/.*(NEEDED)//p' | sort)" \
        "$(readelf -dW build/clang/vouch.so | sed -n 's/.*(NEEDED)//p' | sort)"
fi
tap_end
