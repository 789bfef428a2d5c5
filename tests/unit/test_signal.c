/* SPDX-License-Identifier: MIT */
/* Personal data, links, advertising and languages: what is found, where it stands, what is left
   alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "moderation/decide.h"
#include "moderation/language.h"

static struct verdict verdict;
static const struct rules bare;

static void judge(const char *locale, const char *body) {
    struct text_in in = {.body = body, .locale = locale};
    assert_int_equal(decide(&in, &bare, &verdict), 0);
}

struct expected {
    const char *locale, *text, *category, *words; /* words NULL: nothing */
};

static void all_are(const struct expected *table, size_t count) {
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        const struct expected *e = &table[i];
        judge(e->locale, e->text);
        const struct mark *m = verdict.mark_count ? &verdict.marks[0] : NULL;
        bool right =
            e->words ? m && strcmp(m->category, e->category) == 0 &&
                           m->end - m->start == strlen(e->words) &&
                           memcmp(e->text + m->start, e->words, m->end - m->start) == 0
                     : !m && verdict.reasons == 0;
        if (!right) {
            print_error("%s: '%s': %s '%.*s' (%x)\n", e->locale ? e->locale : "-",
                        e->text, m ? m->category : "nothing",
                        m ? (int)(m->end - m->start) : 0, m ? e->text + m->start : "",
                        verdict.reasons);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static void mail_addresses(void **state) {
    (void)state;
    static const struct expected table[] = {
        {"en", "Write to anna.smith+x@mail.example.com, she helps", "mail_address",
         "anna.smith+x@mail.example.com"},
        {"en", "anna at shop dot com", "mail_address", "anna at shop dot com"},
        {"pt", "fale com joao(arroba)loja.com.br", "mail_address",
         "joao(arroba)loja.com.br"},
        {"lv", "rakstiet: anna@vēstule.lv", "mail_address", "anna@vēstule.lv"},
        {"en", "ANNA @ SHOP . COM", "mail_address", "ANNA @ SHOP . COM"},
        {"en", "@shop thanks", NULL, NULL},
        {"en", "3 for 2 @ 5.99 each", NULL, NULL},
        {"en", "I looked at shop windows", NULL, NULL},
        {"en", "meet me at home. ok", NULL, NULL}};
    all_are(table, sizeof table / sizeof *table);
}

static void phones(void **state) {
    (void)state;
    static const struct expected table[] = {
        {"lv", "Zvaniet 26123456", "phone", "26123456"},
        {"lv", "mans numurs ir +371 2612 3456.", "phone", "+371 2612 3456"},
        {"pt", "me chama no whats (11) 91234-5678", "phone", "(11) 91234-5678"},
        {"pt", "11912345678 esse é o celular dele", "phone", "11912345678"},
        {"es", "llámame al 612 345 678", "phone", "612 345 678"},
        {"es", "su móvil: 612345678", "phone", "612345678"},
        {"en", "Call 202-555-0143 and ask", "phone", "202-555-0143"},
        {"en", "ring him: 07700 900123", "phone", "07700 900123"},
        {"ar", "رقم البائع ٠٥٠١٢٣٤٥٦٧", "phone", "٠٥٠١٢٣٤٥٦٧"},
        {"ar", "جوال 0501234567", "phone", "0501234567"},
        {"fa", "تماس با ۰۹۱۲۳۴۵۶۷۸۹", "phone", "۰۹۱۲۳۴۵۶۷۸۹"},
        {NULL, "+49 30 901820", "phone", "+49 30 901820"},
        {"en", "Order 2025550143 never came", NULL, NULL},
        {"pt", "pedido 02-612345678 não chegou", NULL, NULL},
        {"pt", "Comprei dia 01/10/2017 e chegou 15.10.2017", NULL, NULL},
        {"en", "delivered 2017-10-01 12:30", NULL, NULL},
        {"pt", "paguei R$ 1.234.567,89", NULL, NULL},
        {"en", "model 4455667788", NULL, NULL},
        {"en", "10000000 stars", NULL, NULL},
        {"en", "1234567890", NULL, NULL},
        {"lv", "EAN 4750123456789", NULL, NULL},
        {"en", "ISBN 978-3-16-148410-0", NULL, NULL},
        {"en", "2 4 6 8 10 12 14", NULL, NULL}};
    all_are(table, sizeof table / sizeof *table);
}

static void cards_and_accounts(void **state) {
    (void)state;
    static const struct expected table[] = {
        {"en", "they took 4111 1111 1111 1111 from me", "payment_card",
         "4111 1111 1111 1111"},
        {"en", "5555555555554444", "payment_card", "5555555555554444"},
        {"en", "3782-822463-10005", "payment_card", "3782-822463-10005"},
        {"en", "4111 1111 1111 1112 is no card", NULL, NULL},
        {"en", "9111111111111111", NULL, NULL},
        {"en", "tracking 41111111111111111111", NULL, NULL},
        {"lv", "Pārskaitiet uz LV80 BANK 0000 4351 9500 1!", "bank_account",
         "LV80 BANK 0000 4351 9500 1"},
        {"en", "gb82west12345698765432", "bank_account", "gb82west12345698765432"},
        {"es", "ES9121000418450200051332", "bank_account", "ES9121000418450200051332"},
        {"es", "ES9121000418450200051333", NULL, NULL},
        {"en", "DE12 is a size", NULL, NULL}};
    all_are(table, sizeof table / sizeof *table);
}

static void postal_addresses(void **state) {
    (void)state;
    static const struct expected table[] = {
        {"lv", "dzīvo Brīvības ielā, Brīvības iela 21-3, Rīga, LV-1010", "postal_address",
         "iela 21-3, Rīga, LV-1010"},
        {"pt", "mora na Rua das Flores, 123, CEP 01310-100", "postal_address",
         "Rua das Flores, 123, CEP 01310-100"},
        {"es", "vive en calle Mayor 5, 28013 Madrid", "postal_address",
         "calle Mayor 5, 28013"},
        {"en", "10 Downing Street, London SW1A 2AA", NULL, NULL},
        {"en", "he lives at 10 High Street, Leeds LS1 4AP", "postal_address",
         "10 High Street, Leeds LS1 4AP"},
        {"en", "the street was wet, paid 12345 yen", NULL, NULL},
        {"pt", "a rua do lado é melhor, nota 10", NULL, NULL}};
    all_are(table, sizeof table / sizeof *table);
}

static void links_and_spam(void **state) {
    (void)state;
    static const struct expected table[] = {
        {"en", "see https://evil.example/x?y=1, really.", "link",
         "https://evil.example/x?y=1"},
        {"en", "cheaper at WWW.other-shop.com!", "link", "WWW.other-shop.com"},
        {"es", "mira bit.ly/abc123", "link", "bit.ly/abc123"},
        {"pt", "comprei na loja.com e veio errado", NULL, NULL},
        {"en", "Broke after a week.Not good.It was bad", NULL, NULL},
        {"en", "It cost 12.50.Never again", NULL, NULL},
        {"en",
         "CONGRATULATIONS! You have WON a FREE cash prize, claim now, call 0800 555 0199 "
         "or reply YES!!",
         "spam", "CONGRATULATIONS"},
        {"en", "Casino bonus and bitcoin investment, guaranteed income on telegram, free",
         "spam", "Casino"},
        {"pt",
         "Ganhe renda com bitcoin, apostas e cassino gratis, acesse o site lucro.com",
         "spam", "bitcoin"},
        {"en", "aGVsbG8gd29ybGQgdGhpcyBpcyBhIHRlc3Qgb2YgYmFzZTY0IDEyMzQ1Ng==", "spam",
         "aGVsbG8gd29ybGQgdGhpcyBpcyBhIHRlc3Qgb2YgYmFzZTY0IDEyMzQ1Ng=="},
        {"en", "I won the auction on their free offer and the price was cheap, good deal",
         NULL, NULL},
        {"pt", "Gostei da promoção, ganhei desconto com cupom, recomendo a loja", NULL,
         NULL}};
    judge("en", table[6].text);
    assert_true(verdict.reasons & REASON_SPAM);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (i != 6) {
            all_are(&table[i], 1);
        }
    }
}

static const char *guessed(const char *locale, const char *text) {
    struct reading reading;
    struct signal_words words;
    assert_int_equal(normalise(text, strlen(text), &reading), 0);
    signal_words_read(&reading, &words);
    struct language_guess guess = language_of(text, strlen(text), &words, locale);
    normalise_free(&reading);
    return guess.language ? guess.language : "";
}

static void languages(void **state) {
    (void)state;
    static const struct {
        const char *declared, *text, *is;
    } table[] = {
        {"lv", "You are an idiot and this is the worst shop", "en"},
        {"en", "Vocês são todos uns ladrões, não recomendo", "pt"},
        {"pt", "Los vendedores son unos mentirosos y el producto no es bueno", "es"},
        {"en", "این محصول خیلی بد است و خراب شد", "fa"},
        {"fa", "هذا المنتج سيئ جدا ولا انصح به لان الذي وصل مكسور", "ar"},
        {"en", "Prece nav tā, kas bija bildē, un man tas nepatīk", "lv"},
        {"pt", "Muito bom", "pt"},
        {"es", "Bien", "es"},
        {"lv", "Super!", "lv"},
        {"en", "Das ist der schlechteste Laden und die Ware ist nicht gut aber teuer",
         "de"},
        {"en", "Отличный магазин, всё понравилось", "und"},
        {"en", "とても良い製品でした", "und"},
        {"en", "Great 👍👍👍", "en"},
        {NULL, "ok", ""}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_string_equal(guessed(table[i].declared, table[i].text), table[i].is);
    }
    judge("en", "Отличный магазин, всё понравилось");
    assert_int_equal(verdict.reasons, REASON_LANGUAGE);
    judge("en", " \xE2\x80\x8B\xE2\x80\x8D ");
    assert_int_equal(verdict.reasons, REASON_EMPTY);
    judge("en", "...");
    assert_int_equal(verdict.reasons, 0);
    judge("en", "👍");
    assert_int_equal(verdict.reasons, 0);
    judge("en", "◠‿◠");
    assert_int_equal(verdict.reasons, 0);
}

/* Everything that was found is told, nothing twice, and personal data is not copied. */
static void told(void **state) {
    (void)state;
    struct text_in in = {.title = "call 202-555-0143",
                         .body =
                             "or anna@shop.example and anna@shop.example, www.x.example",
                         .author_name = "anna@shop.example",
                         .locale = "en"};
    assert_int_equal(decide(&in, &bare, &verdict), 0);
    assert_int_equal(verdict.reasons, REASON_PERSONAL_DATA | REASON_LINK);
    assert_int_equal(verdict.mark_count, 5);
    json_t *json = verdict_json(&verdict);
    const json_t *first = json_array_get(json_object_get(json, "marks"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "category")), "phone");
    assert_null(json_object_get(first, "term"));
    json_decref(json);
}

static uint64_t seed = 88172645463325252u;
static uint64_t next_random(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

static void survives_any_bytes(void **state) {
    (void)state;
    static const char *const bits[] = {"@",           ".",        "a",
                                       "b",           "www.",     "http://",
                                       "0",           "1",        "4",
                                       "+",           "-",        " ",
                                       "(",           ")",        "LV80",
                                       "st",          "rua ",     "\xD9\xA0",
                                       "\xDB\xB1",    "\xEF",     "\xEF\xBC\xA0",
                                       "\xFF",        "\xC3\xA9", " at ",
                                       " dot ",       "com",      "4111 1111 1111 1111",
                                       "2017",        "/",        "free ",
                                       "win ",        "casino ",  "01310-100",
                                       "\xE2\x80\x8B"};
    long rounds = getenv("VOUCH_LONG") ? 1000000 : 20000;
    for (long i = 0; i < rounds; i++) {
        char text[400];
        size_t n = 0, most = next_random() % 300;
        while (n < most) {
            const char *bit = bits[next_random() % (sizeof bits / sizeof *bits)];
            memcpy(text + n, bit, strlen(bit));
            n += strlen(bit);
        }
        text[n] = '\0';
        judge(i % 2 ? "en" : NULL, text);
        for (size_t k = 0; k < verdict.mark_count; k++) {
            assert_true(verdict.marks[k].start < verdict.marks[k].end);
            assert_true(verdict.marks[k].end <= n);
            assert_true(k == 0 || verdict.marks[k - 1].end <= verdict.marks[k].start);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(mail_addresses),
                                       cmocka_unit_test(phones),
                                       cmocka_unit_test(cards_and_accounts),
                                       cmocka_unit_test(postal_addresses),
                                       cmocka_unit_test(links_and_spam),
                                       cmocka_unit_test(languages),
                                       cmocka_unit_test(told),
                                       cmocka_unit_test(survives_any_bytes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
