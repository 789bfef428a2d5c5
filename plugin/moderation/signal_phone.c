/* SPDX-License-Identifier: MIT */
/* Telephone numbers: international ones by their country's code and length (E.164), national ones
   by the plans of the countries where a language is spoken. A number that might be an order, a
   date or a price is none. */
#include <string.h>

#include "moderation/signal_inner.h"

/* Country codes with the digits that follow them; the longest that fits counts. */
static const struct {
    char code[4];
    uint8_t least, most;
} codes[] = {
    {"1", 10, 10},  {"7", 10, 10},  {"20", 8, 10},  {"27", 9, 9},   {"30", 10, 10},
    {"31", 9, 9},   {"32", 8, 9},   {"33", 9, 9},   {"34", 9, 9},   {"36", 8, 9},
    {"39", 8, 11},  {"40", 9, 9},   {"41", 9, 9},   {"43", 7, 12},  {"44", 9, 10},
    {"45", 8, 8},   {"46", 7, 10},  {"47", 8, 8},   {"48", 9, 9},   {"49", 7, 12},
    {"51", 8, 9},   {"52", 10, 11}, {"53", 8, 8},   {"54", 10, 11}, {"55", 10, 11},
    {"56", 9, 9},   {"57", 10, 10}, {"58", 10, 10}, {"60", 8, 10},  {"61", 9, 9},
    {"62", 8, 12},  {"63", 8, 10},  {"64", 8, 10},  {"65", 8, 8},   {"66", 8, 9},
    {"81", 9, 10},  {"82", 8, 10},  {"84", 9, 10},  {"86", 10, 11}, {"90", 10, 10},
    {"91", 10, 10}, {"92", 9, 10},  {"93", 9, 9},   {"94", 9, 9},   {"95", 7, 10},
    {"98", 10, 10}, {"211", 9, 9},  {"212", 9, 9},  {"213", 8, 9},  {"216", 8, 8},
    {"218", 9, 9},  {"234", 8, 10}, {"238", 7, 7},  {"244", 9, 9},  {"249", 9, 9},
    {"258", 8, 9},  {"351", 9, 9},  {"352", 6, 11}, {"353", 7, 10}, {"354", 7, 9},
    {"356", 8, 8},  {"357", 8, 8},  {"358", 6, 11}, {"359", 8, 9},  {"370", 8, 8},
    {"371", 8, 8},  {"372", 7, 8},  {"373", 8, 8},  {"374", 8, 8},  {"375", 9, 10},
    {"376", 6, 9},  {"380", 9, 9},  {"381", 8, 9},  {"385", 8, 9},  {"386", 8, 8},
    {"387", 8, 9},  {"389", 8, 8},  {"420", 9, 9},  {"421", 9, 9},  {"502", 8, 8},
    {"503", 8, 8},  {"504", 8, 8},  {"505", 8, 8},  {"506", 8, 8},  {"507", 7, 8},
    {"591", 8, 8},  {"593", 8, 9},  {"595", 9, 9},  {"598", 8, 8},  {"852", 8, 8},
    {"886", 8, 9},  {"961", 7, 8},  {"962", 8, 9},  {"963", 8, 9},  {"964", 9, 10},
    {"965", 8, 8},  {"966", 9, 9},  {"967", 7, 9},  {"968", 8, 8},  {"970", 8, 9},
    {"971", 8, 9},  {"972", 8, 9},  {"973", 8, 8},  {"974", 8, 8},  {"992", 9, 9},
    {"994", 9, 9},  {"995", 9, 9},  {"998", 9, 9}};

enum needs { NEEDS_NOTHING = 0, NEEDS_GROUPS = 1, NEEDS_CUE = 2 };

/* National plans. X any digit, N 2 to 9, Z 1 to 9. needs: what makes it certain. */
static const struct {
    char language[3];
    uint8_t needs;
    char pattern[14];
} plans[] = {{"en", NEEDS_GROUPS, "NXXNXXXXXX"},   {"en", NEEDS_GROUPS, "1NXXNXXXXXX"},
             {"en", NEEDS_NOTHING, "07XXXXXXXXX"}, {"en", NEEDS_GROUPS, "01XXXXXXXXX"},
             {"en", NEEDS_GROUPS, "02XXXXXXXXX"},  {"en", NEEDS_NOTHING, "08XXXXXXXXX"},
             {"en", NEEDS_NOTHING, "09XXXXXXXXX"}, {"es", NEEDS_GROUPS, "6XXXXXXXX"},
             {"es", NEEDS_GROUPS, "7ZXXXXXXX"},    {"es", NEEDS_GROUPS, "9ZXXXXXXX"},
             {"es", NEEDS_GROUPS, "8ZXXXXXXX"},    {"es", NEEDS_CUE, "NXXXXXXXXX"},
             {"pt", NEEDS_NOTHING, "ZZ9ZXXXXXXX"}, {"pt", NEEDS_NOTHING, "0ZZ9ZXXXXXXX"},
             {"pt", NEEDS_GROUPS, "ZZ2XXXXXXX"},   {"pt", NEEDS_GROUPS, "ZZ3XXXXXXX"},
             {"pt", NEEDS_GROUPS, "ZZ4XXXXXXX"},   {"pt", NEEDS_GROUPS, "ZZ5XXXXXXX"},
             {"pt", NEEDS_CUE, "9NXXXXXXX"},       {"pt", NEEDS_GROUPS, "91XXXXXXX"},
             {"pt", NEEDS_GROUPS, "92XXXXXXX"},    {"pt", NEEDS_GROUPS, "93XXXXXXX"},
             {"pt", NEEDS_GROUPS, "96XXXXXXX"},    {"pt", NEEDS_CUE, "NXXXXXXX"},
             {"ar", NEEDS_NOTHING, "05XXXXXXXX"},  {"ar", NEEDS_NOTHING, "010XXXXXXXX"},
             {"ar", NEEDS_NOTHING, "011XXXXXXXX"}, {"ar", NEEDS_NOTHING, "012XXXXXXXX"},
             {"ar", NEEDS_NOTHING, "015XXXXXXXX"}, {"ar", NEEDS_NOTHING, "06XXXXXXXX"},
             {"ar", NEEDS_NOTHING, "07XXXXXXXX"},  {"ar", NEEDS_NOTHING, "07XXXXXXXXX"},
             {"fa", NEEDS_NOTHING, "09XXXXXXXXX"}, {"fa", NEEDS_CUE, "0ZXXXXXXXXX"},
             {"fa", NEEDS_CUE, "9XXXXXXXXX"},      {"lv", NEEDS_GROUPS, "2XXXXXXX"},
             {"lv", NEEDS_GROUPS, "6XXXXXXX"}};

static const char *const cues[] = {"tel",
                                   "fone",
                                   "phone",
                                   "call",
                                   "whats",
                                   "wpp",
                                   "zap",
                                   "celular",
                                   "cel ",
                                   "cel:",
                                   "mobile",
                                   "m\xC3\xB3vil",
                                   "movil",
                                   "ll\xC3\xA1m",
                                   "llam",
                                   "ligue",
                                   "ligar",
                                   "contat",
                                   "contact",
                                   "sms",
                                   "text me",
                                   "zvan",
                                   "numur",
                                   "n\xC3\xBAmero de tel",
                                   "mob",
                                   "fax",
                                   "\xD9\x87\xD8\xA7\xD8\xAA\xD9\x81", /* هاتف */
                                   "\xD8\xAC\xD9\x88\xD8\xA7\xD9\x84", /* جوال */
                                   "\xD9\x85\xD9\x88\xD8\xA8\xD8\xA7", /* موبا */
                                   "\xD9\x88\xD8\xA7\xD8\xAA\xD8\xB3", /* واتس */
                                   "\xD8\xAA\xD9\x84\xD9\x81\xD9\x86", /* تلفن */
                                   "\xD8\xAA\xD9\x85\xD8\xA7\xD8\xB3", /* تماس */
                                   "\xD8\xB4\xD9\x85\xD8\xA7\xD8\xB1\xD9\x87", /* شماره */
                                   "\xD8\xAA\xD9\x88\xD8\xA7\xD8\xB5\xD9\x84", /* تواصل */
                                   NULL};

/* What stands before a number that is none of a person. */
static const char *const orders[] = {
    "pedido",
    "order",
    "ordem",
    "nota",
    "nf",
    "protocol",
    "rastre",
    "tracking",
    "codigo",
    "c\xC3\xB3"
    "digo",
    "cod",
    "code",
    "ref",
    "invoice",
    "factura",
    "fatura",
    "pas\xC5\xABt",
    "pasut",
    "s\xC5\xABt\xC4\xABj",
    "isbn",
    "ean",
    "sku",
    "model",
    "serial",
    "s\xC3\xA9rie",
    "serie",
    "compra",
    "purchase",
    "ticket",
    "chamado",
    "item",
    "lote",
    "cnpj",
    "\xD8\xB7\xD9\x84\xD8\xA8",                         /* طلب */
    "\xD8\xB3\xD9\x81\xD8\xA7\xD8\xB1\xD8\xB4",         /* سفارش */
    "\xD9\x81\xD8\xA7\xD8\xAA\xD9\x88\xD8\xB1\xD8\xA9", /* فاتورة */
    NULL};

static bool fits_code(const char *digits, size_t count) {
    for (size_t k = 3; k >= 1; k--) {
        for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
            if (strlen(codes[i].code) == k && count > k &&
                memcmp(codes[i].code, digits, k) == 0) {
                return count - k >= codes[i].least && count - k <= codes[i].most + 1U;
            }
        }
    }
    return false;
}

static bool fits_pattern(const char *pattern, const struct number *number) {
    if (strlen(pattern) != number->count) {
        return false;
    }
    for (size_t i = 0; i < number->count; i++) {
        char p = pattern[i], d = number->digits[i];
        bool fits =
            p == 'X' || (p == 'N' && d >= '2') || (p == 'Z' && d >= '1') || p == d;
        if (!fits) {
            return false;
        }
    }
    return true;
}

/* Groups as in a telephone number: none of one digit but the first, one of three at least. */
static bool grouped(const struct number *number) {
    size_t most = 0;

    for (size_t i = 0; i < number->groups; i++) {
        if (number->sizes[i] < 2 && i > 0 && i + 1 < number->groups) {
            return false;
        }
        most = number->sizes[i] > most ? number->sizes[i] : most;
    }
    return number->groups >= 2 && number->groups <= 6 && most >= 3 && most <= 6 &&
           !number->slashes && (!number->dots || number->dashes);
}

/* 2018-09-14, 14.09.2018, 29.09.-15.00: a day, a time. */
static bool is_date(const struct number *number) {
    const uint8_t *sizes = number->sizes;
    bool twos = true;

    for (size_t i = 0; i < number->groups; i++) {
        twos = twos && sizes[i] <= 2;
    }
    return number->groups >= 3 &&
           ((sizes[0] == 4 && sizes[1] <= 2 && sizes[2] <= 2) ||
            (sizes[0] <= 2 && sizes[1] <= 2 && sizes[2] == 4 && number->groups <= 5 &&
             (number->dots || number->slashes || number->dashes) &&
             number->count != 10) ||
            (twos && number->dots));
}

/* All the same, or one after the other: nobody's. */
static bool is_idle(const struct number *number) {
    bool same = true, row = true;

    for (size_t i = 1; i < number->count; i++) {
        same = same && number->digits[i] == number->digits[i - 1];
        row = row && number->digits[i] == (number->digits[i - 1] - '0' + 1) % 10 + '0';
    }
    return same || row;
}

static bool is_national(const struct sought *t, const struct number *number, bool cued) {
    bool whole = number->groups == 1, in_groups = grouped(number);

    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        bool here = !*t->language || strcmp(plans[i].language, t->language) == 0;
        if (!here || !fits_pattern(plans[i].pattern, number)) {
            continue;
        }
        if (cued || (plans[i].needs == NEEDS_NOTHING && (whole || in_groups)) ||
            (plans[i].needs == NEEDS_GROUPS && in_groups)) {
            return true;
        }
    }
    return false;
}

bool signal_is_phone(const struct sought *t, const struct number *number) {
    const char *digits = number->digits;
    size_t count = number->count;

    if (count > 15 || is_idle(number) || (!number->plus && is_date(number))) {
        return false;
    }
    bool cued = signal_cued(t, number->start, 28, cues);
    if (number->plus) {
        return fits_code(digits, count);
    }
    if (number->comma || (!cued && signal_cued(t, number->start, 20, orders))) {
        return false;
    }
    if (count > 10 && digits[0] == '0' && digits[1] == '0' && (cued || grouped(number)) &&
        fits_code(digits + 2, count - 2)) {
        return true;
    }
    if (cued && count >= 11 && fits_code(digits, count)) {
        return true;
    }
    return is_national(t, number, cued && !number->slashes);
}
