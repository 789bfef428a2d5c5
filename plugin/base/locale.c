/* SPDX-License-Identifier: MIT */
/* Six catalogues, each parsed at its first use. Two threads may parse the same one; the
 * first to finish keeps it, so that no lock is needed and lack of memory can pass. */
#include "base/locale.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/asset.h"
#include "base/text.h"

static const char *const shipped[] = {"en", "es", "pt", "ar", "fa", "lv"};
#define SHIPPED (sizeof shipped / sizeof *shipped)

static _Atomic(json_t *) catalogues[SHIPPED];

const char *locale_pick(const char *locale) {
    return text_locale(locale, shipped, SHIPPED, shipped[0]);
}

static json_t *catalogue_parse(size_t which) {
    char name[48];
    snprintf(name, sizeof name, "plugin/locale/%s.json", shipped[which]);
    const struct asset *asset = asset_find(name);
    json_t *catalogue = asset ? json_read(asset->data, asset->size, NULL) : NULL;
    if (catalogue && !json_is_object(catalogue)) {
        json_decref(catalogue);
        catalogue = NULL;
    }
    return catalogue;
}

static const json_t *catalogue_at(size_t which) {
    json_t *catalogue = atomic_load(&catalogues[which]);
    if (catalogue) {
        return catalogue;
    }
    json_t *parsed = catalogue_parse(which);
    if (!parsed ||
        atomic_compare_exchange_strong(&catalogues[which], &catalogue, parsed)) {
        return parsed;
    }
    json_decref(parsed);
    return catalogue;
}

const json_t *locale_catalogue(const char *locale) {
    const char *picked = locale_pick(locale);
    for (size_t i = 0; i < SHIPPED; i++) {
        const json_t *catalogue = shipped[i] == picked ? catalogue_at(i) : NULL;
        if (catalogue) {
            return catalogue;
        }
    }
    return catalogue_at(0);
}

const char *locale_text(const char *locale, const char *key) {
    const char *text = json_string_value(json_object_get(locale_catalogue(locale), key));
    if (!text) {
        text = json_string_value(json_object_get(catalogue_at(0), key));
    }
    return text ? text : key;
}
