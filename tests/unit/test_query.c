/* SPDX-License-Identifier: MIT */
/* Fields of queries and forms, and targets: decoded once, or refused as a whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "web/query.h"
#include "web/target.h"

static void decodes(void **state) {
    static const struct {
        const char *text;
        bool plus;
        const char *out; /* NULL: refused */
    } cases[] = {
        {"", false, ""},
        {"a", false, "a"},
        {"%41", false, "A"},
        {"%2541", false, "%41"},
        {"a+b", true, "a b"},
        {"a+b", false, "a+b"},
        {"%2B", true, "+"},
        {"%c3%a9", false, "\xc3\xa9"},
        {"%C3%A9", false, "\xc3\xa9"},
        {"%", false, NULL},
        {"%4", false, NULL},
        {"%4g", false, NULL},
        {"%g4", false, NULL},
        {"%%41", false, NULL},
        {"%00", false, NULL},
        {"%ff", false, NULL},
        {"%c0%af", false, NULL},
        {"%ed%a0%80", false, NULL},
        {"%c3", false, NULL},
        {"%f4%90%80%80", false, NULL},
        {"%e0%80%80", false, NULL},
        {"a%0ab", false, "a\nb"},
        {"% 41", false, NULL},
        {"%+1", false, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[64];
        long n = query_decode(cases[i].text, strlen(cases[i].text), cases[i].plus, out);
        if ((n < 0) != !cases[i].out || (n >= 0 && strcmp(out, cases[i].out) != 0)) {
            fail_msg("%s", cases[i].text);
        }
    }
}

static int read_text(const char *text, size_t most, struct query *query) {
    struct error error = {0};
    int code = query_read(text, strlen(text), most, query, &error);
    assert_int_equal(code, error.code);
    return code;
}

static void reads_fields(void **state) {
    struct query q;
    (void)state;
    assert_int_equal(read_text("a=1&b=&c&rating.x%20y=5&&d=%26%3D", 64, &q), 0);
    assert_int_equal(q.count, 5);
    assert_string_equal(query_get(&q, "a"), "1");
    assert_string_equal(query_get(&q, "b"), "");
    assert_string_equal(query_get(&q, "c"), "");
    assert_string_equal(query_get(&q, "rating.x y"), "5");
    assert_string_equal(query_get(&q, "d"), "&=");
    assert_null(query_get(&q, "A"));
    query_free(&q);
    assert_int_equal(read_text("", 64, &q), 0);
    assert_int_equal(q.count, 0);
    query_free(&q);
}

static void refuses_fields(void **state) {
    static const char *const bad[] = {"a=1&a=2",    "a=1&%61=2",     "a&a",
                                      "=1",         "a=%",           "%zz=1",
                                      "a=%00",      "a=%ff&b=1",     "=",
                                      "a=1&=",      "id[]=1&id[]=2", "a=%c0%80",
                                      "%ed%bf%bf=1"};
    char many[64 * 8 + 16] = "";
    struct query q;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (!read_text(bad[i], 64, &q)) {
            fail_msg("%s", bad[i]);
        }
        assert_null(q.fields);
    }
    for (int i = 0; i < 65; i++) {
        snprintf(many + strlen(many), sizeof many - strlen(many), "f%d=1&", i);
    }
    assert_int_equal(read_text(many, 64, &q), ERROR_INVALID);
    assert_int_equal(read_text(many, 65, &q), 0);
    query_free(&q);
    struct error error = {0};
    assert_int_equal(query_read("a\0b=1", 5, 64, &q, &error), ERROR_INVALID);
}

static int read_parts(const char *text, const char *boundary, struct query *q) {
    struct error error = {0};
    return query_read_multipart(text, strlen(text), boundary, 64, q, &error);
}

static void reads_parts(void **state) {
    static const char one[] =
        "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n"
        "\r\nOne-Click\r\n--b--\r\n";
    static const char two[] =
        "preamble\r\n--b\r\nContent-Disposition: form-data; filename=\"n\"; "
        "name=\"x\"\r\nContent-Type: text/plain\r\n\r\n1\r\n2\r\n--b\r\n"
        "content-disposition: form-data; name=\"y\"\r\n\r\n\r\n--b--";
    static const char *const bad[] = {
        "",
        "--b",
        "--b\r\n",
        "--b\r\n\r\n",
        "--b\r\nX: y\r\n\r\nz\r\n--b--",
        "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1",
        "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b",
        "--b\r\nC: f; name=\"a\"\r\n\r\n1\r\n--b\r\nC: f; name=\"a\"\r\n\r\n2\r\n--b--",
        "--b\r\nC: f; name=\"a\"\r\n\r\n\xff\r\n--b--",
        "--b\r\nC: f; name=\"\"\r\n\r\n1\r\n--b--",
        "--c\r\nC: f; name=\"a\"\r\n\r\n1\r\n--c--"};
    struct query q;
    (void)state;
    assert_int_equal(read_parts(one, "b", &q), 0);
    assert_string_equal(query_get(&q, "List-Unsubscribe"), "One-Click");
    query_free(&q);
    assert_int_equal(read_parts(two, "b", &q), 0);
    assert_string_equal(query_get(&q, "x"), "1\r\n2");
    assert_string_equal(query_get(&q, "y"), "");
    query_free(&q);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (!read_parts(bad[i], "b", &q)) {
            fail_msg("part %zu", i);
        }
        assert_null(q.storage);
    }
    /* Any cut of a good form is refused or read, never more. */
    for (size_t n = 0; n < sizeof two; n++) {
        struct error error = {0};
        char *cut = strndup(two, n);
        if (!query_read_multipart(cut, n, "b", 64, &q, &error)) {
            query_free(&q);
        }
        free(cut);
    }
    assert_int_equal(read_parts(one, "", &q), ERROR_INVALID);
}

static void splits_targets(void **state) {
    static const struct {
        const char *text;
        int status;
        size_t count, depth;
        const char *segments[3], *query;
    } cases[] = {
        {"/", 0, 0, 0, {0}, ""},
        {"/r/abc", 0, 2, 1, {"r", "abc"}, ""},
        {"/r/abc?x=1?y", 0, 2, 1, {"r", "abc"}, "x=1?y"},
        {"/r/abc?", 0, 2, 1, {"r", "abc"}, ""},
        {"/r/", 0, 2, 1, {"r", ""}, ""},
        {"/products/a%2Fb/reviews", 0, 3, 2, {"products", "a/b", "reviews"}, ""},
        {"/products/t%C4%93ja/reviews",
         0,
         3,
         2,
         {"products", "t\xc4\x93ja", "reviews"},
         ""},
        {"/%2572/x", 0, 2, 1, {"%72", "x"}, ""},
        {"", 400, 0, 0, {0}, ""},
        {"r/abc", 400, 0, 0, {0}, ""},
        {"//r/abc", 400, 0, 0, {0}, ""},
        {"/r//abc", 400, 0, 0, {0}, ""},
        {"/./r", 400, 0, 0, {0}, ""},
        {"/r/../a", 400, 0, 0, {0}, ""},
        {"/r/%2e", 400, 0, 0, {0}, ""},
        {"/r/%2E%2e/x", 400, 0, 0, {0}, ""},
        {"/r/%00", 400, 0, 0, {0}, ""},
        {"/r/%0a", 400, 0, 0, {0}, ""},
        {"/r/%7f", 400, 0, 0, {0}, ""},
        {"/r/%", 400, 0, 0, {0}, ""},
        {"/r/%ff", 400, 0, 0, {0}, ""},
        {"/r/a b", 400, 0, 0, {0}, ""},
        {"/r/a\tb", 400, 0, 0, {0}, ""},
        {"/r/a#b", 400, 0, 0, {0}, ""},
        {"/r\\a", 400, 0, 0, {0}, ""},
        {"http://h/r/a", 400, 0, 0, {0}, ""},
        {"*", 400, 0, 0, {0}, ""},
        {"?x", 400, 0, 0, {0}, ""},
        {"/a/b/c/d/e/f/g/h/i/j",
         0,
         TARGET_SEGMENTS_MOST + 1,
         TARGET_SEGMENTS_MOST,
         {"a"},
         ""},
    };
    struct target t;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status = target_read(cases[i].text, strlen(cases[i].text), &t);
        if (status != cases[i].status) {
            fail_msg("%s: %d", cases[i].text, status);
        }
        for (size_t s = 0; !status && s < 3 && cases[i].segments[s]; s++) {
            assert_string_equal(t.segments[s], cases[i].segments[s]);
        }
        if (!status && (t.count != cases[i].count || t.depth != cases[i].depth ||
                        strcmp(t.query, cases[i].query) != 0)) {
            fail_msg("%s: %zu %zu %s", cases[i].text, t.count, t.depth, t.query);
        }
        target_free(&t);
    }
    char *huge = malloc(70000);
    memset(huge, '/', 70000);
    assert_int_equal(target_read(huge, 70000, &t), 414);
    target_free(&t);
    memset(huge + 1, 'a', 8191);
    assert_int_equal(target_read(huge, 8192, &t), 0);
    target_free(&t);
    assert_int_equal(target_read(huge, 8193, &t), 414);
    target_free(&t);
    free(huge);
}

static void escapes(void **state) {
    struct buffer out;
    (void)state;
    buffer_init(&out, 100);
    query_escape(&out, "a b/&?\xc4\x93~-._");
    assert_string_equal(out.data, "a%20b%2F%26%3F%C4%93~-._");
    buffer_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes),        cmocka_unit_test(reads_fields),
        cmocka_unit_test(refuses_fields), cmocka_unit_test(reads_parts),
        cmocka_unit_test(splits_targets), cmocka_unit_test(escapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
