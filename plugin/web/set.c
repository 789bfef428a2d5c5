/* SPDX-License-Identifier: MIT */
/* Templates by name: the file's name without .html. */
#include "web/set.h"

#include <string.h>

#include "base/asset.h"
#include "base/memory.h"
#include "mail/template.h"
#include "web/style.h"

#define SET_PREFIX "plugin/web/page/"

struct page_set {
    struct {
        const char *name; /* without prefix, with .html: borrowed from the asset */
        size_t length;
        struct template *template;
    } pages[PAGE_SET_MOST];
    size_t count;
    char styles[STYLE_SHEETS][STYLE_NAME_MOST];
};

void page_set_free(struct page_set *set) {
    for (size_t i = 0; set && i < set->count; i++) {
        template_free(set->pages[i].template);
    }
    memory_free(set);
}

static void set_release(void *made) {
    page_set_free(made);
}

static int set_make(const struct settings *settings, void **made, struct error *error) {
    struct page_set *set = memory_zero(1, sizeof *set);
    const struct asset *file = NULL;
    int code = set ? 0 : error_set(error, ERROR_FAILED, "", "no memory for pages");

    (void)settings;
    while (!code && (file = asset_next(SET_PREFIX, file)) && set->count < PAGE_SET_MOST) {
        const char *name = file->name + strlen(SET_PREFIX);
        code = template_compile(file->data, file->size, &set->pages[set->count].template,
                                error);
        set->pages[set->count].name = name;
        set->pages[set->count].length = strcspn(name, ".");
        set->count += code == 0;
    }
    for (size_t i = 0; !code && i < STYLE_SHEETS; i++) {
        style_name(i, set->styles[i]);
    }
    if (code) {
        page_set_free(set);
        return code;
    }
    *made = set;
    return 0;
}

int page_set_get(struct settings *settings, const struct page_set **set,
                 struct page_set **own) {
    const void *kept = NULL;
    void *made = NULL;
    int code;

    if (settings) {
        code = settings_compiled(settings, "pages", set_make, set_release, &kept, NULL);
        *set = kept;
        return code;
    }
    code = set_make(NULL, &made, NULL);
    *own = made;
    *set = made;
    return code;
}

struct set_view {
    const struct page_set *set;
    const char *inner;
};

static const struct template *set_find(void *self, const char *name) {
    const struct set_view *view = self;
    const char *wanted = strcmp(name, "body") == 0 ? view->inner : name;
    size_t n = strlen(wanted);

    for (size_t i = 0; i < view->set->count; i++) {
        if (view->set->pages[i].length == n &&
            memcmp(view->set->pages[i].name, wanted, n) == 0) {
            return view->set->pages[i].template;
        }
    }
    return NULL;
}

int page_set_render(const struct page_set *set, const char *outer, const char *inner,
                    const json_t *root, struct buffer *out, struct error *error) {
    struct set_view view = {set, inner};
    const struct template *t = set_find(&view, outer);

    if (!t) {
        return error_set(error, ERROR_FAILED, "", "there is no page %s", outer);
    }
    return template_render(t, root, TEMPLATE_HTML, set_find, &view, out, error);
}

const char *page_set_style(const struct page_set *set, size_t index) {
    return set->styles[index];
}
