/* SPDX-License-Identifier: MIT */
/* Tables of what is written instead; everything else goes through as it is. */
#include "web/escape.h"

#include <string.h>
#include <strings.h>

#include "base/memory.h"

enum { URL_MOST = 2048 };

struct escape {
    const char *text, *instead;
};

static const struct escape xml[] = {
    {"&", "&amp;"}, {"<", "&lt;"},   {">", "&gt;"},        {"\"", "&quot;"},
    {"'", "&#39;"}, {"\r", "&#13;"}, {"\xef\xbf\xbe", ""}, {"\xef\xbf\xbf", ""}};
static const struct escape script[] = {{"<", "\\u003c"},
                                       {">", "\\u003e"},
                                       {"&", "\\u0026"},
                                       {"\xe2\x80\xa8", "\\u2028"},
                                       {"\xe2\x80\xa9", "\\u2029"}};

static const struct escape *escape_find(const struct escape *table, size_t count,
                                        const char *at) {
    for (size_t i = 0; i < count; i++) {
        if (strncmp(at, table[i].text, strlen(table[i].text)) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

static void escape_write(struct buffer *out, const struct escape *table, size_t count,
                         const char *text) {
    while (*text) {
        const struct escape *found = escape_find(table, count, text);
        bool control = (unsigned char)*text < 0x20 && !strchr("\t\n\r", *text);
        if (found) {
            buffer_text(out, found->instead);
            text += strlen(found->text);
        } else if (control) {
            text++;
        } else {
            buffer_char(out, *text++);
        }
    }
}

void escape_xml(struct buffer *out, const char *text) {
    escape_write(out, xml, sizeof xml / sizeof *xml, text);
}

void escape_script(struct buffer *out, const json_t *value) {
    char *text = json_write(value);

    if (text) {
        escape_write(out, script, sizeof script / sizeof *script, text);
    } else {
        out->failed = true;
    }
    memory_free(text);
}

const char *escape_url(const char *text) {
    static const char *const schemes[] = {"https://", "http://"};
    size_t skip = 0;

    for (size_t i = 0; text && i < sizeof schemes / sizeof *schemes && !skip; i++) {
        size_t n = strlen(schemes[i]);
        skip = strncasecmp(text, schemes[i], n) == 0 ? n : 0;
    }
    if (!skip || strlen(text) > URL_MOST || strchr("/?#\\@:", text[skip])) {
        return NULL;
    }
    for (const char *c = text; *c; c++) {
        if ((unsigned char)*c <= 0x20 || *c == 0x7f || strchr("\\\"<>`{}|^", *c)) {
            return NULL;
        }
    }
    return text;
}
