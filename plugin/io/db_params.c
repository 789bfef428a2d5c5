/* SPDX-License-Identifier: MIT */
/* Parameters and arrays in PostgreSQL's binary format: big-endian, typed, no quoting. */
#include <limits.h>
#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "io/db.h"

/* Types of PostgreSQL's catalogue, fixed for ever; indexed by enum db_kind. */
static const struct {
    uint32_t scalar;
    uint32_t array;
} oids[] = {
    [DB_TEXT] = {25, 1009},  [DB_INT] = {20, 1016},    [DB_BOOL] = {16, 1000},
    [DB_BYTES] = {17, 1001}, [DB_TIME] = {1184, 1185}, [DB_JSON] = {3802, 3807},
};

#define JSONB_VERSION "\1"
#define EPOCH_2000_US INT64_C(946684800000000)
#define TIME_LEAST_US INT64_C(-62135596800000000) /* 0001-01-01 */
#define TIME_MOST_US INT64_C(253402300799999999)  /* 9999-12-31 */

static const char too_large[] = "the call's parameters are too large";
static const char too_many[] = "the call has too many parameters";
static const char no_memory[] = "no memory for the call's parameters";
static const char has_nul[] = "a text holds a NUL byte";
static const char no_time[] = "a time is outside the years 1 to 9999";
static const char wrong_kind[] = "an array holds a value of another kind";

/* A value on its way: its bytes in one or two pieces. */
struct piece {
    const void *bytes; /* NULL: SQL NULL */
    size_t length;
    const char *lead; /* goes before bytes */
};

static void params_big(uint8_t *out, size_t width, uint64_t value) {
    for (size_t i = 0; i < width; i++) {
        out[i] = (uint8_t)(value >> (8 * (width - 1 - i)));
    }
}

static void params_number(struct buffer *into, int32_t value) {
    uint8_t bytes[4];
    params_big(bytes, sizeof bytes, (uint32_t)value);
    buffer_append(into, bytes, sizeof bytes);
}

/* The first refusal stays. */
static void params_refuse(int *code, const char **refusal, int with, const char *why) {
    if (*code == 0) {
        *code = with;
        *refusal = why;
    }
}

/* Appends lead and bytes; false, with the refusal noted, when they do not fit. */
static bool params_append(struct buffer *into, const struct piece *piece, int *code,
                          const char **refusal) {
    size_t lead = piece->lead ? strlen(piece->lead) : 0;
    if (*code != 0) {
        return false;
    }
    if (piece->length > DB_PARAMS_BYTES ||
        lead + piece->length > into->limit - into->length) {
        params_refuse(code, refusal, ERROR_INVALID, too_large);
        return false;
    }
    if (lead > 0) {
        buffer_append(into, piece->lead, lead);
    }
    buffer_append(into, piece->bytes, piece->length);
    if (!buffer_ok(into)) {
        params_refuse(code, refusal, ERROR_FAILED, no_memory);
        return false;
    }
    return true;
}

void db_params_open(struct db_params *p) {
    p->count = 0;
    p->code = 0;
    p->refusal = NULL;
    buffer_init(&p->bytes, DB_PARAMS_BYTES);
}

void db_params_free(struct db_params *p) {
    if (p->bytes.data) {
        crypto_zero(p->bytes.data, p->bytes.length);
    }
    buffer_free(&p->bytes);
    p->count = 0;
}

static void params_add(struct db_params *p, uint32_t type, const struct piece *piece) {
    size_t before = p->bytes.length;
    if (p->count >= DB_PARAMS_MOST) {
        params_refuse(&p->code, &p->refusal, ERROR_INVALID, too_many);
        return;
    }
    if (piece->bytes && !params_append(&p->bytes, piece, &p->code, &p->refusal)) {
        return;
    }
    p->offsets[p->count] = before;
    p->lengths[p->count] = piece->bytes ? (int)(p->bytes.length - before) : -1;
    p->types[p->count++] = type;
}

static void array_add(struct db_array *a, enum db_kind kind, const struct piece *piece) {
    if (piece->bytes && a->kind != kind) {
        params_refuse(&a->code, &a->refusal, ERROR_FAILED, wrong_kind);
        return;
    }
    if (a->code != 0 || a->count == INT32_MAX || piece->length > DB_PARAMS_BYTES) {
        params_refuse(&a->code, &a->refusal, ERROR_INVALID, too_large);
        return;
    }
    size_t lead = piece->lead ? strlen(piece->lead) : 0;
    uint8_t head[4];
    params_big(head, sizeof head,
               piece->bytes ? (uint32_t)(lead + piece->length) : UINT32_MAX);
    struct piece length = {.bytes = head, .length = sizeof head};
    if (!params_append(&a->bytes, &length, &a->code, &a->refusal) ||
        (piece->bytes && !params_append(&a->bytes, piece, &a->code, &a->refusal))) {
        return;
    }
    a->nulls = a->nulls || !piece->bytes;
    a->count++;
}

/* The makers of values: *piece is filled, or a refusal is returned. */
static const char *piece_text(const char *s, size_t n, struct piece *piece) {
    *piece = (struct piece){.bytes = s, .length = s ? n : 0};
    return s && memchr(s, '\0', n) ? has_nul : NULL;
}

static const char *piece_time(int64_t wall_us, uint8_t room[8], struct piece *piece) {
    bool sane = wall_us >= TIME_LEAST_US && wall_us <= TIME_MOST_US;
    params_big(room, 8, sane ? (uint64_t)(wall_us - EPOCH_2000_US) : 0);
    *piece = (struct piece){.bytes = room, .length = 8};
    return sane ? NULL : no_time;
}

static void params_piece(struct db_params *p, enum db_kind kind, const char *refusal,
                         const struct piece *piece) {
    if (refusal) {
        params_refuse(&p->code, &p->refusal, ERROR_INVALID, refusal);
    } else {
        params_add(p, oids[kind].scalar, piece);
    }
}

static void array_piece(struct db_array *a, enum db_kind kind, const char *refusal,
                        const struct piece *piece) {
    if (refusal) {
        params_refuse(&a->code, &a->refusal, ERROR_INVALID, refusal);
    } else {
        array_add(a, kind, piece);
    }
}

void db_add_text(struct db_params *p, const char *s) {
    db_add_text_n(p, s, s ? strlen(s) : 0);
}

void db_add_text_n(struct db_params *p, const char *s, size_t n) {
    struct piece piece;
    const char *refusal = piece_text(s, n, &piece);
    params_piece(p, DB_TEXT, refusal, &piece);
}

void db_add_int(struct db_params *p, int64_t value) {
    uint8_t room[8];
    params_big(room, sizeof room, (uint64_t)value);
    params_piece(p, DB_INT, NULL, &(struct piece){.bytes = room, .length = sizeof room});
}

void db_add_bool(struct db_params *p, bool value) {
    uint8_t room = value;
    params_piece(p, DB_BOOL, NULL, &(struct piece){.bytes = &room, .length = 1});
}

void db_add_bytes(struct db_params *p, const void *bytes, size_t n) {
    params_piece(p, DB_BYTES, NULL, &(struct piece){.bytes = bytes, .length = n});
}

void db_add_time(struct db_params *p, int64_t wall_us) {
    uint8_t room[8];
    struct piece piece;
    const char *refusal = piece_time(wall_us, room, &piece);
    params_piece(p, DB_TIME, refusal, &piece);
}

void db_add_json(struct db_params *p, const json_t *value) {
    char *text = json_write(value);
    if (value && !text) {
        params_refuse(&p->code, &p->refusal, ERROR_FAILED, no_memory);
        return;
    }
    params_piece(p, DB_JSON, NULL,
                 &(struct piece){.bytes = text,
                                 .length = text ? strlen(text) : 0,
                                 .lead = JSONB_VERSION});
    memory_free(text);
}

void db_add_null(struct db_params *p) {
    params_add(p, 0, &(struct piece){.bytes = NULL});
}

void db_array_open(struct db_array *a, enum db_kind kind) {
    *a = (struct db_array){.kind = kind};
    buffer_init(&a->bytes, DB_PARAMS_BYTES);
}

void db_array_free(struct db_array *a) {
    enum db_kind kind = a->kind;
    if (a->bytes.data) {
        crypto_zero(a->bytes.data, a->bytes.length);
    }
    buffer_free(&a->bytes);
    *a = (struct db_array){.kind = kind, .bytes = {.limit = DB_PARAMS_BYTES}};
}

void db_array_text(struct db_array *a, const char *s) {
    db_array_text_n(a, s, s ? strlen(s) : 0);
}

void db_array_text_n(struct db_array *a, const char *s, size_t n) {
    struct piece piece;
    const char *refusal = piece_text(s, n, &piece);
    bool json = a->kind == DB_JSON;
    piece.lead = json ? JSONB_VERSION : NULL;
    array_piece(a, json ? DB_JSON : DB_TEXT, refusal, &piece);
}

void db_array_int(struct db_array *a, int64_t value) {
    uint8_t room[8];
    params_big(room, sizeof room, (uint64_t)value);
    array_piece(a, DB_INT, NULL, &(struct piece){.bytes = room, .length = sizeof room});
}

void db_array_bool(struct db_array *a, bool value) {
    uint8_t room = value;
    array_piece(a, DB_BOOL, NULL, &(struct piece){.bytes = &room, .length = 1});
}

void db_array_bytes(struct db_array *a, const void *bytes, size_t n) {
    array_piece(a, DB_BYTES, NULL, &(struct piece){.bytes = bytes, .length = n});
}

void db_array_time(struct db_array *a, int64_t wall_us) {
    uint8_t room[8];
    struct piece piece;
    const char *refusal = piece_time(wall_us, room, &piece);
    array_piece(a, DB_TIME, refusal, &piece);
}

void db_array_json(struct db_array *a, const json_t *value) {
    char *text = json_write(value);
    if (value && !text) {
        params_refuse(&a->code, &a->refusal, ERROR_FAILED, no_memory);
        return;
    }
    array_piece(a, DB_JSON, NULL,
                &(struct piece){.bytes = text,
                                .length = text ? strlen(text) : 0,
                                .lead = JSONB_VERSION});
    memory_free(text);
}

void db_array_null(struct db_array *a) {
    array_piece(a, a->kind, NULL, &(struct piece){.bytes = NULL});
}

/* dimensions, has-null flag, element type, then size and lower bound of the dimension. */
void db_add_array(struct db_params *p, struct db_array *a) {
    struct buffer head;
    buffer_init(&head, 32);
    params_number(&head, a->count > 0 ? 1 : 0);
    params_number(&head, a->nulls);
    params_number(&head, (int32_t)oids[a->kind].scalar);
    if (a->count > 0) {
        params_number(&head, a->count);
        params_number(&head, 1);
    }
    if (a->code != 0) {
        params_refuse(&p->code, &p->refusal, a->code, a->refusal);
    } else if (!buffer_ok(&head)) {
        params_refuse(&p->code, &p->refusal, ERROR_FAILED, no_memory);
    } else {
        int place = p->count;
        struct piece elements = {.bytes = a->bytes.data, .length = a->bytes.length};
        params_add(p, oids[a->kind].array,
                   &(struct piece){.bytes = head.data, .length = head.length});
        if (p->code == 0 && elements.length > 0 &&
            params_append(&p->bytes, &elements, &p->code, &p->refusal)) {
            p->lengths[place] += (int)elements.length;
        }
    }
    buffer_free(&head);
    db_array_free(a);
}
