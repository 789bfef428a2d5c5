/* SPDX-License-Identifier: MIT */
/* Words to topics: whole words and beginnings of words, language by language. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "moderation/topic.h"

static struct topics *topics;

static int setup(void **state) {
    json_t *rows = json_pack(
        "[[s,s,s,s],[s,s,s,s],[s,s,s,s],[s,s,s,s],[s,s,s,s],[s,s,s,s],[s],i]", "en",
        "late", "delivery", "word", "en", "deliver", "delivery", "stem", "en",
        "too small", "size", "word", "lv", "piegāde", "delivery", "stem", "ar", "التغليف",
        "packaging", "stem", "*", "SKU", "description", "word", "en", 7);
    (void)state;
    int rc = topics_compile(rows, &topics, NULL);
    json_decref(rows);
    return rc;
}

static int teardown(void **state) {
    (void)state;
    topics_free(topics);
    return 0;
}

static int found(const char *locale, const char *text) {
    return topics_find(topics, locale, NULL, text);
}

static void finds_words(void **state) {
    (void)state;
    assert_int_equal(found("en", "It came LATE."), 1 << TOPIC_DELIVERY);
    assert_int_equal(found("en-GB", "Delivered late; it is too  small!"),
                     1 << TOPIC_DELIVERY | 1 << TOPIC_SIZE);
    assert_int_equal(found("en", "A plate, later."), 1 << TOPIC_OTHER);
    assert_int_equal(found("lv", "Piegādes laiks bija ilgs."), 1 << TOPIC_DELIVERY);
    assert_int_equal(found("lv", "piegades laiks"), 1 << TOPIC_DELIVERY);
    assert_int_equal(found("ar", "كان التغليفُ سيئًا"), 1 << TOPIC_PACKAGING);
    assert_int_equal(found("de", "late"), 1 << TOPIC_OTHER);
    assert_int_equal(found("de", "sku 7"), 1 << TOPIC_DESCRIPTION);
    assert_int_equal(found(NULL, "late"), 1 << TOPIC_DELIVERY);
}

static void finds_nothing_in_nothing(void **state) {
    (void)state;
    assert_int_equal(found("en", ""), 0);
    assert_int_equal(found("en", NULL), 0);
    assert_int_equal(found("en", " \n"), 0);
    assert_int_equal(topics_find(topics, "en", "Late", "Fine otherwise"),
                     1 << TOPIC_DELIVERY);
    assert_string_equal(topic_name(TOPIC_SERVICE), "service");
    assert_string_equal(topic_name(TOPICS), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_words),
                                       cmocka_unit_test(finds_nothing_in_nothing)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
