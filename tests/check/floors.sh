# SPDX-License-Identifier: MIT
# Data flows downwards: nobody includes upwards or sideways, each library has one file.
. tests/lib/tap.sh
tap_empty "includes go downwards" "$(awk -f tests/lib/floors.awk $(find plugin hooks -name '*.[ch]' | LC_ALL=C sort))"

# The check itself, on a small tree that it must flag line by line.
toy=$(mktemp -d)
here=$PWD
cd "$toy" || exit 1
mkdir -p hooks plugin/base plugin/io plugin/web plugin/review plugin/request plugin/moderation plugin/cli plugin/attic
touch hooks/vouch.h plugin/base/error.h plugin/io/db.h plugin/web/page.h plugin/review/review.h plugin/review/inner.h \
    plugin/request/request.h plugin/store.h plugin/cli/cli.h hooks/hook.h plugin/moderation/moderation.h
flagged() {
    printf '%s\n' "$2" >"$1"
    if [ "$3" = yes ]; then
        [ -n "$(awk -f "$here/tests/lib/floors.awk" "$1")" ]
    else
        [ -z "$(awk -f "$here/tests/lib/floors.awk" "$1")" ]
    fi
    tap "$1: $2 is $([ "$3" = yes ] && echo flagged || echo fine)" $?
    rm "$1"
}
flagged plugin/base/a.c '#include "io/db.h"' yes
flagged plugin/base/a.c '#include "error.h"' no
flagged plugin/base/a.c '#include <jansson.h>' yes
flagged plugin/base/json.h '#include <jansson.h>' no
flagged plugin/web/a.c '#include <libpq-fe.h>' yes
flagged plugin/web/a.c '#include "vouch.h"' yes
flagged plugin/web/a.c '#include "review/inner.h"' no
flagged plugin/request/a.c '#include "review/review.h"' yes
flagged plugin/review/a.c '#include "request/request.h"' no
flagged plugin/moderation/a.c '#include "store.h"' yes
flagged plugin/moderation/a.c '#include "base/error.h"' no
flagged plugin/moderation/a.c '#include <pthread.h>' yes
flagged plugin/store.c '#include "web/page.h"' yes
flagged plugin/store.c '#include "io/db.h"' no
flagged plugin/worker.c '#include "web/page.h"' no
flagged plugin/cli/a.c '#include "hooks/hook.h"' yes
flagged plugin/cli/a.c '#include "vouch.h"' no
flagged plugin/attic/a.c '#include "base/error.h"' yes
flagged plugin/web/a.c '#include "base/gone.h"' yes
flagged plugin/web/a.c '#include <ncurses.h>' yes
cd "$here" || exit 1
rm -rf "$toy"
tap_end
