# SPDX-License-Identifier: MIT
# What the module never calls, by its undefined symbols and by its sources.
. tests/lib/tap.sh
tap_needs "$VOUCH_SO"

# banned NAME SYMBOL…: none of them, also in its fortified spelling, is called by vouch.so.
undefined=$(nm -uD "$VOUCH_SO" | sed 's/.* //; s/@.*//')
banned() {
    what=$1
    shift
    found=$(for s; do echo "$undefined" | grep -xE "$s|__${s}_chk|__isoc99_$s|__isoc23_$s"; done)
    tap_empty "$what" "$found"
}
banned "bounds are known to every write" sprintf vsprintf strcpy stpcpy strcat strncpy strncat gets scanf sscanf fscanf
banned "numbers are read without locale" atoi atol atoll atof strtod strtof strtold
banned "no hidden state" strtok rand srand random srandom localtime gmtime ctime asctime strerror inet_ntoa readdir \
    gethostbyname getpwuid getpwnam drand48 mktemp tmpnam tempnam basename dirname
banned "the process stays the host's" exit _exit _Exit quick_exit abort raise kill system popen execv execve execvp fork vfork \
    posix_spawn posix_spawnp chdir fchdir umask setrlimit setenv putenv unsetenv clearenv setlocale uselocale tzset \
    signal sigaction bsd_signal sigprocmask prctl mallopt fesetround setpriority nice alarm setitimer
banned "no way out but by return" __assert_fail __assert longjmp siglongjmp _longjmp setjmp _setjmp __sigsetjmp \
    atexit __cxa_atexit at_quick_exit on_exit error err errx warn warnx
banned "standard streams are the host's" printf puts putchar vprintf perror stdout stderr stdin psignal
banned "bytes are not letters" __ctype_b_loc __ctype_tolower_loc __ctype_toupper_loc tolower toupper isalpha isalnum \
    isspace isdigit strcoll strxfrm
banned "threads end by themselves" pthread_cancel pthread_kill pthread_exit pthread_setcanceltype
banned "libraries stay up, the host may share them" curl_global_cleanup OPENSSL_cleanup sqlite3_shutdown
banned "no database call without a deadline" PQconnectdb PQconnectdbParams PQsetdbLogin PQexec PQexecParams PQprepare \
    PQexecPrepared PQreset PQping PQpingParams PQfn
banned "no statement is put together" 'PQescape[A-Za-z]*'
banned "no file of another's choice" alloca dlopen

sources=$(find plugin hooks -name '*.[ch]')
tap_empty "no alloca, no assert" \
    "$(grep -nE '\b(alloca|assert|__builtin_alloca)[[:space:]]*\(' $sources)"
tap_empty "the environment is read in one file" \
    "$(grep -lE '\b(secure_)?getenv[[:space:]]*\(' $(find plugin hooks -name '*.c' ! -path 'plugin/cli/*') | sed 1d)"
tap_empty "secrets are cleared by what compilers keep" "$(grep -nE '\b(bzero|explicit_bzero)[[:space:]]*\(' $sources)"
tap_empty "no symbol of ours but asset_* is defined outside a file of its name" \
    "$(grep -nE '^extern ' $(find plugin hooks -name '*.c') | grep -vE 'asset_(table|count)')"
tap_empty "all SQL that C sends is SELECT … FROM a function of schema vouch" \
    "$(grep -nE '"[^"]*\b(INSERT INTO|UPDATE [a-z_.]+ SET|DELETE FROM|TRUNCATE|DECLARE [a-z]+ CURSOR)\b' \
        $(find plugin hooks -name '*.c' ! -path 'plugin/io/spool*.c'))"
tap_end
