/* SPDX-License-Identifier: MIT */
/* The reader's refusals and their places, its likeness to jansson where both agree to read,
 * and lack of memory at every point. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

#define SIZED(s) s, sizeof s - 1

static void accepted(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"{}", "{}"},
        {" [ ] ", "[]"},
        {"\t{\"a\" : [1 ,\r\n2]}\n", "{\"a\":[1,2]}"},
        {"null", "null"},
        {"true", "true"},
        {"\"x\"", "\"x\""},
        {"\"\"", "\"\""},
        {"-0", "0"},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"4.3", "4.3"},
        {"1e2", "100.0"},
        {"-1.5E-3", "-0.0015"},
        {"0.1", "0.1"},
        {"19.90", "19.9"},
        {"0e999999999999", "0.0"},
        {"1e-999999999999", "0.0"},
        {"123456789012345678901234567890.0", "1.23456789012346e29"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
        {"\"\\u00e9\\u20AC\\ud83d\\uDE00\"", "\"é€😀\""},
        {"{\"a\":{\"a\":1},\"A\":2,\"\":3}", "{\"a\":{\"a\":1},\"A\":2,\"\":3}"},
        {"\"\x7F\xC2\x80\"", "\"\x7F\xC2\x80\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error = {0};
        json_t *value = json_read(cases[i][0], strlen(cases[i][0]), &error);
        char *text = json_write(value);
        print_message("# %zu %s\n", i, error.detail);
        assert_non_null(value);
        assert_string_equal(text, cases[i][1]);
        assert_int_equal(error.code, 0);
        memory_free(text);
        json_decref(value);
    }
    assert_null(json_write(NULL));
}

static void refused(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t length;
        const char *pointer, *says;
    } cases[] = {
        {SIZED(""), "", "empty"},
        {SIZED(" "), "", "ends too early (line 1, column 2)"},
        {SIZED("{"), "", "ends too early"},
        {SIZED("{\"a\":[1,"), "/a/1", "ends too early"},
        {SIZED("{\"a\":[1,]}"), "/a/1", "is not JSON (line 1, column 9)"},
        {SIZED("{\"a\":1,}"), "", "is not JSON"},
        {SIZED("{\"a\" 1}"), "/a", "is not JSON"},
        {SIZED("{a:1}"), "", "is not JSON"},
        {SIZED("{'a':1}"), "", "is not JSON"},
        {SIZED("[1 2]"), "/0", "is not JSON"},
        {SIZED("[1}"), "/0", "is not JSON"},
        {SIZED("{} {}"), "", "goes on behind its end (line 1, column 4)"},
        {SIZED("[]x"), "", "goes on behind its end"},
        {SIZED("{}\0"), "", "holds a NUL"},
        {SIZED("{\0}"), "", "holds a NUL"},
        {SIZED("{\"a\":\"x\0y\"}"), "/a", "holds a NUL"},
        {SIZED("{\"a\":\"x\\u0000y\"}"), "/a", "holds a NUL"},
        {SIZED("{\"a\\u0000b\":1}"), "", "holds a NUL"},
        {SIZED("\xEF\xBB\xBF{}"), "", "byte order mark"},
        {SIZED("{\"a\":1,\"b\":2,\"a\":3}"), "/a", "names a key twice"},
        {SIZED("{\"x\":[{},{\"a\":1,\"\\u0061\":2}]}"), "/x/1/a", "names a key twice"},
        {SIZED("{\"a/b~c\":{\"x\":tru}}"), "/a~1b~0c/x", "is not JSON"},
        {SIZED("{\"a\":\n {\"b\":\"\xC3\x84\", \"c\":nul}}"), "/a/c",
         "(line 2, column 16)"},
        {SIZED("\"\xC0\x80\""), "", "is not well-formed UTF-8"},
        {SIZED("\"\xED\xA0\x80\""), "", "is not well-formed UTF-8"},
        {SIZED("\"\xF4\x90\x80\x80\""), "", "is not well-formed UTF-8"},
        {SIZED("\"\xE2\x82"), "", "is not well-formed UTF-8"},
        {SIZED("\"\\ud800\""), "", "half a surrogate pair"},
        {SIZED("\"\\udc00\""), "", "half a surrogate pair"},
        {SIZED("\"\\ud800\\u0041\""), "", "half a surrogate pair"},
        {SIZED("\"\\ud800\\ud800\""), "", "half a surrogate pair"},
        {SIZED("\"\\ud83d\\"), "", "half a surrogate pair"},
        {SIZED("\"\\u12"), "", "ends too early"},
        {SIZED("\"\\u12g4\""), "", "is not JSON"},
        {SIZED("\"\\x41\""), "", "is not JSON"},
        {SIZED("\"\\"), "", "ends too early"},
        {SIZED("\"a\nb\""), "", "control character"},
        {SIZED("\"a\x1F\""), "", "control character"},
        {SIZED("\"abc"), "", "ends too early"},
        {SIZED("[1e309]"), "/0", "out of range"},
        {SIZED("-1e309"), "", "out of range"},
        {SIZED("1e999999999999999999999"), "", "out of range"},
        {SIZED("9223372036854775808"), "", "out of range"},
        {SIZED("-9223372036854775809"), "", "out of range"},
        {SIZED("18446744073709551617"), "", "out of range"},
        {SIZED("100000000000000000000000"), "", "out of range"},
        {SIZED("01"), "", "is not JSON"},
        {SIZED("-"), "", "ends too early"},
        {SIZED("+1"), "", "is not JSON"},
        {SIZED(".5"), "", "is not JSON"},
        {SIZED("1."), "", "ends too early"},
        {SIZED("1.e5"), "", "is not JSON"},
        {SIZED("1e"), "", "ends too early"},
        {SIZED("1e+"), "", "ends too early"},
        {SIZED("0x10"), "", "goes on behind its end"},
        {SIZED("1_000"), "", "goes on behind its end"},
        {SIZED("NaN"), "", "is not JSON"},
        {SIZED("Infinity"), "", "is not JSON"},
        {SIZED("-Infinity"), "", "is not JSON"},
        {SIZED("\xD9\xA5"), "", "is not JSON"}, /* an Arabic five */
        {SIZED("True"), "", "is not JSON"},
        {SIZED("nulll"), "", "goes on behind its end"},
        {SIZED("// x\n{}"), "", "is not JSON"},
        {SIZED("{}/* x */"), "", "goes on behind its end"},
        {SIZED("\x0C{}"), "", "is not JSON"},
        {SIZED("\xC2\xA0{}"), "", "is not JSON"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error = {0};
        print_message("# %zu\n", i);
        assert_null(json_read(cases[i].text, cases[i].length, &error));
        assert_int_equal(error.code, ERROR_INVALID);
        assert_string_equal(error.pointer, cases[i].pointer);
        if (!strstr(error.detail, cases[i].says)) {
            fail_msg("%s: %s", cases[i].text, error.detail);
        }
        assert_null(json_read(cases[i].text, cases[i].length, NULL));
    }
    assert_null(json_read(NULL, 0, NULL));
    assert_null(json_read("{}", 1, NULL)); /* the length is believed */
}

static void limits(void **state) {
    (void)state;
    char nested[80];
    for (int depth = 31; depth <= 34; depth++) {
        memset(nested, '[', 40);
        memset(nested + depth, ']', 40);
        struct error error = {0};
        json_t *value = json_read(nested, (size_t)depth * 2, &error);
        assert_true((value != NULL) == (depth <= 32));
        assert_true(depth <= 32 || strstr(error.detail, "deeper than 32"));
        json_decref(value);
    }
    /* wide is not deep */
    json_t *wide =
        json_read(SIZED("[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],"
                        "[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],{},{}]"),
                  NULL);
    assert_int_equal(json_array_size(wide), 35);
    json_decref(wide);

    char *large = memory_get(JSON_MOST_BYTES + 1);
    memset(large, 'x', JSON_MOST_BYTES + 1);
    large[0] = '"';
    large[JSON_MOST_BYTES - 1] = '"';
    struct error error = {0};
    json_t *value = json_read(large, JSON_MOST_BYTES, &error);
    assert_int_equal(json_string_length(value), JSON_MOST_BYTES - 2);
    json_decref(value);
    large[JSON_MOST_BYTES - 1] = 'x';
    large[JSON_MOST_BYTES] = '"';
    assert_null(json_read(large, JSON_MOST_BYTES + 1, &error));
    assert_non_null(strstr(error.detail, "1 MiB"));
    memset(large, '[', JSON_MOST_BYTES);
    assert_null(json_read(large, JSON_MOST_BYTES, NULL));
    memory_free(large);
}

/* Equal but for reals, which may differ by one unit in the last place. */
static bool alike(const json_t *a, const json_t *b) {
    if (json_is_real(a) && json_is_real(b)) {
        double x = json_real_value(a), y = json_real_value(b), more = x - y;
        double size = x < 0 ? -x : x;
        return (more < 0 ? -more : more) <= size * DBL_EPSILON + DBL_MIN;
    }
    if (json_typeof(a) != json_typeof(b)) {
        return false;
    }
    if (json_is_array(a)) {
        bool same = json_array_size(a) == json_array_size(b);
        for (size_t i = 0; same && i < json_array_size(a); i++) {
            same = alike(json_array_get(a, i), json_array_get(b, i));
        }
        return same;
    }
    if (json_is_object(a)) {
        bool same = json_object_size(a) == json_object_size(b);
        const char *key;
        json_t *value;
        json_t *object = json_copy((json_t *)(uintptr_t)a);
        json_object_foreach(object, key, value) {
            same =
                same && json_object_get(b, key) && alike(value, json_object_get(b, key));
        }
        json_decref(object);
        return same;
    }
    return json_equal(a, b) == 1;
}

/* Half a million texts, most of them broken by a byte or two: jansson's verdict and values. */
static void as_jansson_reads(void **state) {
    (void)state;
    static const char *const seeds[] = {
        "{\"a\":[1,-2.5e3,true,null,\"x\\u00e9\\n\"],\"b\":{\"c\":false,\"d\":\"\"}}",
        "[0.30000000000000004,1e308,-0,12345678901234567,\"\\ud83d\\ude00\",[],{}]",
        " {\"k\" : \"v\" , \"l\" : [ ] }\r\n",
    };
    static const char bytes[] = "{}[]\",:\\u0019.eE+-tfnd \n\x7F\xC3\xA9/x";
    uint32_t random = 7;
    unsigned good = 0;
    for (int round = 0; round < 500000; round++) {
        char text[128];
        const char *seed = seeds[round % 3];
        size_t n = strlen(seed);
        memcpy(text, seed, n + 1);
        for (int change = round % 4; change > 0; change--) {
            random = random * 1664525 + 1013904223;
            text[(random >> 8) % n] = bytes[(random >> 20) % (sizeof bytes - 1)];
        }
        struct error error = {0};
        json_t *own = json_read(text, n, &error);
        json_t *theirs =
            json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
        if ((own != NULL) != (theirs != NULL) || (own && !alike(own, theirs))) {
            fail_msg("%s: %s", text, error.detail);
        }
        assert_true(own || error.code == ERROR_INVALID);
        good += own != NULL;
        json_decref(own);
        json_decref(theirs);
    }
    assert_in_range(good, 130000, 400000);
}

static void no_memory(void **state) {
    (void)state;
#ifdef VOUCH_TEST_ALLOC
    static const char text[] =
        "{\"a key longer than sixteen bytes\":\"and a string that must "
        "grow its buffer more than once, \\u00e9\",\"n\":[1,2.5,true,"
        "null,{\"x\":{}}]}";
    json_t *whole = json_read(SIZED(text), NULL);
    json_malloc_t malloc_before;
    json_free_t free_before;
    json_get_alloc_funcs(&malloc_before, &free_before);
    json_set_alloc_funcs(memory_get,
                         memory_free); /* jansson's allocations fail as well */
    for (int forever = 0; forever < 2; forever++) {
        for (long k = 1;; k++) {
            struct error error = {0};
            memory_fail_at(k, forever != 0);
            json_t *value = json_read(SIZED(text), &error);
            char *written = json_write(value);
            bool reached = memory_count() >= k;
            memory_fail_at(0, false);
            if (value) {
                assert_int_equal(json_equal(value, whole), 1);
            } else {
                assert_int_equal(error.code, ERROR_FAILED);
            }
            memory_free(written);
            json_decref(value);
            if (!reached) {
                assert_non_null(written);
                assert_true(k > 15);
                break;
            }
        }
    }
    json_set_alloc_funcs(malloc_before, free_before);
    json_decref(whole);
#else
    skip();
#endif
}

static void pointers(void **state) {
    (void)state;
    char out[160];
    json_point(out, "/data", "a/b~c");
    assert_string_equal(out, "/data/a~1b~0c");
    json_point(out, NULL, "");
    assert_string_equal(out, "/");
    json_point_at(out, "/data/items", 12);
    assert_string_equal(out, "/data/items/12");
    char base[400];
    memset(base, '~', sizeof base - 1);
    base[sizeof base - 1] = '\0';
    json_point(out, base, base);
    assert_in_range(strlen(out), 158, 159);
    json_point(out, "", base);
    assert_in_range(strlen(out), 158, 159);
    json_point_at(out, base, SIZE_MAX);
    assert_in_range(strlen(out), 158, 159);
}

int main(void) {
    json_start();
    json_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted),  cmocka_unit_test(refused),
        cmocka_unit_test(limits),    cmocka_unit_test(as_jansson_reads),
        cmocka_unit_test(no_memory), cmocka_unit_test(pointers),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
