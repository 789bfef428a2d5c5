/* SPDX-License-Identifier: MIT */
/* What lint finds in a store's templates, in six languages, and what it lets pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/locale.h"
#include "mail/letter_book.h"
#include "mail/lint.h"

static void offers_are_not_tied_to_praise(void **state) {
    static const char *const tied[] = {
        "Leave us 5 stars and get a discount of 10%.",
        "A <b>voucher</b> for every positive review!",
        "<td>Five-star reviews earn a <i>free shipping</i> code</td>",
        "★★★★★ = 10% off",
        "Déjanos 5 estrellas y recibe un descuento",
        "Un regalo por cada reseña positiva",
        "Deixe 5 estrelas e ganhe um cupom",
        "Um desconto para cada avaliação positiva",
        "اكتب تقييماً إيجابياً واحصل على خصم",
        "امنحنا ٥ نجوم واحصل على قسيمة",
        "با ۵ ستاره کد تخفیف بگیرید",
        "برای نظر مثبت هدیه بگیرید",
        "Dod mums 5 zvaigznes un saņem atlaidi",
        "Kupons par katru pozitīvu atsauksmi",
        "Your code THANKS10 waits for 5&nbsp;stars",
    };
    static const char *const fair[] = {
        "Give 1 to 5 stars. Everyone gets a discount code.",
        "Rate it with one to five stars and get your voucher.",
        "You get the code whether you write something positive or negative.",
        "We like positive thinking. Your discount code is below.",
        "Valora de 1 a 5 estrellas; el descuento es para todos.",
        "Recibes el descuento, sea tu reseña positiva o negativa.",
        "Recebe o desconto, seja a avaliação positiva ou negativa.",
        "قيّم من 1 إلى 5 نجوم واحصل على خصم",
        "تحصل على الخصم سواء كان رأيك إيجابياً أو سلبياً",
        "از ۱ تا ۵ ستاره بدهید و کد تخفیف بگیرید",
        "چه مثبت چه منفی، تخفیف را می‌گیرید",
        "Atlaidi saņem gan par pozitīvu, gan negatīvu atsauksmi",
        "",
    };
    (void)state;
    for (size_t i = 0; i < sizeof tied / sizeof *tied; i++)
        if (!lint_praise(tied[i]))
            fail_msg("not found: %s", tied[i]);
    for (size_t i = 0; i < sizeof fair / sizeof *fair; i++)
        if (lint_praise(fair[i]))
            fail_msg("found: %s", fair[i]);
}

/* The faults of one row, as "part rule …". */
static void faults_of(const char *row, bool codes, char out[256]) {
    struct error error = {0};
    json_t *rows = json_loads(row, 0, NULL), *fault;
    struct letter_book *book = NULL;
    size_t i;
    out[0] = '\0';
    assert_non_null(rows);
    assert_int_equal(letter_book_open(rows, codes, &book, &error), 0);
    json_array_foreach(letter_book_faults(book), i, fault) {
        strncat(out, json_string_value(json_object_get(fault, "part")), 30);
        strncat(out, " ", 2);
        strncat(out, json_string_value(json_object_get(fault, "rule")), 30);
        strncat(out, "; ", 3);
        assert_true(strlen(json_string_value(json_object_get(fault, "text"))) > 10);
    }
    letter_book_close(book);
    json_decref(rows);
}

static void rows_are_checked(void **state) {
    static const struct {
        const char *row;
        bool codes;
        const char *faults;
    } cases[] = {
        {"[{\"kind\":\"request\",\"locale\":\"*\",\"subject\":\"{{store.name}}: {{order.id}}\","
         "\"text\":\"{{t.body}} {{#lines}}{{name}} {{#stars}}{{number}} {{url}}{{/stars}}{{/lines}}"
         " {{#discount}}{{text}} {{code}} {{valid_until}}{{/discount}} {{discount.code}} {{form_url}}"
         " {{unsubscribe_url}} {{customer.name}}\"}]",
         true, ""},
        {"[{\"kind\":\"request\",\"locale\":\"*\",\"html\":\"<html>Hello</html>\"}]", true,
         "html unsubscribe; "},
        {"[{\"kind\":\"request\",\"locale\":\"*\",\"html\":\"<p>Hello</p>\"}]", true, ""},
        {"[{\"kind\":\"held\",\"locale\":\"*\",\"html\":\"<html>Hello</html>\"}]", true, ""},
        {"[{\"kind\":\"request\",\"locale\":\"*\",\"subject\":\"{{rating}}\",\"text\":\"{{buyer.name}} "
         "{{store.nmae}} {{t.nothing}}\"}]",
         true, "subject variable; text variable; text variable; text variable; "},
        {"[{\"kind\":\"request\",\"locale\":\"*\",\"text\":\"{{#open\"}]", true,
         "text syntax; "},
        {"[{\"kind\":\"reminder\",\"locale\":\"lv\",\"text\":\"Par 5 zvaigznēm dosim kuponu\"}]", false,
         "text praise; "},
        {"[{\"kind\":\"request\",\"locale\":\"*\",\"text\":\"https://g.page/r/abc/review\"}]", true,
         "text incentive; "},
        {"[{\"kind\":\"request\",\"locale\":\"*\",\"text\":\"https://g.page/r/abc/review\"}]", false, ""},
        {"[{\"kind\":\"published\",\"locale\":\"*\",\"html\":\"<a href='https://www.TrustPilot.com/x'>x</a>\"}]",
         true, "html incentive; "},
    };
    char found[256];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        faults_of(cases[i].row, cases[i].codes, found);
        if (strcmp(found, cases[i].faults) != 0)
            fail_msg("%s: %s", cases[i].row, found);
    }
}

static void what_ships_is_clean(void **state) {
    static const char *const locales[] = {"en", "es", "pt", "ar", "fa", "lv"};
    const char *key;
    json_t *text;
    (void)state;
    for (size_t i = 0; i < 6; i++) {
        json_t *catalogue = json_deep_copy(locale_catalogue(locales[i]));
        json_object_foreach(catalogue, key, text) {
            if (strncmp(key, "mail.", 5) == 0 && lint_praise(json_string_value(text)))
                fail_msg("%s %s", locales[i], key);
        }
        json_decref(catalogue);
    }
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(offers_are_not_tied_to_praise),
        cmocka_unit_test(rows_are_checked),
        cmocka_unit_test(what_ships_is_clean),
    };
    return cmocka_run_group_tests_name("lint", tests, NULL, NULL);
}
