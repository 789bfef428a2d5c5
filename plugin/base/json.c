/* SPDX-License-Identifier: MIT */
/* Reading and writing. What jansson does not refuse is found by one linear walk before it,
 * which also knows the pointer of a place in the text. */
#include "base/json.h"

#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"

#define WRITE_MOST_BYTES ((size_t)64 << 20)
#define REAL_DIGITS 15 /* 4.3 stays 4.3 */

struct level {
    bool array, keyed, keys; /* keys: the next string is a key */
    size_t index;
    size_t key_at, key_n; /* the raw key in the text */
};

struct walk {
    bool string, escaped;
    size_t string_at;
    size_t depth;
    struct level levels[JSON_MOST_DEPTH];
};

void json_start(void) {
    json_object_seed(0);
}

static void walk_string(struct walk *walk, size_t at, char c) {
    if (walk->escaped) {
        walk->escaped = false;
    } else if (c == '\\') {
        walk->escaped = true;
    } else if (c == '"') {
        struct level *level = walk->depth > 0 ? &walk->levels[walk->depth - 1] : NULL;
        walk->string = false;
        if (level && level->keys) {
            level->key_at = walk->string_at;
            level->key_n = at - walk->string_at;
            level->keyed = true;
            level->keys = false;
        }
    }
}

/* The byte c at offset `at`; false when that nests too deep. */
static bool walk_byte(struct walk *walk, size_t at, char c) {
    struct level *level = walk->depth > 0 ? &walk->levels[walk->depth - 1] : NULL;
    if (walk->string) {
        walk_string(walk, at, c);
    } else if (c == '"') {
        walk->string = true;
        walk->string_at = at + 1;
    } else if (c == '{' || c == '[') {
        if (walk->depth == JSON_MOST_DEPTH) {
            return false;
        }
        walk->levels[walk->depth++] = (struct level){.array = c == '[', .keys = c == '{'};
    } else if (c == '}' || c == ']') {
        walk->depth -= walk->depth > 0;
    } else if (c == ',' && level) {
        level->index++;
        level->keys = !level->array;
        level->keyed = false;
    }
    return true;
}

/* The walk up to *at bytes: NULL, or what is wrong, then *at says where. */
static const char *walk_text(struct walk *walk, const char *text, size_t *at) {
    size_t length = *at;
    if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        *at = 0;
        return "begins with a byte order mark";
    }
    for (*at = 0; *at < length;) {
        int32_t codepoint;
        int used = text_decode(text + *at, length - *at, &codepoint);
        if (used < 1) {
            return "is not well-formed UTF-8";
        }
        if (codepoint == 0) {
            return "holds a NUL";
        }
        if (used == 1 && !walk_byte(walk, *at, text[*at])) {
            return "is nested deeper than 32";
        }
        *at += (size_t)used;
    }
    return NULL;
}

static void walk_pointer(const struct walk *walk, const char *text, char out[160]) {
    char here[160] = "", key[160];
    for (size_t i = 0; i < walk->depth; i++) {
        const struct level *level = &walk->levels[i];
        if (level->array) {
            json_point_at(out, here, level->index);
        } else if (level->keyed && level->key_n < sizeof key &&
                   !memchr(text + level->key_at, '\\', level->key_n)) {
            memcpy(key, text + level->key_at, level->key_n);
            key[level->key_n] = '\0';
            json_point(out, here, key);
        } else {
            break;
        }
        memcpy(here, out, sizeof here);
    }
    memcpy(out, here, sizeof here);
}

/* Sets the error with the place `at` bytes into the text. */
static void json_refuse(const char *text, size_t at, const char *what,
                        struct error *error) {
    struct walk walk = {0};
    size_t line = 1, column = 1, walked = at;
    char pointer[160];
    for (size_t i = 0; i < at; i++) {
        bool follows = ((unsigned char)text[i] & 0xC0) == 0x80;
        column = text[i] == '\n' ? 1 : column + !follows;
        line += text[i] == '\n';
    }
    (void)walk_text(&walk, text, &walked);
    walk_pointer(&walk, text, pointer);
    error_set(error, ERROR_INVALID, pointer, "The JSON text %s (line %zu, column %zu).",
              what, line, column);
}

static const char *json_sentence(const json_error_t *fault) {
    static const struct {
        enum json_error_code code;
        const char *what;
    } sentences[] = {
        {json_error_premature_end_of_input, "ends too early"},
        {json_error_end_of_input_expected, "goes on behind its end"},
        {json_error_duplicate_key, "names a key twice"},
        {json_error_numeric_overflow, "holds a number out of range"},
        {json_error_null_character, "holds a NUL"},
        {json_error_null_byte_in_key, "holds a NUL"},
    };
    for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++) {
        if (sentences[i].code == json_error_code(fault)) {
            return sentences[i].what;
        }
    }
    return "is not JSON";
}

json_t *json_read(const char *text, size_t length, struct error *error) {
    if (!text || length == 0) {
        error_set(error, ERROR_INVALID, "", "The JSON text is empty.");
        return NULL;
    }
    if (length > JSON_MOST_BYTES) {
        error_set(error, ERROR_INVALID, "", "The JSON text is longer than 1 MiB.");
        return NULL;
    }
    struct walk walk = {0};
    size_t at = length;
    const char *what = walk_text(&walk, text, &at);
    if (what) {
        json_refuse(text, at, what, error);
        return NULL;
    }
    json_error_t fault = {0};
    json_t *value =
        json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &fault);
    if (value) {
        return value;
    }
    /* Without memory for a value jansson may leave the fault empty. */
    if (fault.text[0] == '\0' || json_error_code(&fault) == json_error_out_of_memory) {
        error_set(error, ERROR_FAILED, "", "There is no memory to read the JSON text.");
        return NULL;
    }
    at = fault.position > 0 ? (size_t)fault.position : 0;
    json_refuse(text, at < length ? at : length, json_sentence(&fault), error);
    return NULL;
}

static int json_sink(const char *bytes, size_t n, void *sink) {
    struct buffer *out = sink;
    buffer_append(out, bytes, n);
    return out->failed ? -1 : 0;
}

char *json_write(const json_t *value) {
    struct buffer out;
    buffer_init(&out, WRITE_MOST_BYTES);
    size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(REAL_DIGITS);
    if (!value || json_dump_callback(value, json_sink, &out, flags) != 0) {
        buffer_free(&out);
        return NULL;
    }
    return buffer_steal(&out);
}
