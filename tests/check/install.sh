# SPDX-License-Identifier: MIT
# timeout: 600
# make install puts everything where it belongs, and a store builds against it. And make is done when it is done.
. tests/lib/tap.sh
unset VOUCH_BUILD
root=$(mktemp -d)
said=$(make -s --no-print-directory install PREFIX=/opt/vouch DESTDIR="$root" 2>&1 </dev/null)
tap "make install" $? "$said"
tap_same "what it puts there" "bin/vouchctl
include/vouch.h
lib/pkgconfig/vouch.pc
lib/vouch/vouch.so
share/man/man1/vouchctl.1
share/man/man3/vouch.3" "$(cd "$root/opt/vouch" && find . -type f | sed 's,^\./,,' | LC_ALL=C sort)"
said=$(make -s --no-print-directory install PREFIX="$root/own" 2>&1 </dev/null)
tap "make install with a prefix alone" $? "$said"
vouch_pc() { PKG_CONFIG_PATH="$root/own/lib/pkgconfig" pkg-config "$@" vouch; }
tap_same "pkg-config knows where the module is" "$root/own/lib/vouch/vouch.so" "$(vouch_pc --variable=module)"
printf '#include <vouch.h>\nint main(void)\n{\n    return vouch_abi() != VOUCH_ABI;\n}\n' >"$root/store.c"
said=$(gcc -o "$root/store" "$root/store.c" $(vouch_pc --cflags --libs) 2>&1 && "$root/store" 2>&1)
tap "a store in C builds against it and agrees on the ABI" $? "$said"
for page in plugin/cli/vouchctl.1 hooks/vouch.3; do
    if command -v mandoc >/dev/null 2>&1; then
        tap_empty "$page is well-formed" "$(mandoc -T lint -W warning "$page" 2>&1)"
    elif command -v groff >/dev/null 2>&1; then
        tap_empty "$page is well-formed" "$(groff -ww -b -mandoc -Tutf8 -z "$page" 2>&1)"
    else
        tap_skip "$page is well-formed" "neither mandoc nor groff here"
    fi
done
for f in $(sed -n 's/^ *\(vouch_[a-z]*\);/\1/p' hooks/vouch.map); do
    grep -q "$f" hooks/vouch.3 || missing="${missing-} $f"
done
tap_empty "vouch.3 names every function" "${missing-}"
tap_empty "a second make has nothing to do" "$(make --no-print-directory all 2>&1 </dev/null | grep -v 'cmp -s\|Nothing to be done')"
rm -rf "$root"
tap_end
