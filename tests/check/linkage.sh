# SPDX-License-Identifier: MIT
# What the loader will see: libraries, hardening, nothing that runs at load.
. tests/lib/tap.sh
tap_needs "$VOUCH_SO"
tap_needs "$VOUCH_CTL"
needed() { readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -v '^ld-linux' | LC_ALL=C sort | xargs; }
allowed='libc.so.6 libcurl.so.4 libjansson.so.4 libm.so.6 libpq.so.5 libsodium.so.[0-9]+ libsqlite3.so.0 libutf8proc.so.[0-9]+'
tap_same "vouch.so needs its six libraries, libc and its libm" "" \
    "$(for n in $(needed "$VOUCH_SO"); do echo "$n" | grep -qxE "$(echo "$allowed" | sed 's/\./\\./g; s/ /|/g')" || echo "$n"; done)"
tap_same "and all of them" 8 "$(needed "$VOUCH_SO" | wc -w)"
for file in "$VOUCH_SO" "$VOUCH_CTL"; do
    name=$(basename "$file")
    dynamic=$(readelf -dW "$file")
    segments=$(readelf -lW "$file")
    echo "$dynamic" | grep -q 'FLAGS.*BIND_NOW' && echo "$dynamic" | grep -q 'FLAGS_1.*NOW'
    tap "$name binds at load" $?
    echo "$segments" | grep -q GNU_RELRO
    tap "$name has RELRO" $?
    echo "$segments" | grep -q 'GNU_STACK.* RW  *0x'
    tap "$name has a stack without execution" $?
    tap_empty "$name has no segment both writable and executable" "$(echo "$segments" | grep 'LOAD.*RWE')"
    tap_empty "$name has no TEXTREL, RPATH or RUNPATH" "$(echo "$dynamic" | grep -E 'TEXTREL|RPATH|RUNPATH')"
    nm -uD "$file" | grep -q __stack_chk_fail
    tap "$name has stack protectors" $?
    nm -uD "$file" | grep -q '_chk@'
    tap "$name is fortified" $?
done
readelf -dW "$VOUCH_SO" | grep -q 'FLAGS_1.*NODELETE'
tap "vouch.so is never unmapped" $?
tap_empty "vouch.so may be opened by dlopen" "$(readelf -dW "$VOUCH_SO" | grep NOOPEN)"
readelf -dW "$VOUCH_SO" | grep -q SYMBOLIC
tap "vouch.so binds its own names to itself" $?
readelf -dW "$VOUCH_CTL" | grep -q 'FLAGS_1.*PIE'
tap "vouchctl is position independent" $?
for array in INIT_ARRAY FINI_ARRAY; do
    tap_same "vouch.so has no function in $array but the compiler's" "8 (bytes)" \
        "$(readelf -dW "$VOUCH_SO" | sed -n "s/.*(${array}SZ) *//p")"
done
tap_end
