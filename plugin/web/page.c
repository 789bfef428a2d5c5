/* SPDX-License-Identifier: MIT */
/* Data for templates, and rendering. */
#include "web/page.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/locale.h"
#include "base/text.h"
#include "mail/template.h"
#include "web/answer.h"
#include "web/set.h"
#include "web/style.h"

enum { TEXT_MOST = 16 << 10, KEY_MOST = 96, PAGE_MOST = 8 << 20 };

json_t *page_text_in(const char *locale, const char *key, const json_t *data) {
    const char *text = locale_text(locale, key);
    struct template *t = NULL;
    struct buffer out;
    json_t *made = NULL;

    if (!strstr(text, "{{")) {
        return json_string(text);
    }
    buffer_init(&out, TEXT_MOST);
    if (!template_compile(text, strlen(text), &t, NULL) &&
        !template_render(t, data, TEMPLATE_TEXT, NULL, NULL, &out, NULL) &&
        buffer_ok(&out)) {
        made = json_stringn(out.data, out.length);
    }
    template_free(t);
    buffer_free(&out);
    return made;
}

json_t *page_text(const struct exchange *x, const char *key, const json_t *data) {
    return page_text_in(x->locale, key, data);
}

int page_word(const struct exchange *x, json_t *object, const char *name, const char *key,
              const json_t *data) {
    return json_object_set_new(object, name, page_text(x, key, data));
}

json_t *page_code(const struct exchange *x, const char *prefix, const char *code) {
    char key[KEY_MOST];
    int n = snprintf(key, sizeof key, "%s.%s", prefix, code);

    if (n < 0 || n >= KEY_MOST || !json_object_get(locale_catalogue("en"), key)) {
        return json_string(code);
    }
    return page_text(x, key, NULL);
}

json_t *page_date(const json_t *time) {
    const char *text = json_string_value(time);
    int64_t us = 0;
    char out[32];

    if (!text || clock_parse(text, strlen(text), &us)) {
        return NULL;
    }
    clock_format(us, out);
    return json_stringn(out, 10);
}

json_t *page_link(const struct exchange *x, const char *path, const char *token) {
    struct buffer out;
    json_t *made;

    buffer_init(&out, TEXT_MOST);
    for (size_t i = 0; i < x->target.depth; i++) {
        buffer_text(&out, "../");
    }
    buffer_text(&out, path);
    buffer_text(&out, token);
    made = buffer_ok(&out) ? json_string(out.data) : NULL;
    buffer_free(&out);
    return made;
}

json_t *page_root(const struct exchange *x) {
    const char *name = x->settings ? settings_text(x->settings, "name") : "";

    return json_pack("{s:{s:s}, s:s, s:s, s:o, s:{}}", "store", "name", name, "lang",
                     x->locale, "dir", text_is_rtl_locale(x->locale) ? "rtl" : "ltr",
                     "root", page_link(x, "", ""), "t");
}

int page_words(const struct exchange *x, json_t *root, const char *family) {
    char prefix[KEY_MOST];
    size_t n = (size_t)snprintf(prefix, sizeof prefix, "page.%s.", family);
    json_t *words = json_object_get(root, "t");
    const char *key;
    json_t *text;

    /* jansson walks an object only through a pointer to what is not const. */
    json_object_foreach((json_t *)(uintptr_t)locale_catalogue("en"), key, text) {
        if (strncmp(key, prefix, n) == 0 && page_word(x, words, key + n, key, root)) {
            return -1;
        }
    }
    return 0;
}

/* "?lang=lv", and what the query prefilled. */
static json_t *page_switch_url(const struct exchange *x, const char *locale) {
    static const char *const kept[] = {"stars", "product", "cursor", "format", "limit"};
    struct buffer out;
    json_t *made;

    buffer_init(&out, TEXT_MOST);
    buffer_format(&out, "?lang=%s", locale);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        const char *value = query_get(&x->query, kept[i]);
        if (value) {
            buffer_format(&out, "&%s=", kept[i]);
            query_escape(&out, value);
        }
    }
    made = buffer_ok(&out) ? json_string(out.data) : NULL;
    buffer_free(&out);
    return made;
}

/* Not on answers to a form: a link would lose what was typed. */
static int page_switch(const struct exchange *x, json_t *root) {
    json_t *list = json_array();
    int failed = json_object_set_new(root, "languages", list) |
                 json_object_set_new(root, "has_languages", json_true());
    const char *locale;

    for (size_t i = 0; !failed && (locale = exchange_locale_at(i)); i++) {
        bool rtl = text_is_rtl_locale(locale);
        failed = json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:b, s:o}", "code", locale, "script",
                            rtl ? "rtl" : "ltr", "name", locale_text(locale, "language"),
                            "current", strcmp(locale, x->locale) == 0, "url",
                            page_switch_url(x, locale)));
    }
    return failed;
}

/* Links to the style sheets or scripts of one kind of pages. */
static int page_assets(const struct exchange *x, json_t *root, const char *name,
                       const struct page_set *set, unsigned use) {
    json_t *list = json_array();
    int failed = json_object_set_new(root, name, list);

    for (size_t i = 0; !failed && i < STYLE_SHEETS; i++) {
        if (style_use(i) & use) {
            failed = json_array_append_new(
                list, page_link(x, "assets/", page_set_style(set, i)));
        }
    }
    return failed;
}

static int page_layout(const struct exchange *x, json_t *root, const struct page_set *set,
                       bool console) {
    int failed =
        page_assets(x, root, "styles", set, console ? STYLE_IN_CONSOLE : STYLE_IN_PAGE);

    if (!failed && console) {
        failed = page_assets(x, root, "scripts", set, STYLE_AS_SCRIPT);
    }
    if (!failed && !console && !exchange_unsafe(x) && x->route && x->status < 400) {
        failed = page_switch(x, root);
    }
    return failed ? failed : page_words(x, root, "common");
}

static int page_render(struct exchange *x, const struct page_set *set, const char *outer,
                       const char *inner, const json_t *root) {
    struct error error = {0};
    struct buffer out;
    int failed;

    buffer_init(&out, PAGE_MOST);
    failed = page_set_render(set, outer, inner, root, &out, &error);
    if (!failed) {
        failed = buffer_ok(&out) ? answer_bytes(x, x->status, "text/html; charset=utf-8",
                                                out.data, out.length)
                                 : 500;
    } else {
        log_write(x->store->log, LOG_ERROR, "web: page %s: %s", inner, error.detail);
    }
    buffer_free(&out);
    return failed ? 500 : 0;
}

/* layout NULL: the template alone. */
static int page_do(struct exchange *x, int status, const char *name, json_t *root,
                   const char *layout) {
    struct page_set *own = NULL;
    const struct page_set *set = NULL;
    int failed = root ? page_set_get(x->settings, &set, &own) : 500;

    x->status = status;
    if (!failed && layout) {
        failed = page_layout(x, root, set, strcmp(layout, "console") == 0);
    }
    if (!failed && !layout) {
        failed = json_object_set_new(root, "style",
                                     json_string(page_set_style(set, STYLE_REVIEWS)));
    }
    if (!failed) {
        failed = page_render(x, set, layout ? layout : name, name, root);
    }
    page_set_free(own);
    json_decref(root);
    return failed ? 500 : 0;
}

int page_answer(struct exchange *x, int status, const char *name, json_t *root) {
    return page_do(x, status, name, root, "layout");
}

int page_answer_in(struct exchange *x, int status, const char *layout, const char *name,
                   json_t *root) {
    return page_do(x, status, name, root, layout);
}

int page_fragment(struct exchange *x, int status, const char *name, json_t *root) {
    return page_do(x, status, name, root, NULL);
}

int page_error(struct exchange *x, int status, const char *what) {
    json_t *root;
    char key[KEY_MOST];

    if (!x->localized) {
        exchange_localize(x, NULL);
    }
    root = page_root(x);
    snprintf(key, sizeof key, "page.error.%s_title", what);
    if (!root || page_word(x, root, "heading", key, root)) {
        json_decref(root);
        return 500;
    }
    snprintf(key, sizeof key, "page.error.%s", what);
    if (page_word(x, root, "text", key, root)) {
        json_decref(root);
        return 500;
    }
    return page_answer(x, status, "error", root);
}
