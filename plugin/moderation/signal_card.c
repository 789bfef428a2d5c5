/* SPDX-License-Identifier: MIT */
/* Payment cards: ISO/IEC 7812 prefixes and lengths, Luhn's digit, groups as printed. */
#include <string.h>

#include "moderation/signal_inner.h"

static const struct {
    unsigned from, until; /* of the first four digits */
    uint8_t lengths[3];
} networks[] = {
    {4000, 4999, {16, 13, 19}}, {5100, 5599, {16, 0, 0}}, {2221, 2720, {16, 0, 0}},
    {3400, 3499, {15, 0, 0}},   {3700, 3799, {15, 0, 0}}, {6011, 6011, {16, 0, 0}},
    {6440, 6599, {16, 0, 0}},   {3528, 3589, {16, 0, 0}}, {3000, 3059, {14, 0, 0}},
    {3600, 3699, {14, 0, 0}},   {3800, 3899, {14, 0, 0}}, {6200, 6299, {16, 17, 19}},
    {5060, 5099, {16, 0, 0}},   {6362, 6363, {16, 0, 0}}, {6037, 6037, {16, 0, 0}},
    {6104, 6104, {16, 0, 0}},   {5018, 5041, {16, 0, 0}}};

static bool network_has(const struct number *number) {
    unsigned first = 0;

    for (size_t i = 0; i < 4; i++) {
        first = first * 10 + (unsigned)(number->digits[i] - '0');
    }
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        if (first >= networks[i].from && first <= networks[i].until &&
            memchr(networks[i].lengths, (int)number->count, 3)) {
            return true;
        }
    }
    return false;
}

static bool luhn(const struct number *number) {
    unsigned sum = 0;

    for (size_t i = 0; i < number->count; i++) {
        unsigned digit = (unsigned)(number->digits[number->count - 1 - i] - '0');
        digit = i % 2 ? 2 * digit : digit;
        sum += digit > 9 ? digit - 9 : digit;
    }
    return sum % 10 == 0;
}

/* All together, in fours, or 4-6-5 and 4-6-4. */
static bool grouped(const struct number *number) {
    bool fours = true;

    for (size_t i = 0; i + 1 < number->groups; i++) {
        fours = fours && number->sizes[i] == 4;
    }
    return number->groups == 1 || (fours && number->sizes[number->groups - 1] <= 4) ||
           (number->groups == 3 && number->sizes[0] == 4 && number->sizes[1] == 6);
}

bool signal_is_card(const struct number *number) {
    return number->count >= 13 && number->count <= 19 && !number->slashes &&
           !number->comma && !number->plus && grouped(number) && network_has(number) &&
           luhn(number);
}
