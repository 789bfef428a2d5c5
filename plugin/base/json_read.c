/* SPDX-License-Identifier: MIT */
/* The reader. It is our own because jansson's lexer ignores a failed growth of its buffer:
 * short of memory it drops bytes of a string without a word, or calls good text bad. Here
 * every value is whole, refused with its place, or ERROR_FAILED. */
#include <float.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

#define NUMBER_MOST_EXPONENT 100000 /* far beyond what a double holds */
#define KEY_BRIEF 48                /* keys shorter than that need no memory of their own */

/* Where the reader is, from the inside out; frames of the recursion. */
struct place {
    const struct place *up;
    const char *key; /* NULL in an array */
    size_t index;
};

struct reader {
    const char *text;
    size_t length, at;
    size_t depth;
    const struct place *place;
    struct buffer scratch; /* the string being read */
    struct error *error;
};

static json_t *read_value(struct reader *r);

static void place_pointer(const struct place *place, char out[160]) {
    const struct place *path[JSON_MOST_DEPTH];
    char base[160] = "";
    size_t depth = 0;
    for (; place && depth < JSON_MOST_DEPTH; place = place->up) {
        path[depth++] = place;
    }
    out[0] = '\0';
    while (depth-- > 0) {
        if (path[depth]->key) {
            json_point(out, base, path[depth]->key);
        } else {
            json_point_at(out, base, path[depth]->index);
        }
        memcpy(base, out, sizeof base);
    }
}

/* Refuses at the present place; NULL for the caller to return. */
static void *refuse(struct reader *r, const char *what) {
    size_t line = 1, column = 1;
    char pointer[160];
    for (size_t i = 0; i < r->at; i++) {
        bool follows = ((unsigned char)r->text[i] & 0xC0) == 0x80;
        column = r->text[i] == '\n' ? 1 : column + !follows;
        line += r->text[i] == '\n';
    }
    place_pointer(r->place, pointer);
    error_set(r->error, ERROR_INVALID, pointer,
              "The JSON text %s (line %zu, column %zu).", what, line, column);
    return NULL;
}

/* Refuses what stands at r->at where something else was expected. */
static void *refuse_here(struct reader *r) {
    if (r->at == r->length) {
        return refuse(r, "ends too early");
    }
    return refuse(r, r->text[r->at] == '\0' ? "holds a NUL" : "is not JSON");
}

static void *no_memory(struct reader *r) {
    error_set(r->error, ERROR_FAILED, "", "There is no memory to read the JSON text.");
    return NULL;
}

static json_t *made(struct reader *r, json_t *value) {
    return value ? value : no_memory(r);
}

/* The next byte that is no white space, 0 at the end (and for a NUL, which nobody wants). */
static char peek(struct reader *r) {
    for (; r->at < r->length; r->at++) {
        char c = r->text[r->at];
        if (c != ' ' && c != '\n' && c != '\t' && c != '\r') {
            return c;
        }
    }
    return '\0';
}

static bool read_hex4(struct reader *r, int32_t *unit) {
    *unit = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        char c = r->at < r->length ? r->text[r->at] : '\0';
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) {
            return refuse_here(r) != NULL;
        }
        *unit = *unit * 16 + digit;
    }
    return true;
}

/* Behind "\u". */
static bool read_unicode(struct reader *r) {
    int32_t c, low;
    char bytes[4];
    if (!read_hex4(r, &c)) {
        return false;
    }
    bool high = c >= 0xD800 && c <= 0xDBFF;
    if (high && r->length - r->at >= 2 && memcmp(r->text + r->at, "\\u", 2) == 0) {
        r->at += 2;
        if (!read_hex4(r, &low)) {
            return false;
        }
        bool pair = low >= 0xDC00 && low <= 0xDFFF;
        c = pair ? 0x10000 + (c - 0xD800) * 0x400 + (low - 0xDC00) : c;
    }
    int used = text_encode(c, bytes);
    if (used < 1 || c == 0) {
        return refuse(r, c == 0 ? "holds a NUL" : "holds half a surrogate pair") != NULL;
    }
    buffer_append(&r->scratch, bytes, (size_t)used);
    return true;
}

/* Behind a backslash. */
static bool read_escape(struct reader *r) {
    static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    char c = r->at < r->length ? r->text[r->at] : '\0';
    if (c == 'u') {
        r->at++;
        return read_unicode(r);
    }
    const char *name = c != '\0' ? strchr(names, c) : NULL;
    if (!name) {
        return refuse_here(r) != NULL;
    }
    r->at++;
    buffer_char(&r->scratch, bytes[name - names]);
    return true;
}

/* How many bytes from there on stand for themselves: printable ASCII, no quote, no escape. */
static size_t plain_run(const struct reader *r, size_t from) {
    size_t at = from;

    while (at < r->length) {
        unsigned char c = (unsigned char)r->text[at];
        if (c < 0x20 || c >= 0x7F || c == '"' || c == '\\') {
            break;
        }
        at++;
    }
    return at - from;
}

/* The string whose quote is next into the scratch buffer. */
static bool read_scratch(struct reader *r) {
    buffer_clear(&r->scratch);
    r->at++;
    while (r->at < r->length && r->text[r->at] != '"') {
        size_t plain = plain_run(r, r->at);
        if (plain > 0) {
            buffer_append(&r->scratch, r->text + r->at, plain);
            r->at += plain;
            continue;
        }
        int32_t c;
        int used = text_decode(r->text + r->at, r->length - r->at, &c);
        if (used < 1) {
            return refuse(r, "is not well-formed UTF-8") != NULL;
        }
        if (c < 0x20) {
            return refuse(r, c == 0 ? "holds a NUL" : "holds a control character") !=
                   NULL;
        }
        if (c == '\\') {
            r->at++;
            if (!read_escape(r)) {
                return false;
            }
        } else {
            buffer_append(&r->scratch, r->text + r->at, (size_t)used);
            r->at += (size_t)used;
        }
    }
    if (r->at == r->length) {
        return refuse_here(r) != NULL;
    }
    r->at++;
    return buffer_ok(&r->scratch) || no_memory(r) != NULL;
}

/* Most strings are plain from quote to quote, and stand in the text as they are. */
static json_t *read_string(struct reader *r) {
    const char *begin = r->text + r->at + 1;
    size_t n = plain_run(r, r->at + 1);

    if (r->at + 1 + n < r->length && begin[n] == '"') {
        r->at += n + 2;
        return made(r, json_stringn_nocheck(begin, n));
    }
    return read_scratch(r)
               ? made(r, json_stringn_nocheck(r->scratch.data, r->scratch.length))
               : NULL;
}

/* Digits at r->at, appended to *mantissa as long as that is exact; *dropped counts the
 * others. Their number. */
static size_t read_digits(struct reader *r, uint64_t *mantissa, int64_t *dropped) {
    size_t first = r->at;
    for (; r->at < r->length && r->text[r->at] >= '0' && r->text[r->at] <= '9'; r->at++) {
        if (*mantissa < UINT64_C(1000000000000000000) && *dropped == 0) {
            *mantissa = *mantissa * 10 + (uint64_t)(r->text[r->at] - '0');
        } else {
            ++*dropped;
        }
    }
    return r->at - first;
}

static bool read_exponent(struct reader *r, int64_t *exponent) {
    char c = r->at < r->length ? r->text[r->at] : '\0';
    *exponent = 0;
    if (c != 'e' && c != 'E') {
        return true;
    }
    r->at++;
    c = r->at < r->length ? r->text[r->at] : '\0';
    r->at += c == '+' || c == '-';
    size_t first = r->at;
    for (; r->at < r->length && r->text[r->at] >= '0' && r->text[r->at] <= '9'; r->at++) {
        *exponent = *exponent * 10 + (r->text[r->at] - '0');
        *exponent = *exponent < NUMBER_MOST_EXPONENT ? *exponent : NUMBER_MOST_EXPONENT;
    }
    *exponent = c == '-' ? -*exponent : *exponent;
    return r->at > first;
}

/* Within one unit in the last place, and exact for what people write; no locale in it. */
static json_t *made_real(struct reader *r, uint64_t mantissa, int64_t exponent,
                         bool minus) {
    long double value = (long double)mantissa, power = 1, ten = 10;
    uint64_t steps = (uint64_t)(exponent < 0 ? -exponent : exponent);
    for (; steps > 0 && mantissa > 0; steps >>= 1, ten *= ten) {
        power = steps & 1 ? power * ten : power;
    }
    value = exponent < 0 ? value / power : value * power;
    if (value > (long double)DBL_MAX) {
        return refuse(r, "holds a number out of range");
    }
    return made(r, json_real((double)(minus ? -value : value)));
}

static json_t *made_integer(struct reader *r, uint64_t mantissa, int64_t dropped,
                            bool minus) {
    uint64_t most = (uint64_t)INT64_MAX + minus;
    if (dropped > 0 || mantissa > most) {
        return refuse(r, "holds a number out of range");
    }
    json_int_t value =
        minus && mantissa > 0 ? -(json_int_t)(mantissa - 1) - 1 : (json_int_t)mantissa;
    return made(r, json_integer(value));
}

static json_t *read_number(struct reader *r) {
    uint64_t mantissa = 0;
    int64_t dropped = 0, exponent = 0;
    bool minus = r->text[r->at] == '-';
    r->at += minus;
    bool zero = r->at < r->length && r->text[r->at] == '0';
    size_t whole = read_digits(r, &mantissa, &dropped);
    if (whole == 0 || (zero && whole > 1)) {
        return whole == 0 ? refuse_here(r) : refuse(r, "is not JSON");
    }
    bool point = r->at < r->length && r->text[r->at] == '.';
    bool real = point || (r->at < r->length && strchr("eE", r->text[r->at]) &&
                          r->text[r->at] != '\0');
    if (!real) {
        return made_integer(r, mantissa, dropped, minus);
    }
    int64_t shift = dropped;
    if (point) {
        r->at++;
        size_t digits = read_digits(r, &mantissa, &dropped);
        if (digits == 0) {
            return refuse_here(r);
        }
        shift = dropped - (int64_t)digits;
    }
    return read_exponent(r, &exponent) ? made_real(r, mantissa, exponent + shift, minus)
                                       : refuse_here(r);
}

static json_t *read_literal(struct reader *r) {
    static const char *const words[] = {"null", "true", "false"};
    for (size_t i = 0; i < 3; i++) {
        size_t n = strlen(words[i]);
        if (r->length - r->at >= n && memcmp(r->text + r->at, words[i], n) == 0) {
            r->at += n;
            return i == 0 ? json_null() : i == 1 ? json_true() : json_false();
        }
    }
    return refuse_here(r);
}

/* Behind an item: true when a comma says that another follows; *end when the closing one
 * stands there; neither when refused. */
static bool read_comma(struct reader *r, char close, bool *end) {
    char c = peek(r);
    *end = c == close;
    if (c != ',' && !*end) {
        return refuse_here(r) != NULL;
    }
    r->at++;
    return !*end;
}

static json_t *read_array(struct reader *r) {
    json_t *array = made(r, json_array());
    struct place place = {.up = r->place};
    bool end = false, more = array != NULL;
    r->at++;
    if (more && peek(r) == ']') {
        r->at++;
        return array;
    }
    r->place = &place;
    while (more) {
        json_t *item = read_value(r);
        if (!item) {
            break;
        }
        if (json_array_append_new(array, item) != 0) {
            no_memory(r);
            break;
        }
        more = read_comma(r, ']', &end);
        place.index += more;
    }
    r->place = place.up;
    if (!end) {
        json_decref(array);
        array = NULL;
    }
    return array;
}

/* Behind a key: its value, into the object. A key that was there already does not make it
 * grow. */
static bool read_member_value(struct reader *r, json_t *object, const char *key) {
    size_t members = json_object_size(object), at = r->at;

    if (peek(r) != ':') {
        return refuse_here(r) != NULL;
    }
    r->at++;
    json_t *value = read_value(r);
    if (!value) {
        return false;
    }
    if (json_object_set_new_nocheck(object, key, value) != 0) {
        return no_memory(r) != NULL;
    }
    if (json_object_size(object) == members) {
        r->at = at;
        return refuse(r, "names a key twice") != NULL;
    }
    return true;
}

/* "key": value, into the object; the key is the place meanwhile. */
static bool read_member(struct reader *r, json_t *object, struct place *place) {
    char brief[KEY_BRIEF];
    char *key = brief;
    if (peek(r) != '"') {
        return refuse_here(r) != NULL;
    }
    if (!read_scratch(r)) {
        return false;
    }
    if (r->scratch.length < sizeof brief) {
        memcpy(brief, r->scratch.data, r->scratch.length + 1);
    } else {
        key = memory_copy_n(r->scratch.data, r->scratch.length);
    }
    if (!key) {
        return no_memory(r) != NULL;
    }
    place->key = key;
    r->place = place;
    bool done = read_member_value(r, object, key);
    r->place = place->up;
    if (key != brief) {
        memory_free(key);
    }
    return done;
}

static json_t *read_object(struct reader *r) {
    json_t *object = made(r, json_object());
    struct place place = {.up = r->place};
    bool end = false, more = object != NULL;
    r->at++;
    if (more && peek(r) == '}') {
        r->at++;
        return object;
    }
    while (more && read_member(r, object, &place)) {
        more = read_comma(r, '}', &end);
    }
    if (!end) {
        json_decref(object);
        object = NULL;
    }
    return object;
}

static json_t *read_value(struct reader *r) {
    char c = peek(r);
    if (c == '"') {
        return read_string(r);
    }
    if (c == '-' || (c >= '0' && c <= '9')) {
        return read_number(r);
    }
    if (c != '{' && c != '[') {
        return read_literal(r);
    }
    if (r->depth == JSON_MOST_DEPTH) {
        return refuse(r, "is nested deeper than 32");
    }
    r->depth++;
    json_t *value = c == '{' ? read_object(r) : read_array(r);
    r->depth--;
    return value;
}

json_t *json_read(const char *text, size_t length, struct error *error) {
    return json_read_most(text, length, JSON_MOST_BYTES, error);
}

json_t *json_read_most(const char *text, size_t length, size_t most,
                       struct error *error) {
    struct reader r = {.text = text, .length = length, .error = error};
    if (!text || length == 0) {
        error_set(error, ERROR_INVALID, "", "The JSON text is empty.");
        return NULL;
    }
    if (length > most) {
        error_set(error, ERROR_INVALID, "", "The JSON text is longer than %zu MiB.",
                  most >> 20);
        return NULL;
    }
    if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        return refuse(&r, "begins with a byte order mark");
    }
    buffer_init(&r.scratch, length);
    json_t *value = read_value(&r);
    (void)peek(&r);
    if (value && r.at < length) {
        json_decref(value);
        value = refuse(&r, text[r.at] == '\0' ? "holds a NUL" : "goes on behind its end");
    }
    buffer_free(&r.scratch);
    return value;
}
