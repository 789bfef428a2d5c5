/* SPDX-License-Identifier: MIT */
/* Order matters: links are cleaned first, codes become words next, and the catalogue's strings
   are filled in last, since they speak of both. */
#include "mail/letter_data.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/locale.h"
#include "base/text.h"
#include "mail/letter.h"
#include "mail/template.h"

enum { STRING_MAX = 16 * 1024, KEY_MAX = 64, STARS = 5 };

static bool is_link(const char *key) {
    size_t n = strlen(key);
    return strcmp(key, "url") == 0 || (n > 4 && strcmp(key + n - 4, "_url") == 0);
}

static bool is_web(const json_t *value) {
    const char *s = json_string_value(value);
    if (!s || (strncasecmp(s, "https://", 8) != 0 && strncasecmp(s, "http://", 7) != 0))
        return false;
    for (; *s; s++)
        if ((unsigned char)*s <= ' ' || *s == 0x7f)
            return false;
    return true;
}

static void clean_links(json_t *value, int depth) {
    const char *key;
    json_t *member;
    void *next;
    size_t i;

    if (depth > JSON_MOST_DEPTH)
        return;
    json_array_foreach(value, i, member) clean_links(member, depth + 1);
    json_object_foreach_safe(value, next, key, member) {
        if (is_link(key) && !is_web(member))
            json_object_del(value, key);
        else
            clean_links(member, depth + 1);
    }
}

/* Takes value even when it fails. */
static int put(json_t *object, const char *name, json_t *value) {
    return json_object_set_new(object, name, value) ? ERROR_FAILED : 0;
}

static json_t *render_word(const struct letter_word *word, const json_t *data,
                           struct error *error) {
    struct buffer out;
    json_t *result = NULL;

    buffer_init(&out, STRING_MAX);
    if (!template_render(word->template, data, TEMPLATE_TEXT, NULL, NULL, &out, error))
        result = json_stringn(out.data, out.length);
    buffer_free(&out);
    return result;
}

static bool is_space(const struct letter_word *word, const char *space) {
    return strlen(space) == word->space_length &&
           memcmp(word->space, space, word->space_length) == 0;
}

static const char *catalogue_text(const char *locale, const char *prefix,
                                  const char *name) {
    char key[KEY_MAX];
    int n = snprintf(key, sizeof key, "%s.%s", prefix, name);
    if (n < 0 || n >= KEY_MAX)
        return NULL;
    return json_string_value(json_object_get(locale_catalogue(locale), key));
}

/* A code the catalogue does not know stays as it is. */
static json_t *in_words(const char *locale, const char *prefix, json_t *code) {
    const char *name = json_string_value(code);
    const char *words = name ? catalogue_text(locale, prefix, name) : NULL;
    return words ? json_string(words) : json_incref(code);
}

static int put_codes(json_t *root, const char *locale) {
    json_t *ground = json_object_get(root, "ground");
    json_t *reasons = json_object_get(root, "reasons");
    json_t *resolution = json_object_get(root, "resolution");
    json_t *alarm = json_object_get(root, "alarm"), *topic = json_object_get(alarm, "topic");
    int rc = ground ? put(root, "ground", in_words(locale, "ground", ground)) : 0;
    if (!rc && resolution)
        rc = put(root, "resolution", in_words(locale, "resolution", resolution));
    if (!rc && topic)
        rc = put(alarm, "topic", in_words(locale, "topic", topic));
    for (size_t i = 0; !rc && i < json_array_size(reasons); i++)
        rc = json_array_set_new(reasons, i,
                                in_words(locale, "reason", json_array_get(reasons, i)));
    if (!rc)
        rc = put(root, "has_reasons", json_boolean(json_array_size(reasons) > 0));
    if (!rc)
        rc = put(root, "has_marks",
                 json_boolean(json_array_size(json_object_get(root, "marks")) > 0));
    return rc;
}

static const struct letter_word *find_word(const struct letter_book *book,
                                           const char *locale, const char *space,
                                           const char *name) {
    size_t count;
    const struct letter_word *words = letter_book_words(book, locale, &count);
    for (size_t i = 0; i < count; i++)
        if (is_space(&words[i], space) && strcmp(words[i].name, name) == 0)
            return &words[i];
    return NULL;
}

static int put_discount(json_t *root, const struct letter_book *book, const char *locale,
                        struct error *error) {
    json_t *discount = json_object_get(root, "discount");
    const char *kind = json_string_value(json_object_get(discount, "kind"));
    const struct letter_word *word = kind ? find_word(book, locale, "kind", kind) : NULL;
    if (!json_is_object(discount))
        return 0;
    if (!word)
        return error_set(error, ERROR_INVALID, "/discount/kind",
                         "no such kind of discount");
    return put(discount, "text", render_word(word, discount, error));
}

static void append_escaped(struct buffer *out, const char *s) {
    for (; *s; s++) {
        bool plain = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
                     (*s >= '0' && *s <= '9') || strchr("-._~", *s);
        if (plain)
            buffer_char(out, *s);
        else
            buffer_format(out, "%%%02X", (unsigned)(unsigned char)*s);
    }
}

/* {"number":4,"name":"Good","url":"…?stars=4&product=…"}; the form only prefills from it. */
static json_t *star(const char *locale, const char *form_url, const char *product,
                    int number) {
    char name[8] = {'s', 't', 'a', 'r', '_', (char)('0' + number), '\0', '\0'};
    const char *words = catalogue_text(locale, "page.form", name);
    struct buffer url;
    json_t *result;

    buffer_init(&url, STRING_MAX);
    buffer_format(&url, "%s?stars=%d", form_url, number);
    if (product) {
        buffer_text(&url, "&product=");
        append_escaped(&url, product);
    }
    result = buffer_ok(&url) ? json_pack("{s:i, s:s, s:s}", "number", number, "name",
                                         words ? words : "", "url", url.data)
                             : NULL;
    buffer_free(&url);
    return result;
}

/* With one line the link says the stars alone, with several also for which product. */
static int put_stars(json_t *root, const char *locale) {
    const char *form_url = json_string_value(json_object_get(root, "form_url"));
    json_t *lines = json_object_get(root, "lines");
    size_t count = json_array_size(lines);

    while (count > LETTER_LINES_MAX)
        json_array_remove(lines, --count);
    for (size_t i = 0; form_url && i < count; i++) {
        json_t *line = json_array_get(lines, i);
        const char *product = json_string_value(json_object_get(line, "product_id"));
        json_t *stars = json_array();
        for (int number = 1; number <= STARS; number++)
            if (json_array_append_new(
                    stars, star(locale, form_url, count > 1 ? product : NULL, number)))
                break;
        if (json_array_size(stars) < STARS) {
            json_decref(stars);
            return ERROR_FAILED;
        }
        if (put(line, "stars", stars))
            return ERROR_FAILED;
    }
    return 0;
}

/* The names of a list in one string; a scalar stays as it is. */
static json_t *joined(json_t *value) {
    struct buffer out;
    json_t *item, *result;
    size_t i;
    if (!json_is_array(value))
        return json_incref(value);
    buffer_init(&out, STRING_MAX);
    json_array_foreach(value, i, item) {
        if (json_is_string(item)) {
            buffer_text(&out, out.length ? " \xc2\xb7 " : "");
            buffer_append(&out, json_string_value(item), json_string_length(item));
        }
    }
    result = buffer_ok(&out) ? json_stringn(out.data, out.length) : NULL;
    buffer_free(&out);
    return result;
}

/* The facts of an alert that are known, in this order. */
static int put_facts(json_t *root, const char *locale) {
    static const struct {
        const char *prefix, *label, *object, *name;
    } known[] = {{"mail.alert", "label_due", "case", "due_at"},
                 {"mail.alert", "label_customer", "customer", "name"},
                 {"mail.common", "label_order", "order", "id"},
                 {"mail.alert", "label_items", "order", "items"},
                 {"mail.alert", "label_placed", "order", "placed_at"},
                 {"mail.alert", "label_promised", "order", "promised_at"},
                 {"mail.alert", "label_delivered", "order", "delivered_at"},
                 {"mail.alert", "label_delay", "order", "delay_days"},
                 {"mail.alert", "label_orders", "order", "earlier_orders"},
                 {"mail.alert", "label_contacts", "case", "contacts"},
                 {"mail.alert", "label_topic", "alarm", "topic"},
                 {"mail.alert", "label_complaints", "alarm", "complaints"}};
    json_t *facts = json_array();
    for (size_t i = 0; facts && i < sizeof known / sizeof *known; i++) {
        json_t *value =
            json_object_get(json_object_get(root, known[i].object), known[i].name);
        const char *label = catalogue_text(locale, known[i].prefix, known[i].label);
        if (!value || json_is_null(value) || !label)
            continue;
        if (json_array_append_new(
                facts, json_pack("{s:s, s:o}", "label", label, "value", joined(value)))) {
            json_decref(facts);
            return ERROR_FAILED;
        }
    }
    return put(root, "facts", facts);
}

static int put_direction(json_t *root, const char *locale) {
    bool rtl = text_is_rtl_locale(locale);
    int rc = put(root, "lang", json_string(locale));
    rc = rc ? rc : put(root, "dir", json_string(rtl ? "rtl" : "ltr"));
    rc = rc ? rc : put(root, "start", json_string(rtl ? "right" : "left"));
    return rc ? rc : put(root, "end", json_string(rtl ? "left" : "right"));
}

/* Adds mail.<space>.<name> (variant NULL) or mail.<space>.<name>.<variant> to words. */
static int put_space(json_t *words, const char *space, const char *variant,
                     const struct letter_book *book, const char *locale,
                     const json_t *root, struct error *error) {
    size_t count;
    const struct letter_word *word = letter_book_words(book, locale, &count);

    for (const struct letter_word *end = word + count; word < end; word++) {
        bool wanted = variant ? word->variant && strcmp(word->variant, variant) == 0
                              : !word->variant;
        if (!wanted || !is_space(word, space))
            continue;
        if (json_object_setn_new(words, word->name, word->name_length,
                                 render_word(word, root, error)))
            return error_set(error, ERROR_FAILED, "", "mail.%s.%s cannot be written",
                             space, word->name);
    }
    return 0;
}

static int put_words(json_t *root, const char *kind, const char *base,
                     const struct letter_book *book, const char *locale,
                     struct error *error) {
    const char *variant = json_string_value(json_object_get(root, "variant"));
    const char *spaces[] = {"common", base, kind};
    json_t *words = json_object();
    int rc = words ? 0 : ERROR_FAILED;
    for (size_t i = 0; !rc && i < sizeof spaces / sizeof *spaces; i++)
        if (spaces[i])
            rc = put_space(words, spaces[i], NULL, book, locale, root, error);
    if (!rc && variant)
        rc = put_space(words, kind, variant, book, locale, root, error);
    if (rc) {
        json_decref(words);
        return rc;
    }
    return put(root, "t", words);
}

json_t *letter_data(const char *kind, const char *base, const struct letter_book *book,
                    const char *locale, const json_t *data, struct error *error) {
    json_t *root;
    int rc;

    if (!json_is_object(data)) {
        error_set(error, ERROR_INVALID, "", "a letter needs an object of data");
        return NULL;
    }
    root = json_deep_copy(data);
    clean_links(root, 0);
    rc = root ? put_direction(root, locale) : ERROR_FAILED;
    rc = rc ? rc : put_codes(root, locale);
    rc = rc ? rc : put_discount(root, book, locale, error);
    rc = rc ? rc : put_stars(root, locale);
    rc = rc ? rc : put_facts(root, locale);
    rc = rc ? rc : put_words(root, kind, base, book, locale, error);
    if (!rc)
        return root;
    error_set(error, ERROR_FAILED, "", "out of memory");
    json_decref(root);
    return NULL;
}
