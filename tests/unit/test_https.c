/* SPDX-License-Identifier: MIT */
/* Where outgoing HTTPS may go: every trick is refused before anything is connected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "io/https.h"

static const char *const allow[] = {"127.0.0.1:9443", "[::1]:9443"};
static const struct https_policy own = {allow, 2, NULL};

static void urls(void **state) {
    (void)state;
    static const char *const fine[] = {"https://shop.example/hook",
                                       "https://shop.example:8443/hook?a=b%20c",
                                       "HTTPS://shop.example", "https://93.184.216.34/",
                                       "https://[2606:2800:220:1::1]/x"};
    static const char *const refused[] = {"http://shop.example/",
                                          "gopher://shop.example/",
                                          "file:///etc/passwd",
                                          "ftp://shop.example/",
                                          "https:///x",
                                          "https://",
                                          "shop.example",
                                          "",
                                          "https://127.0.0.1/",
                                          "https://127.1/",
                                          "https://0x7f000001/",
                                          "https://2130706433/",
                                          "https://0177.0.0.1/",
                                          "https://0/",
                                          "https://localhost/",
                                          "https://intranet/",
                                          "https://[::1]/",
                                          "https://[::ffff:127.0.0.1]/",
                                          "https://[::ffff:7f00:1]/",
                                          "https://[fd00::1]/",
                                          "https://[fe80::1]/",
                                          "https://[64:ff9b::7f00:1]/",
                                          "https://[2002:7f00:1::]/",
                                          "https://[::]/",
                                          "https://[2001:db8::1]/",
                                          "https://[ff02::1]/",
                                          "https://169.254.169.254/latest",
                                          "https://10.0.0.1/",
                                          "https://172.16.0.1/",
                                          "https://172.31.255.255/",
                                          "https://192.168.1.1/",
                                          "https://100.64.0.1/",
                                          "https://224.0.0.1/",
                                          "https://255.255.255.255/",
                                          "https://192.0.2.1/",
                                          "https://198.18.0.1/",
                                          "https://shop.example:25/",
                                          "https://shop.example:6379/",
                                          "https://shop.example:0/",
                                          "https://shop.example:99999/",
                                          "https://shop.example:443x/",
                                          "https://user@shop.example/",
                                          "https://user:pass@shop.example/",
                                          "https://shop.example@127.0.0.1/",
                                          "https://shop.example\\@127.0.0.1/",
                                          "https://shop.example/#frag",
                                          "https://shop.example#@127.0.0.1/",
                                          "https://shop.example/a b",
                                          "https://shop.example/\ta",
                                          "https://shop.example/\r\nX: y",
                                          "https://127.0.0.%31/",
                                          "https://shop.example/\xC3\xA9",
                                          "https://\xE2\x91\xA0"
                                          "27.0.0.1/",
                                          " https://shop.example/",
                                          "https://shop.example:9443/",
                                          "https://127.0.0.1:9443/"};
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        struct error error = {0};
        if (https_check(NULL, fine[i], "/url", &error))
            fail_msg("%s: %s", fine[i], error.detail);
    }
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct error error = {0};
        struct https_ask ask = {.url = refused[i]};
        struct https_call *call = NULL;
        if (https_check(NULL, refused[i], "/url", &error) != ERROR_INVALID)
            fail_msg("%s is taken", refused[i]);
        assert_string_equal(error.pointer, "/url");
        assert_int_equal(https_start(&ask, &call, NULL), ERROR_INVALID);
        assert_null(call);
    }
}

static void exceptions(void **state) {
    (void)state;
    assert_int_equal(https_check(&own, "https://127.0.0.1:9443/x", "", NULL), 0);
    assert_int_equal(https_check(&own, "https://[::1]:9443/x", "", NULL), 0);
    assert_int_equal(https_check(&own, "https://127.0.0.1/x", "", NULL), ERROR_INVALID);
    assert_int_equal(https_check(&own, "https://127.0.0.2:9443/", "", NULL),
                     ERROR_INVALID);
    assert_int_equal(https_check(&own, "https://localhost:9443/", "", NULL),
                     ERROR_INVALID);
    assert_true(https_guard_endpoint("127.0.0.1:9443"));
    assert_true(https_guard_endpoint("[::1]:1"));
    assert_false(https_guard_endpoint("127.1:9443"));
    assert_false(https_guard_endpoint("127.0.0.1"));
    assert_false(https_guard_endpoint("127.0.0.1:"));
    assert_false(https_guard_endpoint("127.0.0.1:0"));
    assert_false(https_guard_endpoint("127.0.0.1:70000"));
    assert_false(https_guard_endpoint("::1:9443"));
    assert_false(https_guard_endpoint("[0::1]:9443"));
    assert_false(https_guard_endpoint("localhost:9443"));
    assert_false(https_guard_endpoint(""));
}

static void addresses(void **state) {
    (void)state;
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(443)};
    static const struct {
        const char *text;
        bool public;
    } table[] = {
        {"9.255.255.255", true},    {"11.0.0.0", true},        {"100.63.255.255", true},
        {"100.128.0.0", true},      {"172.15.255.255", true},  {"172.32.0.0", true},
        {"192.167.255.255", true},  {"192.169.0.0", true},     {"198.17.255.255", true},
        {"198.20.0.0", true},       {"223.255.255.255", true}, {"0.255.255.255", false},
        {"127.255.255.255", false}, {"198.19.255.255", false}, {"239.1.2.3", false},
        {"240.0.0.1", false}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_int_equal(inet_pton(AF_INET, table[i].text, &four.sin_addr), 1);
        if (https_guard_address(NULL, (struct sockaddr *)&four, sizeof four) !=
            table[i].public)
            fail_msg("%s", table[i].text);
        four.sin_port = htons(25);
        assert_false(https_guard_address(NULL, (struct sockaddr *)&four, sizeof four));
        four.sin_port = htons(443);
    }
    assert_false(https_guard_address(NULL, (struct sockaddr *)&four, 4));
    four.sin_family = AF_UNIX;
    assert_false(https_guard_address(NULL, (struct sockaddr *)&four, sizeof four));
}

static void headers(void **state) {
    (void)state;
    static const char *const bad[] = {"X: a\r\nHost: b", "X", "X: a\nb"};
    for (size_t i = 0; i < 3; i++) {
        struct https_ask ask = {
            .url = "https://shop.example/", .headers = &bad[i], .header_count = 1};
        struct https_call *call = NULL;
        assert_int_equal(https_start(&ask, &call, NULL), ERROR_INVALID);
        assert_null(call);
    }
}

/* Nobody listens: told as such, and never later than the deadline. */
static void nobody(void **state) {
    (void)state;
    static const char *const closed[] = {"127.0.0.1:9"};
    const struct https_policy policy = {closed, 1, NULL};
    struct https_ask ask = {
        .policy = &policy, .url = "https://127.0.0.1:9/", .body = "{}", .body_length = 2};
    struct https_call *call = NULL;
    assert_int_equal(https_post(&ask, clock_now_us() + 2000000, &call, NULL), 0);
    assert_int_equal(https_reply(call)->failure, HTTPS_UNREACHED);
    assert_int_equal(https_reply(call)->status, 0);
    assert_true(https_reply(call)->detail[0]);
    https_close(call);
    https_close(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls), cmocka_unit_test(exceptions), cmocka_unit_test(addresses),
        cmocka_unit_test(headers), cmocka_unit_test(nobody)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
