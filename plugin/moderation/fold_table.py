#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes fold_table.c: what every code point becomes when text is read as people read it.

Folding is compatibility decomposition and case folding, marks and invisible characters dropped,
Arabic and Persian variants of one letter joined. Run by hand when Unicode moves:
    python3 fold_table.py > fold_table.c
"""
import unicodedata as U

LIMIT = 0x30000
BLOCK = 64
SEPARATOR, DROP, SPACE, LETTER, SYMBOL, IDEOGRAPH, HANGUL, LOOKALIKE = range(8)
MAPPED = 16

STRIPPED = [(0x300, 0x36F), (0x483, 0x489), (0x591, 0x5C7), (0x610, 0x61A), (0x64B, 0x65F),
            (0x670, 0x670), (0x6D6, 0x6ED), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF),
            (0xFE20, 0xFE2F), (0x8D3, 0x8FF), (0x7EB, 0x7F3), (0x302A, 0x302F)]
INVISIBLE = [(0, 8), (0xE, 0x1F), (0x7F, 0x84), (0x86, 0x9F), (0xAD, 0xAD), (0x34F, 0x34F),
             (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
             (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164),
             (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB),
             (0x640, 0x640), (0x621, 0x621), (0x1F3FB, 0x1F3FF), (0x1D173, 0x1D17A)]
IDEOGRAPHS = [(0xE00, 0xEFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x2E80, 0x2FDF),
              (0x3005, 0x3007), (0x3040, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x9FFF),
              (0xF900, 0xFAFF), (0x20000, 0x2FFFF)]
EMOJI = [(0x2600, 0x27BF), (0x2B00, 0x2BFF), (0x1F000, 0x1F0FF), (0x1F200, 0x1FAFF)]
JOINED = {0x649: 0x64A, 0x6CC: 0x64A, 0x6D0: 0x64A, 0x6A9: 0x643, 0x6AA: 0x643, 0x629: 0x647,
          0x6C1: 0x647, 0x6D5: 0x647, 0x6BE: 0x647, 0x671: 0x627, 0x6A4: 0x641, 0x6BA: 0x646,
          0x6CD: 0x64A, 0x6D2: 0x64A, 0x6CB: 0x648, 0x672: 0x627, 0x673: 0x627, 0x6C0: 0x647}
LATIN = {'đ': 'd', 'ł': 'l', 'ø': 'o', 'ħ': 'h', 'ŧ': 't', 'ƀ': 'b', 'ɨ': 'i', 'ʉ': 'u', 'ı': 'i',
         'æ': 'ae', 'œ': 'oe', 'ð': 'd', 'ɑ': 'a', 'ɡ': 'g', 'ƒ': 'f', 'ɩ': 'i', 'ɐ': 'a', 'ə': 'e',
         'ɛ': 'e', 'ɢ': 'g', 'ʙ': 'b', 'ʜ': 'h', 'ɪ': 'i', 'ʟ': 'l', 'ɴ': 'n', 'ʀ': 'r', 'ʏ': 'y',
         'ᴀ': 'a', 'ᴄ': 'c', 'ᴅ': 'd', 'ᴇ': 'e', 'ᴊ': 'j', 'ᴋ': 'k', 'ᴍ': 'm', 'ᴏ': 'o', 'ᴘ': 'p',
         'ᴛ': 't', 'ᴜ': 'u', 'ᴠ': 'v', 'ᴡ': 'w', 'ᴢ': 'z', 'ꜰ': 'f', 'ꜱ': 's', 'ŋ': 'n', 'ɔ': 'o',
         'ƙ': 'k', 'ɦ': 'h', 'ƈ': 'c', 'ɗ': 'd', 'ƥ': 'p', 'ƭ': 't', 'ʋ': 'v', 'ȿ': 's', 'ƴ': 'y'}
# Letters of other scripts that are read as Latin ones (the first) inside a disguised word.
LOOKALIKES = ("аa вb сc еe ԁd һh нh іi їi ӏl јj кk мm ոn оo рp ԛq ѕs тt ԝw хx уy үy ѵv "
              "αa βb ςc εe ηn ιi κk μu νv οo ρp τt υu χx ωw ɑa օo սu հh ցg յj քp").split()


def inside(ranges, cp):
    return any(a <= cp <= b for a, b in ranges)


def letters_of(cp):
    """The folded letters and digits of one code point, or '' when it has none."""
    out = []
    text = U.normalize('NFKD', U.normalize('NFKD', chr(cp)).casefold())
    for c in text:
        o = JOINED.get(ord(c), ord(c))
        if inside(STRIPPED, o) or inside(INVISIBLE, o):
            continue
        if U.category(chr(o)) == 'Nd':
            out.append(str(U.digit(chr(o))))
        elif U.category(chr(o))[0] in 'LNM':
            out.append(LATIN.get(chr(o), chr(o)))
    if 0x1F150 <= cp <= 0x1F169 or 0x1F170 <= cp <= 0x1F189:
        out = [chr(ord('a') + (cp - 0x1F150) % 32)]
    return ''.join(out)


def kind_of(cp):
    """(kind, text): text only for kind MAPPED."""
    category = U.category(chr(cp))
    if cp in (9, 10, 11, 12, 13, 0x85, 0x2800) or category in ('Zs', 'Zl', 'Zp'):
        return SPACE, ''
    if inside(INVISIBLE, cp) or inside(STRIPPED, cp) or category == 'Cf':
        return DROP, ''
    if 0xAC00 <= cp <= 0xD7A3:
        return HANGUL, ''
    if category[0] in 'LNM' or 0x1F130 <= cp <= 0x1F189 or 0x249C <= cp <= 0x24E9:
        text = letters_of(cp)
        if not text or len(text) > 4 or len(text.encode()) > 9:
            return SEPARATOR, ''
        if text != chr(cp):
            return MAPPED, text
        return (IDEOGRAPH if inside(IDEOGRAPHS, cp) else LETTER), ''
    return (SYMBOL if inside(EMOJI, cp) else SEPARATOR), ''


def rows(values, form, per_line):
    for i in range(0, len(values), per_line):
        print('    ' + ' '.join(form % v + ',' for v in values[i:i + per_line]))


def main():
    like = {}
    for pair in LOOKALIKES:
        like[letters_of(ord(pair[0])) or pair[0]] = pair[1].lower()
    pool, offsets, mapped, entry_of = bytearray(), {}, [], {}

    def mapping(text, flag):
        key = (text, flag)
        if key not in entry_of:
            raw = text.encode()
            if raw not in offsets:
                at = pool.find(raw)
                if at < 0:
                    at = len(pool)
                    pool.extend(raw)
                offsets[raw] = at
            entry_of[key] = MAPPED + len(mapped)
            mapped.append((offsets[raw], len(raw), flag))
        return entry_of[key]

    values = []
    for cp in range(LIMIT):
        if 0xD800 <= cp <= 0xDFFF:
            values.append(SEPARATOR)
            continue
        kind, text = kind_of(cp)
        if kind == LETTER and chr(cp) in like:
            kind, text = MAPPED, chr(cp)
        if kind != MAPPED:
            values.append(kind)
            continue
        size = len(chr(cp).encode())
        assert len(text.encode()) <= 3 * size
        flag = IDEOGRAPH if inside(IDEOGRAPHS, ord(text[0])) else LETTER
        if text in like:
            flag = LOOKALIKE
        elif all(c.isascii() for c in text) and not text.isdigit():
            flag = 8
        elif text.isdigit():
            flag = 9
        values.append(mapping(text, flag))
    blocks, index = [], []
    for i in range(0, LIMIT, BLOCK):
        block = tuple(values[i:i + BLOCK])
        if block not in blocks:
            blocks.append(block)
        index.append(blocks.index(block))
    assert len(blocks) < 65536 and len(pool) < 65536 and len(mapped) < 65000

    print('/* SPDX-License-Identifier: MIT */')
    print('/* Written by fold_table.py (Unicode %s): change that, not this. */' % U.unidata_version)
    print('#include "moderation/fold_table.h"\n\n/* clang-format off */')
    print('const uint16_t fold_index[FOLD_LIMIT / FOLD_BLOCK] = {')
    rows(index, '%d', 20)
    print('};\n\nconst uint16_t fold_entry[][FOLD_BLOCK] = {')
    for block in blocks:
        print('    {')
        rows(block, '%d', 20)
        print('    },')
    print('};\n\nconst struct fold_mapping fold_mapping[] = {')
    rows(mapped, '{%d, %d, %d}', 7)
    print('};\n\nconst unsigned char fold_pool[] = {')
    rows(list(pool), '%d', 24)
    print('};\n\nconst struct fold_lookalike fold_lookalike[] = {')
    pairs = sorted((ord(k), "'%s'" % v) for k, v in like.items() if len(k) == 1)
    rows(pairs, '{%d, %s}', 7)
    print('};\n\nconst size_t fold_lookalikes = %d;' % len(pairs))


if __name__ == "__main__":
    main()
