/* SPDX-License-Identifier: MIT */
/* What the console makes of data: marks never cut a character nor run past a text, codes and
   times get words, bars get heights; hostile shapes are passed over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "web/console_chart.h"
#include "web/console_dress.h"

static json_t *dressed(const char *text) {
    static const struct exchange x = {.locale = "en"};
    struct error error = {0};
    json_t *value = json_read(text, strlen(text), &error);
    assert_non_null(value);
    assert_int_equal(console_dress(&x, value), 0);
    return value;
}

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* "a[b]c": the parts of a text, marked ones in brackets. */
static void parts_are(const char *data, const char *field, const char *expected) {
    json_t *value = dressed(data);
    const json_t *parts = json_object_get(value, field);
    char out[400] = "";
    size_t used = 0;

    for (size_t i = 0; i < json_array_size(parts); i++) {
        const json_t *part = json_array_get(parts, i);
        int mark = json_is_true(json_object_get(part, "mark"));
        used += (size_t)snprintf(out + used, sizeof out - used, "%s%s%s", mark ? "[" : "",
                                 text_of(part, "text"), mark ? "]" : "");
    }
    assert_string_equal(out, expected);
    json_decref(value);
}

#define MARK(start, end)                                                                 \
    "{\"field\":\"body\",\"category\":\"insult\",\"start\":" start ",\"end\":" end "}"

static void marks_cut_texts(void **state) {
    (void)state;
    parts_are("{\"body\":\"you idiot you\",\"marks\":[" MARK("4", "9") "]}", "body_parts",
              "you [idiot] you");
    parts_are("{\"body\":\"idiot\",\"marks\":[" MARK("0", "5") "]}", "body_parts",
              "[idiot]");
    parts_are("{\"body\":\"āda\",\"marks\":[" MARK("1", "3") "]}", "body_parts", "āda");
    parts_are("{\"body\":\"āda\",\"marks\":[" MARK("0", "1") "]}", "body_parts", "āda");
    parts_are("{\"body\":\"āda\",\"marks\":[" MARK("0", "2") "]}", "body_parts", "[ā]da");
    parts_are("{\"body\":\"abc\",\"marks\":[" MARK("1", "99") "]}", "body_parts", "abc");
    parts_are("{\"body\":\"abc\",\"marks\":[" MARK("-1", "2") "]}", "body_parts", "abc");
    parts_are("{\"body\":\"abc\",\"marks\":[" MARK("2", "1") "]}", "body_parts", "abc");
    parts_are("{\"body\":\"abcd\",\"marks\":[" MARK("0", "3") "," MARK("2", "4") "]}",
              "body_parts", "[abc]d");
    parts_are("{\"body\":\"abc\",\"marks\":[1,null,{},{\"field\":7}]}", "body_parts",
              "abc");
    parts_are("{\"body\":null,\"marks\":[" MARK("0", "1") "]}", "body_parts", "");
    parts_are("{\"title\":\"x\",\"body\":\"abc\",\"marks\":[" MARK("0", "1") "]}",
              "title_parts", "x");
}

static void members_get_words(void **state) {
    json_t *v = dressed("{\"state\":\"held\",\"reasons\":[\"abusive\",\"of_tomorrow\",3],"
                        "\"held_at\":\"2026-11-21T23:30:15.5+00:00\",\"rating\":4,"
                        "\"deadline_s\":-7200,\"order_id\":\"a b/é\"}");
    const json_t *reasons = json_object_get(v, "reasons_text");
    (void)state;
    assert_string_equal(text_of(v, "state_text"), "waiting");
    assert_int_equal(json_array_size(reasons), 2);
    assert_string_equal(json_string_value(json_array_get(reasons, 0)),
                        "Abusive language");
    assert_string_equal(json_string_value(json_array_get(reasons, 1)), "of_tomorrow");
    assert_string_equal(text_of(v, "held_on"), "2026-11-21 23:30");
    assert_string_equal(text_of(v, "stars"), "★★★★☆");
    assert_string_equal(text_of(v, "deadline_left"), "2 h");
    assert_true(json_is_true(json_object_get(v, "deadline_over")));
    assert_string_equal(text_of(v, "order_id_url"), "a%20b%2F%C3%A9");
    json_decref(v);
}

static void what_is_none_stays(void **state) {
    json_t *v = dressed("{\"rating\":9,\"held_at\":\"yesterday\",\"deadline_s\":\"x\","
                        "\"state\":null,\"marks\":7,\"grounds\":3,\"bars\":[]}");
    (void)state;
    assert_null(json_object_get(v, "stars"));
    assert_null(json_object_get(v, "held_on"));
    assert_null(json_object_get(v, "deadline_left"));
    assert_null(json_object_get(v, "state_text"));
    json_decref(v);
}

static void facts_are_ready(void **state) {
    json_t *v = dressed(
        "{\"body\":\"you idiot\",\"locale\":\"es\",\"verified\":false,\"marks\":[" MARK(
            "4", "9") "],\"grounds\":[{\"ground\":\"abusive\"},{\"ground\":\"spam\"},"
                      "{\"ground\":\"not_genuine\"}]}");
    const json_t *grounds = json_object_get(v, "grounds");
    (void)state;
    assert_string_equal(text_of(json_array_get(grounds, 0), "ready"),
                        "Estas palabras: idiot");
    assert_true(json_is_null(json_object_get(json_array_get(grounds, 1), "ready")));
    assert_true(strlen(text_of(json_array_get(grounds, 2), "ready")) > 10);
    assert_int_equal(
        json_integer_value(json_object_get(json_array_get(grounds, 2), "digit")), 3);
    json_decref(v);
}

static void bars_get_heights(void **state) {
    json_t *v = dressed("{\"bars\":[{\"value\":0},{\"value\":5},{\"value\":10}]}");
    const json_t *bars = json_object_get(v, "bars");
    (void)state;
    assert_true(json_is_true(json_object_get(v, "charted")));
    for (size_t i = 0; i < 3; i++) {
        const json_t *bar = json_array_get(bars, i);
        json_int_t height = json_integer_value(json_object_get(bar, "height"));
        assert_int_equal(height, (json_int_t)i * CHART_HEIGHT / 2);
        assert_int_equal(json_integer_value(json_object_get(bar, "y")) + height,
                         CHART_HEIGHT);
        assert_true(json_integer_value(json_object_get(bar, "x")) +
                        json_integer_value(json_object_get(bar, "width")) <=
                    CHART_WIDTH);
    }
    json_decref(v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_cut_texts),    cmocka_unit_test(members_get_words),
        cmocka_unit_test(what_is_none_stays), cmocka_unit_test(facts_are_ready),
        cmocka_unit_test(bars_get_heights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
