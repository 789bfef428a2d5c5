/* SPDX-License-Identifier: MIT */
/* Answers as mail programs write them, in six languages, and what is left of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "care/quote.h"

static const struct {
    const char *name, *mail, *answer;
} cases[] = {
    {"plain", "It still leaks.\n", "It still leaks."},
    {"empty", "", ""},
    {"only a quote", "> all of it\n>\n> quoted\n", ""},
    {"crlf", "Yes.\r\n\r\nAnna\r\n", "Yes.\n\nAnna"},
    {"gmail en",
     "Yes, please.\n\nOn Mon, Nov 2, 2026 at 10:00 AM Hearth & Kettle <care@shop.test> "
     "wrote:\n> What happened?\n",
     "Yes, please."},
    {"gmail en over two lines",
     "Yes.\n\nOn Mon, Nov 2, 2026 at 10:00 AM Hearth & Kettle\n<answers+0af@shop.test> "
     "wrote:\n\n> What happened?\n",
     "Yes."},
    {"apple en",
     "No.\n\nSent from my iPhone\n\n> On 2 Nov 2026, at 10:00, Shop wrote:\n> x\n",
     "No."},
    {"outlook en",
     "It arrived.\n\n________________________________\nFrom: Shop <a@b.test>\nSent: "
     "Monday\n"
     "To: Anna\nSubject: x\n\nold text\n",
     "It arrived."},
    {"outlook en without a rule",
     "It arrived.\n\nFrom: Shop <a@b.test>\nSent: Monday, 2 November 2026\nTo: "
     "Anna\n\nold\n",
     "It arrived."},
    {"original message", "Fine.\n-----Original Message-----\nold\n", "Fine."},
    {"signature", "Thanks.\n-- \nAnna Smith\n+371 2000\n", "Thanks."},
    {"interleaved", "> Is it the lid?\nYes, the lid.\n> And the spout?\nNo.\n",
     "Yes, the lid.\nNo."},
    {"a sentence that wrote", "I wrote to you in May.\nNobody answered.\n",
     "I wrote to you in May.\nNobody answered."},
    {"from: in a text", "From: me, to you. It leaks.\nAgain.\n",
     "From: me, to you. It leaks.\nAgain."},
    {"a dash list", "-- first\n-- second\n", "-- first\n-- second"},
    {"gmail es",
     "Sí, gracias.\n\nEl lun, 2 nov 2026 a las 10:00, Tienda (<a@b.test>) escribió:\n> "
     "x\n",
     "Sí, gracias."},
    {"outlook es",
     "Ya llegó.\n\nDe: Tienda\nEnviado: lunes\nPara: Ana\nAsunto: x\n\nviejo\n",
     "Ya llegó."},
    {"phone es", "Vale.\n\nEnviado desde mi iPhone\n", "Vale."},
    {"gmail pt",
     "Sim.\n\nEm seg., 2 de nov. de 2026 às 10:00, Loja <a@b.test> escreveu:\n\n> x\n",
     "Sim."},
    {"outlook pt", "Chegou.\n\nDe: Loja\nEnviada: segunda\nPara: João\n\nvelho\n",
     "Chegou."},
    {"phone pt", "Obrigado.\nEnviado do meu iPhone\n", "Obrigado."},
    {"gmail ar",
     "نعم، شكرًا.\n\nفي الاثنين، 2 نوفمبر 2026 في 10:00 ص تمت كتابة ما يلي بواسطة متجر "
     "<a@b.test> كتب:\n> قديم\n",
     "نعم، شكرًا."},
    {"outlook ar", "وصلت.\n\nمن: المتجر\nتم الإرسال: الاثنين\nإلى: ليلى\n\nقديم\n",
     "وصلت."},
    {"phone ar", "شكرًا.\n\nأرسلت من iPhone\n", "شكرًا."},
    {"gmail fa",
     "بله.\n\nدر تاریخ دوشنبه ۲ نوامبر ۲۰۲۶ ساعت ۱۰:۰۰ فروشگاه <a@b.test> نوشت:\n> "
     "قدیم\n",
     "بله."},
    {"outlook fa", "رسید.\n\nاز: فروشگاه\nتاریخ: دوشنبه\nبه: نرگس\n\nقدیم\n", "رسید."},
    {"phone fa", "ممنون.\n\nارسال شده از iPhone\n", "ممنون."},
    {"gmail lv",
     "Jā.\n\nPirmd., 2026. g. 2. nov., plkst. 10:00 Veikals (<a@b.test>) rakstīja:\n> "
     "x\n",
     "Jā."},
    {"outlook lv", "Atnāca.\n\nNo: Veikals\nNosūtīts: pirmdien\nKam: Līga\n\nvecs\n",
     "Atnāca."},
    {"phone lv", "Paldies.\n\nNosūtīts no mana iPhone\n", "Paldies."},
};

static void cuts_what_is_quoted(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *got = quote_cut(cases[i].mail, strlen(cases[i].mail));
        assert_non_null(got);
        if (strcmp(got, cases[i].answer) != 0)
            fail_msg("%s: \"%s\"", cases[i].name, got);
        memory_free(got);
    }
}

/* Whatever comes, nothing is invented: every line of the answer stands in the mail. */
static void takes_any_bytes(void **state) {
    static const char bits[] = ">-_ \n\r\tOnFrom:wrote12@\xd9\xa1\xe2\x80\x8f\xff";
    char mail[400];
    uint32_t seed = 1;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t n = 0;
        seed = seed * 1664525u + 1013904223u;
        for (size_t length = seed >> 8 & 0xff; n < length; n++) {
            seed = seed * 1664525u + 1013904223u;
            mail[n] = bits[(seed >> 16) % (sizeof bits - 1)];
        }
        char *got = quote_cut(mail, n);
        assert_non_null(got);
        assert_true(strlen(got) <= n + 1);
        memory_free(got);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(cuts_what_is_quoted),
                                       cmocka_unit_test(takes_any_bytes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
