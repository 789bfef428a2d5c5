/* SPDX-License-Identifier: MIT */
/* Header fields: bounded on the way in, clean on the way out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "web/header.h"

static int read_json(const char *text, json_t **headers) {
    json_t *given = json_loads(text, JSON_DECODE_ANY, NULL);
    int status = header_read(given, headers);
    json_decref(given);
    return status;
}

static void reads(void **state) {
    json_t *h = NULL;
    (void)state;
    assert_int_equal(header_read(NULL, &h), 0);
    assert_string_equal(header_get(h, "accept"), "");
    json_decref(h);
    assert_int_equal(
        read_json("{\"Accept\":\"text/html\",\"X-Forwarded-For\":\"a\\tb\"}", &h), 0);
    assert_string_equal(header_get(h, "accept"), "text/html");
    json_decref(h);
}

static void refuses(void **state) {
    static const char *const bad[] = {"{\"a\":1}",
                                      "{\"a\":null}",
                                      "{\"a\":[\"b\"]}",
                                      "{\"\":\"b\"}",
                                      "{\"a b\":\"c\"}",
                                      "{\"a:\":\"c\"}",
                                      "{\"a\\r\":\"c\"}",
                                      "{\"a\":\"b\\r\\n c\"}",
                                      "{\"a\":\"b\\u0001\"}",
                                      "{\"Host\":\"a\",\"host\":\"b\"}",
                                      "{\"a\":\"\\u007f\"}"};
    json_t *h = NULL, *many = json_object();
    char name[16];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (read_json(bad[i], &h) != 400 || h) {
            fail_msg("%s", bad[i]);
        }
    }
    for (int i = 0; i < 128; i++) {
        snprintf(name, sizeof name, "h%d", i);
        json_object_set_new(many, name, json_string("v"));
    }
    assert_int_equal(header_read(many, &h), 0);
    json_decref(h);
    json_object_set_new(many, "one-more", json_string("v"));
    assert_int_equal(header_read(many, &h), 431);
    json_object_clear(many);
    char *huge = malloc(65537);
    memset(huge, 'a', 65536);
    huge[65536] = '\0';
    json_object_set_new(many, "cookie", json_string(huge));
    assert_int_equal(header_read(many, &h), 431);
    free(huge);
    json_decref(many);
}

static void writes_clean(void **state) {
    static const struct {
        const char *name, *value;
    } bad[] = {{"location", "a\r\nset-cookie: x"},
               {"location", "a\nb"},
               {"location", "a\x01"},
               {"location", "\xc4\x93"},
               {"location", "a\x7f"},
               {"Location", "a"},
               {"a b", "c"},
               {"", "c"},
               {"a:", "c"},
               {"location", "a\tb"}};
    json_t *h = json_object();
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(header_set(h, bad[i].name, bad[i].value), -1);
    }
    assert_int_equal(json_object_size(h), 0);
    assert_int_equal(header_set(h, "allow", "GET, HEAD"), 0);
    assert_string_equal(header_get(h, "allow"), "GET, HEAD");
    json_decref(h);
}

static void accepts(void **state) {
    static const struct {
        const char *accept, *type;
        int weight;
    } cases[] = {
        {"", "text/html", 1000},
        {"text/html", "text/html", 1000},
        {"text/html", "application/json", 0},
        {"TEXT/HTML;q=0.5", "text/html", 500},
        {"text/*;q=0.3, */*;q=0.1", "text/html", 300},
        {"text/*;q=0.3, */*;q=0.1", "application/json", 100},
        {"*/*", "application/json", 1000},
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
         "application/json", 800},
        {"application/json;q=0, text/html", "application/json", 0},
        {"application/json;q=1.0", "application/json", 1000},
        {"application/json ; q=0.125", "application/json", 125},
        {",,, text/html ,", "text/html", 1000},
        {"text/htmlx", "text/html", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int weight = header_accept(cases[i].accept, cases[i].type);
        if (weight != cases[i].weight) {
            fail_msg("%s of %s: %d", cases[i].type, cases[i].accept, weight);
        }
    }
}

static void takes_parameters(void **state) {
    char out[16];
    (void)state;
    assert_true(
        header_type_is(" Multipart/Form-Data; boundary=x", "multipart/form-data"));
    assert_false(header_type_is("text/plain", "text/pla"));
    assert_false(header_type_is("", "text/plain"));
    assert_true(header_parameter("m/f; charset=a; Boundary=\"a b\"", "boundary", out,
                                 sizeof out));
    assert_string_equal(out, "a b");
    assert_true(header_parameter("m/f;boundary=xyz;q=1", "boundary", out, sizeof out));
    assert_string_equal(out, "xyz");
    assert_false(
        header_parameter("m/f; boundary=0123456789012345", "boundary", out, sizeof out));
    assert_false(header_parameter("m/f; boundary=", "boundary", out, sizeof out));
    assert_false(header_parameter("m/f", "boundary", out, sizeof out));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(refuses),
        cmocka_unit_test(writes_clean),
        cmocka_unit_test(accepts),
        cmocka_unit_test(takes_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
