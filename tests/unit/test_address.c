/* SPDX-License-Identifier: MIT */
/* What may become an SMTP recipient, and which spellings are one buyer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/memory.h"

#define REPEAT_16 "aaaaaaaaaaaaaaaa"
#define REPEAT_64 REPEAT_16 REPEAT_16 REPEAT_16 REPEAT_16
#define LABEL_63 "aaaaaaaaaaaaaaa" REPEAT_16 REPEAT_16 REPEAT_16

static void accepted(void **state) {
    (void)state;
    static const char *const cases[] = {
        "anna@example.test",
        "a@b.c",
        "Anna.Berzina+shop@Example.Test",
        "o'brien!#$%&*-/=?^_`{|}~@example.test",
        "1@2.example",
        "a@1.test",
        "a@xn--bcher-kva.example",
        "a@bücher.example",
        "анна@пример.рф",
        "用户@例子.广告",
        "जॉन@उदाहरण.भारत",
        "a@a-b.test",
        "a@a--b.test",
        REPEAT_64 "@example.test",
        "a@" LABEL_63 ".test",
        "\"anna\"@example.test",
        "\"a..b.\"@example.test",
        "\"a\\n\\na\"@example.test",
        "anna😀@example.test",
        "A@B.CO",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        print_message("# %s\n", cases[i]);
        assert_true(address_valid(cases[i], strlen(cases[i])));
        char *normal = address_normal(cases[i]);
        assert_non_null(normal);
        memory_free(normal);
    }
}

static void refused(void **state) {
    (void)state;
    static const char *const cases[] = {
        /* envelopes broken out of */
        "a@b.test>\r\nRCPT TO:<x@y.test",
        "a@b.test\nDATA",
        "a@b.test\r",
        "\"a\r\nb\"@x.test",
        "<a@b.test>",
        "<a@b.test> SIZE=1",
        "a@b.test SIZE=1",
        "a@b.test,c@d.test",
        "a@b.test;c@d.test",
        "a@b.test, c@d.test",
        "Anna <a@b.test>",
        "mailto:a@b.test",
        "a@b.test>",
        "a>@b.test",
        "a@b@c.test",
        "a%0d%0a@b.test>",
        "@x.test:a@b.test",
        "a@b.test\x7F",
        "a\x01@b.test",
        "a\t@b.test",
        " a@b.test",
        "a@b.test ",
        "a b@c.test",
        "a@b .test",
        "a@\tb.test",
        /* literals, single labels, numbers */
        "a@[127.0.0.1]",
        "a@[IPv6:::1]",
        "a@127.0.0.1",
        "a@localhost",
        "a@2130706433",
        "a@1.2",
        "a@0x7f.1",
        /* dots and hyphens */
        "a@b.test.",
        "a@.b.test",
        "a@b..test",
        "a@.",
        "a@..",
        ".a@b.test",
        "a.@b.test",
        "a..b@c.test",
        "a@-b.test",
        "a@b-.test",
        "a@b.-",
        "a@b_c.test",
        "a@b!c.test",
        /* comments, quotes */
        "a(x)@b.test",
        "(x)a@b.test",
        "a@b.test(x)",
        "a@(x)b.test",
        "\"a b\"@c.test",
        "\"\"@b.test",
        "\"a@b.test",
        "a\"@b.test",
        "\"a\"b@c.test",
        "b\"a\"@c.test",
        "\"a\"@\"b\".test",
        "\"a@b\"@c.test",
        "\"a>b\"@c.test",
        "\"a,b\"@c.test",
        "\"a\\\"b\"@c.test",
        "\"a\\",
        "\"a\\\\\"@c.test",
        "\"",
        /* missing parts */
        "",
        "@",
        "a",
        "a@",
        "@b.test",
        "anna",
        "b.test",
        /* Unicode that hides or breaks lines */
        "a\xC2\xA0@b.test",
        "a\xE2\x80\xA8@b.test",
        "a\xC2\x85@b.test",
        "a\xE2\x80\xAE@b.test",
        "a\xE2\x80\x8B@b.test",
        "a\xEF\xBB\xBF@b.test",
        "a@b\xE3\x80\x82test",
        "a@b\xEF\xBC\x8Etest",
        "a@b\xE2\x80\x8B.test",
        "a@b\xE2\x84\x80.test",
        "a@\xF0\x9F\x98\x80.test",
        "a@b\xE2\x80\xAE.test",
        /* ill-formed */
        "a\xFF@b.test",
        "a\xC0\x80@b.test",
        "a@b\xED\xA0\x80.test",
        "a\xC3@b.test",
        /* long */
        "a" REPEAT_64 "@example.test",
        "a@a" LABEL_63 ".test",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (address_valid(cases[i], strlen(cases[i]))) {
            fail_msg("accepted: %s", cases[i]);
        }
        assert_null(address_normal(cases[i]));
    }
    assert_false(address_valid(NULL, 0));
    assert_false(address_valid("a@b.te\0st", 9));
    assert_false(address_valid("a\0@b.test", 9));
    assert_null(address_normal(NULL));
}

static void length_to_the_byte(void **state) {
    (void)state;
    char address[300];
    int n = snprintf(address, sizeof address, "%s@%s.%s.%s", REPEAT_64, LABEL_63,
                     LABEL_63, LABEL_63);
    assert_int_equal(n, 64 + 1 + 63 * 3 + 2);
    assert_false(address_valid(address, (size_t)n)); /* 256 */
    assert_false(address_valid(address, 255));
    assert_true(address_valid(address, 254));
    address[254] = '\0';
    char *normal = address_normal(address);
    assert_string_equal(normal, address);
    memory_free(normal);
}

static void one_buyer(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"anna@example.test", "anna@example.test"},
        {"ANNA@EXAMPLE.TEST", "anna@example.test"},
        {"anna+shop@example.test", "anna@example.test"},
        {"anna+a+b@example.test", "anna@example.test"},
        {"+tag@example.test", "+tag@example.test"},
        {"\"anna\"@example.test", "anna@example.test"},
        {"\"a\\nna+x\"@example.test", "anna@example.test"},
        {"an.na@example.test", "an.na@example.test"},
        {"An.Na+x@GMail.com", "anna@gmail.com"},
        {"a.n.n.a@googlemail.com", "anna@gmail.com"},
        {"anna@gmail.com.example", "anna@gmail.com.example"},
        {"a@Bücher.Example", "a@bücher.example"},
        {"a@BU\xCC\x88"
         "cher.example",
         "a@bücher.example"},
        {"a@xn--bcher-kva.example", "a@bücher.example"},
        {"a@XN--BCHER-KVA.example", "a@bücher.example"},
        {"a@xn--strae-oqa.example", "a@strasse.example"},
        {"a@xn--fiqs8s.xn--fiqs8s", "a@中国.中国"},
        {"a@xn--p1ai.xn--e1afmkfd", "a@рф.пример"},
        {"a@xn--mgbh0fb.xn--kgbechtv", "a@مثال.إختبار"},
        {"a@xn--.test", NULL},
        {"a@xn--a.test", "a@xn--a.test"}, /* not punycode: as it stands */
        {"a@xn--99999999.test", "a@xn--99999999.test"},
        {"a@xn--abc-.test", NULL},
        {"a@xn--ls8h.test", "a@xn--ls8h.test"}, /* an emoji is no letter */
        {"\xEF\xBC\xA1nna@example.test", "anna@example.test"},
        {"Jānis@example.test", "jānis@example.test"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *normal = address_normal(cases[i][0]);
        if (!cases[i][1]) {
            assert_null(normal);
            continue;
        }
        assert_non_null(normal);
        assert_string_equal(normal, cases[i][1]);
        char *again = address_normal(normal);
        assert_string_equal(again, normal);
        memory_free(again);
        memory_free(normal);
    }
}

/* Any bytes behind xn-- : no crash, no spelling that changes when normalised again. */
static void hostile_labels(void **state) {
    (void)state;
    uint32_t random = 1;
    for (int round = 0; round < 200000; round++) {
        static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
        char address[80] = "a@xn--";
        size_t n = 6, length = 1 + round % 56;
        for (size_t i = 0; i < length; i++) {
            random = random * 1664525 + 1013904223;
            address[n++] = alphabet[(random >> 16) % 37];
        }
        memcpy(address + n, ".test", 6);
        char *normal = address_normal(address);
        char *again = normal ? address_normal(normal) : NULL;
        if (again && strcmp(again, normal) != 0) {
            fail_msg("%s: %s, then %s", address, normal, again);
        }
        memory_free(again);
        memory_free(normal);
    }
}

static void no_memory(void **state) {
    (void)state;
#ifdef VOUCH_TEST_ALLOC
    for (int forever = 0; forever < 2; forever++) {
        for (long k = 1;; k++) {
            memory_fail_at(k, forever != 0);
            char *normal = address_normal("Anna+x@xn--bcher-kva.example");
            bool reached = memory_count() >= k;
            memory_fail_at(0, false);
            if (normal) {
                assert_string_equal(normal, "anna@bücher.example");
            }
            memory_free(normal);
            if (!reached) {
                assert_true(k > 5);
                break;
            }
            assert_null(normal);
        }
    }
#else
    skip();
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted),           cmocka_unit_test(refused),
        cmocka_unit_test(length_to_the_byte), cmocka_unit_test(one_buyer),
        cmocka_unit_test(hostile_labels),     cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
