# SPDX-License-Identifier: MIT
# Who may include whom: names every #include that goes up or sideways, or that takes a library where
# it does not belong. Read from the root of a tree: awk -f tests/lib/floors.awk FILE…
function room(path) {
    if (path ~ /^hooks\//) return "hooks"
    if (path ~ /^plugin\/[^\/]*$/) return path ~ /\/(module|ready|describe|intake|worker)[a-z_]*\.[ch]$/ ? "module" : path ~ /\/(settings|store|options)[a-z_]*\.[ch]$/ ? "settings" : "?"
    sub(/^plugin\//, "", path)
    sub(/\/.*/, "", path)
    return path in floor ? path : "?"
}
function exists(path,    line, there) {
    there = (getline line < path) >= 0
    close(path)
    return there
}
function bad(why) {
    printf "%s:%d: %s: %s\n", FILENAME, FNR, $0, why
}
BEGIN {
    split("base 1 io 2 settings 3 moderation 4 mail 4 notify 4 request 5.1 care 5.2 review 5.3 source 5.4 web 6 module 7 hooks 8 cli 8", word, " ")
    for (i = 1; i in word; i += 2) floor[word[i]] = word[i + 1]
    owner["jansson.h"] = "^plugin/base/json\\.h$"
    owner["utf8proc.h"] = "^plugin/base/text\\.c$"
    owner["sodium.h"] = "^plugin/base/crypto\\.c$"
    owner["libpq-fe.h"] = "^plugin/io/(pq|db[a-z_]*)\\.[ch]$"
    owner["sqlite3.h"] = "^plugin/io/spool\\.c$"
    owner["curl/curl.h"] = "^plugin/io/(net|https)\\.c$"
    owner["resolv.h"] = "^plugin/io/conninfo\\.c$"
    owner["malloc.h"] = "^plugin/base/memory\\.c$"
    owner["pthread.h"] = "^plugin/(module|intake|intake_spool|worker|settings|base/log|io/db[a-z_]*)\\.[ch]$"
    split("arpa/inet dlfcn errno fcntl float inttypes limits math netdb netinet/in netinet/tcp poll sched setjmp signal stdarg stdatomic stdalign stdbool stddef stdint stdio stdlib string strings sys/eventfd sys/file sys/mman sys/random sys/socket sys/stat sys/time sys/types sys/uio sys/un sys/prctl sys/syscall termios time unistd sys/statvfs sys/timerfd sys/epoll getopt pwd", word, " ")
    for (i in word) owner[word[i] ".h"] = "."
}
/^[ \t]*#[ \t]*include/ {
    from = room(FILENAME)
    if (from == "?") { bad("this file is in no room"); next }
    name = $0
    sub(/^[^"<]*["<]/, "", name)
    sub(/[">].*/, "", name)
    if ($0 ~ /</) {
        if (!(name in owner)) bad("no such library here")
        else if (FILENAME !~ owner[name]) bad("this header belongs to another file")
        else if (name == "libpq-fe.h" && ++libpq > 1) bad("a second file includes it")
        next
    }
    if (name == "vouch.h") {
        if (from != "hooks" && from != "cli") bad("only the doors know it")
        next
    }
    beside = FILENAME
    sub(/[^\/]*$/, name, beside)
    path = name ~ /^hooks\// ? name : "plugin/" name
    if (name !~ /\// && exists(beside)) path = beside
    to = room(path)
    if (to == "?") bad("leads to no room")
    else if (!exists(path)) bad("no such file")
    else if (to == from) next
    else if (from == "moderation" && to != "base") bad("moderation sees base only")
    else if (floor[to] >= floor[from]) bad(to " is not below " from)
    else if (int(floor[to]) == 5 && int(floor[from]) == 5 && path != "plugin/" to "/" to ".h") bad("only the header of room " to)
}
