/* SPDX-License-Identifier: MIT */
/* Rules as tables. A text is read without its tags, folded, and sentence by sentence. */
#include "mail/lint.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"

enum { LINT_TEXT_MAX = 1024 * 1024, LINT_NAME_MAX = 128, LINT_RANGE = 24 };

/* Folded, digits in ASCII; stems that no other word of these languages holds. */
static const char *const praise[] = {
    "5 star", "5-star", "five star", "five-star", "positive", "good review", "great review",
    "top rating", "highest rating", "best rating", "5 estrella", "cinco estrella", "positiv",
    "buena reseña", "buena opinión", "máxima puntuación", "5 estrela", "cinco estrela",
    "boa avaliação", "nota máxima", "5 نجوم", "خمس نجوم", "إيجابي", "ايجابي", "تقييم جيد",
    "5 ستاره", "پنج ستاره", "مثبت", "امتیاز بالا", "5 zvaigzn", "piecas zvaigzn", "piecām zvaigzn",
    "pozitīv",
    "labu atsauksmi", "★★★★★", "⭐⭐⭐⭐⭐"};
static const char *const offers[] = {
    "discount", "voucher", "coupon", "code", "gift", "reward", "% off", "money off",
    "free shipping", "cashback", "refund", "descuento", "cupón", "regalo", "código",
    "recompensa", "envío gratis", "desconto", "cupom", "cupão", "brinde", "presente",
    "frete grátis", "portes grátis", "خصم", "قسيمة", "كوبون", "هدية", "رمز", "كود",
    "مكافأة", "شحن مجاني", "تخفیف", "کوپن", "هدیه", "پاداش", "جایزه", "ارسال رایگان",
    "atlaid", "kupon", "dāvan", "kods", "kodu", "balv", "bezmaksas piegād"};
/* A sentence that names the other side as well says that it makes no difference. */
static const char *const criticism[] = {
    "negativ", "critic", "crític", "1 star", "one star", "1 estrel", "سلبي", "سلبية",
    "منفی", "انتقاد", "kritisk", "negatīv", "good or bad", "whatever", "1 zvaigzn"};
/* Whose rules forbid what was paid for, in any part. */
static const char *const forbidding[] = {
    "google.", "g.page", "goo.gl", "trustpilot.", "trustedshops.", "ekomi.", "feefo.",
    "reviews.io", "yelp.", "tripadvisor.", "amazon.", "avis-verifies.", "verified-reviews.",
    "opiniones-verificadas.", "bbb.org", "sitejabber."};

struct names {
    const char *of;    /* a kind, "*" for all, or an object's name */
    const char *names; /* separated by spaces; those that stand alone in sections, too */
};
static const struct names roots[] = {
    {"*", "store customer transparency_url unsubscribe_url t subject lang dir start end . "
          "name url number value text label locale address"},
    {"request", "lines stars form_url order discount product_id id"},
    {"reminder", "lines stars form_url order discount product_id id"},
    {"discount", "lines stars form_url order discount product_id id"},
    {"confirm", "variant confirm_url valid_until review"},
    {"held", "review reasons has_reasons marks has_marks explanation automated from_report "
             "deadline appeal_until author_url ground variant"},
    {"rejected", "review reasons has_reasons marks has_marks explanation automated "
                 "from_report appeal_until author_url ground variant facts clause"},
    {"published", "review review_url author_url variant"},
    {"reply", "review reply review_url author_url"}};
static const struct names members[] = {
    {"store", "name url locale address"},
    {"customer", "name"},
    {"order", "id"},
    {"discount", "kind value currency code valid_until text minimum_spend"},
    {"review", "product rating title body"},
    {"reply", "body"},
    {"product", "name"}};

static bool holds_name(const char *list, const char *name, size_t n) {
    const char *at = list;
    while ((at = strstr(at, name))) {
        if ((at == list || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
            return true;
        at += 1;
    }
    return false;
}

static bool listed(const struct names *lists, size_t count, const char *of,
                   const char *name) {
    bool found = false;
    for (size_t i = 0; i < count && !found; i++)
        found = (strcmp(lists[i].of, of) == 0 || strcmp(lists[i].of, "*") == 0) &&
                holds_name(lists[i].names, name, strlen(name));
    return found;
}

static bool kind_known(const char *kind) {
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++)
        if (strcmp(roots[i].of, kind) == 0)
            return true;
    return false;
}

/* Within {{#discount}} its members stand alone. */
static bool member_known(const char *kind, const char *name) {
    bool known = false;
    for (size_t i = 0; i < sizeof members / sizeof *members && !known; i++)
        known = listed(roots, sizeof roots / sizeof *roots, kind, members[i].of) &&
                holds_name(members[i].names, name, strlen(name));
    return known;
}

/* Kinds without a list of their own are not the stores' to write. */
static bool name_known(const struct lint_part *part, const char *name) {
    char first[LINT_NAME_MAX + 1];
    const char *dot = strcmp(name, ".") == 0 ? NULL : strchr(name, '.');
    size_t n = dot ? (size_t)(dot - name) : strlen(name);
    if (n > LINT_NAME_MAX || !kind_known(part->kind))
        return n <= LINT_NAME_MAX;
    memcpy(first, name, n);
    first[n] = '\0';
    if (!dot && member_known(part->kind, name))
        return true;
    if (!listed(roots, sizeof roots / sizeof *roots, part->kind, first))
        return false;
    if (!dot)
        return true;
    if (strcmp(first, "t") == 0)
        return part->known_word(part->self, dot + 1);
    n = strcspn(dot + 1, ".");
    if (n > LINT_NAME_MAX)
        return false;
    char second[LINT_NAME_MAX + 1];
    memcpy(second, dot + 1, n);
    second[n] = '\0';
    return listed(members, sizeof members / sizeof *members, first, second);
}

static int add_fault(const struct lint_part *part, json_t *faults, int64_t line,
                     const char *rule, const char *text) {
    json_t *fault = json_pack("{s:s, s:I, s:s, s:s}", "part", part->part, "line",
                              (json_int_t)line, "rule", rule, "text", text);
    return fault && !json_array_append_new(faults, fault) ? 0 : ERROR_FAILED;
}

static int check_names(const struct lint_part *part, json_t *names, json_t *faults) {
    const char *name;
    json_t *line;
    int rc = 0;
    json_object_foreach(names, name, line) {
        char text[LINT_NAME_MAX + 160];
        if (rc || name_known(part, name))
            continue;
        (void)snprintf(text, sizeof text,
                       "no mail of kind %s knows {{%.*s}}: leave it out, or see the README for "
                       "the names there are",
                       part->kind, LINT_NAME_MAX, name);
        rc = add_fault(part, faults, json_integer_value(line), "variable", text);
    }
    return rc;
}

/* ASCII digits for Arabic and Persian ones. */
static int32_t plain_digit(int32_t c) {
    if (c >= 0x660 && c <= 0x669)
        return c - 0x660 + '0';
    return c >= 0x6f0 && c <= 0x6f9 ? c - 0x6f0 + '0' : c;
}

static bool starts(const char *s, const char *word) {
    return strncmp(s, word, strlen(word)) == 0;
}

/* Tags that end a sentence as a full stop does; the others may stand within a word. */
static bool is_block(const char *tag) {
    static const char *const blocks[] = {"<p", "</p", "<br", "<li", "<td", "<tr",
                                         "<h", "<div", "</div", "</td"};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        if (strncasecmp(tag, blocks[i], strlen(blocks[i])) == 0)
            return true;
    return false;
}

/* What a reader sees, folded; a sentence a line. memory_free. */
static char *readable(const char *s) {
    struct buffer out;
    char bytes[4], *folded;
    buffer_init(&out, LINT_TEXT_MAX);
    while (*s) {
        int32_t c = 0;
        int used = text_decode(s, strlen(s) < 4 ? strlen(s) : 4, &c);
        if (*s == '<' && strchr(s, '>')) {
            buffer_text(&out, is_block(s) ? "\n" : "");
            s = strchr(s, '>') + 1;
        } else if (starts(s, "&nbsp;")) {
            buffer_char(&out, ' ');
            s += 6;
        } else if (c == '!' || c == '?' || c == 0x61f || c == 0x6d4 || c == ';' ||
                   (c == '.' && (s[1] == ' ' || s[1] == '\n' || s[1] == '<'))) {
            buffer_char(&out, '\n');
            s += used;
        } else if (used < 1) {
            s++;
        } else {
            buffer_append(&out, bytes, (size_t)text_encode(plain_digit(c), bytes));
            s += used;
        }
    }
    folded = buffer_ok(&out) ? text_fold(out.data, out.length) : NULL;
    buffer_free(&out);
    return folded;
}

static const char *find_any(const char *text, const char *const words[], size_t count) {
    const char *found = NULL;
    for (size_t i = 0; i < count && !found; i++)
        found = strstr(text, words[i]);
    return found;
}
#define FIND_ANY(text, words) find_any(text, words, sizeof words / sizeof *words)

/* "from 1 to 5 stars" is a scale, not praise. */
static bool is_scale(const char *sentence, const char *at) {
    static const char *const lower[] = {"one to ", "una a ", "uma a ", "viena līdz ",
                                        "یک تا ", "واحدة إلى "};
    const char *from = at - sentence > LINT_RANGE ? at - LINT_RANGE : sentence;
    for (; from < at; from++) {
        bool alone = (from == sentence || from[-1] < '0' || from[-1] > '9') &&
                     (from[1] < '0' || from[1] > '9');
        if (*from == '1' && alone)
            return true;
        for (size_t i = 0; i < sizeof lower / sizeof *lower; i++)
            if (starts(from, lower[i]))
                return true;
    }
    return false;
}

static bool sentence_ties(const char *sentence) {
    const char *praised = FIND_ANY(sentence, praise);
    return praised && !is_scale(sentence, praised) && FIND_ANY(sentence, offers) &&
           !FIND_ANY(sentence, criticism);
}

bool lint_praise(const char *text) {
    char *lines = readable(text), *at = lines;
    bool ties = false;
    while (at && !ties) {
        char *end = strchr(at, '\n');
        if (end)
            *end++ = '\0';
        ties = sentence_ties(at);
        at = end;
    }
    memory_free(lines);
    return ties;
}

static int check_words(const struct lint_part *part, json_t *faults) {
    char *folded = text_fold(part->source, strlen(part->source));
    const char *place = part->codes && folded ? FIND_ANY(folded, forbidding) : NULL;
    int rc = folded ? 0 : ERROR_FAILED;
    if (!rc && lint_praise(part->source))
        rc = add_fault(part, faults, 0, "praise",
                       "an offer may not be tied to stars or to praise: say that it is "
                       "given whatever is written");
    if (!rc && place) {
        char text[160];
        (void)snprintf(text, sizeof text,
                       "while discount codes are given, no link to %.*s: reviews there may "
                       "not be rewarded",
                       (int)strcspn(place, "/\"' \n{}<>"), place);
        rc = add_fault(part, faults, 0, "incentive", text);
    }
    memory_free(folded);
    return rc;
}

int lint_check(const struct lint_part *part, json_t *faults) {
    json_t *names = json_object();
    bool subject = strcmp(part->part, "subject") == 0;
    int rc = names ? template_names(part->template, names) : ERROR_FAILED;
    if (!rc && part->optout && !subject && !json_object_get(names, "unsubscribe_url"))
        rc = add_fault(part, faults, 0, "unsubscribe",
                       "the link {{unsubscribe_url}} is missing: nobody is asked without a "
                       "way out");
    rc = rc ? rc : check_names(part, names, faults);
    rc = rc ? rc : check_words(part, faults);
    json_decref(names);
    return rc;
}
