# SPDX-License-Identifier: MIT
# vouch.h alone, in every dialect a store may be written in, and as the manual it is.
. tests/lib/tap.sh
compiles() {
    what=$1
    shift
    said=$(printf '#include "vouch.h"\nint use(vouch *m, char **r);\nint use(vouch *m, char **r)\n{\n    return vouch_step(m, VOUCH_ABI, r) == VOUCH_OK;\n}\n' |
        "$@" -Ihooks -Wall -Wextra -pedantic -Werror -fsyntax-only - 2>&1)
    tap "$what" $? "$said"
}
compiles "C90 without long long" gcc -x c -std=c90 -pedantic-errors -Wlong-long -Wstrict-prototypes
compiles "C99" gcc -x c -std=c99
compiles "C11, clang, every warning" clang -x c -std=c11 -Weverything -Wno-padded -Wno-poison-system-directories
compiles "C++98" clang -x c++ -std=c++98
compiles "C++20" clang -x c++ -std=c++20 -Wold-style-cast
tap_same "it includes nothing but stddef.h" "#include <stddef.h>" "$(grep '^ *# *include' hooks/vouch.h)"
share=$(awk '/^[ \t]*$/ { next } { all++; if (inside || /^[ \t]*\/\*/) { comment++; inside = !/\*\// } } END { print int(100 * comment / all) }' hooks/vouch.h)
echo "# $share % of its lines are comment"
[ "$share" -ge 40 ]
tap "at least 40 % of it is comment" $?
tap_end
