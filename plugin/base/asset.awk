# SPDX-License-Identifier: MIT
# Names of files, in order, to an assembler file that holds them: asset_table[asset_count] of
# struct asset (plugin/base/asset.h) and the bytes, each file with a NUL behind it.
BEGIN {
    print "#ifdef __CET__\n#include <cet.h>\n#endif"
    print "\t.section .rodata"
}
{
    for (i = 1; i <= NF; i++) {
        printf "n%d:\t.asciz \"%s\"\nd%d:\t.incbin \"%s\"\ne%d:\t.byte 0\n", n, $i, n, $i, n
        n++
    }
}
END {
    print "\t.section .data.rel.ro,\"aw\"\n\t.balign 8"
    print "\t.globl asset_table, asset_count\n\t.hidden asset_table, asset_count"
    print "\t.type asset_table, %object\n\t.type asset_count, %object\nasset_table:"
    for (i = 0; i < n; i++)
        printf "\t.dc.a n%d, d%d, e%d - d%d\n", i, i, i, i
    print "\t.size asset_table, . - asset_table"
    printf "asset_count:\n\t.dc.a %d\n\t.size asset_count, . - asset_count\n", n
    print "\t.section .note.GNU-stack,\"\",%progbits"
}
