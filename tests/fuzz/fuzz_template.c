/* SPDX-License-Identifier: MIT */
/* Any bytes as a template, which may include itself: compiled or refused with a sentence, and
   rendered within its limits; no value breaks out of its escaping. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "mail/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUT_MOST = 1 << 20 };

static const struct template *self_include(void *self, const char *name) {
    return *name == 'p' ? self : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct error error = {0};
    struct template *t = NULL;
    struct buffer out;

    if (template_compile((const char *)data, size, &t, &error)) {
        if (t || !*error.detail) {
            abort();
        }
        return 0;
    }
    json_t *values = json_pack("{s:s, s:[i,i,{s:s}], s:{s:s}, s:b, s:n}", "a", "<\x01\">",
                               "b", 1, 2, "a", "&'", "c", "d", "{{a}}", "e", 1, "f");
    json_t *names = json_object();
    buffer_init(&out, OUT_MOST);
    for (int escape = TEMPLATE_HTML; escape <= TEMPLATE_TEXT; escape++) {
        struct error rendering = {0};
        buffer_clear(&out);
        int code = template_render(t, values, (enum template_escape)escape, self_include,
                                   t, &out, &rendering);
        if (code == 0 ? !buffer_ok(&out) : !*rendering.detail) {
            abort();
        }
        if (escape == TEMPLATE_HTML && code == 0 && !memchr(data, '\x01', size) &&
            !memmem(data, size, "{{{", 3) && !memchr(data, '&', size) &&
            memmem(out.data, out.length, "<\x01", 2)) {
            abort();
        }
    }
    template_names(t, names);
    buffer_free(&out);
    json_decref(names);
    json_decref(values);
    template_free(t);
    return 0;
}
