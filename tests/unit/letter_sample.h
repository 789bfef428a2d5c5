/* SPDX-License-Identifier: MIT */
/* Data for one letter of each kind, in each language's own words. Included by tests only. */
#ifndef TESTS_LETTER_SAMPLE_H
#define TESTS_LETTER_SAMPLE_H

#include <stddef.h>
#include <string.h>

#include "base/json.h"

struct letter_words {
    const char *locale, *store, *customer, *product, *other, *title, *body, *answer;
};

static const struct letter_words letter_words[] = {
    {"en", "Hearth & Kettle", "Anna", "Enamel kettle, 1.7 l", "Oak tray",
     "Boils fast, lid gets hot",
     "It boils in four minutes.\nThe lid gets too hot to touch.",
     "Thank you for telling us. We are sorry about the lid: a new one with a wooden knob "
     "is "
     "on its way."},
    {"es", "Casa Tetera", "Lucía", "Hervidor esmaltado, 1,7 l", "Bandeja de roble",
     "Hierve rápido, la tapa quema",
     "Hierve en cuatro minutos.\nLa tapa quema demasiado.",
     "Gracias por avisarnos. Sentimos lo de la tapa: ya le hemos enviado otra con pomo "
     "de "
     "madera."},
    {"pt", "Casa da Chaleira", "João", "Chaleira esmaltada, 1,7 l",
     "Tabuleiro de carvalho", "Ferve depressa, a tampa aquece",
     "Ferve em quatro minutos.\nA tampa aquece demasiado.",
     "Obrigado pelo aviso. Lamentamos o problema da tampa: já enviámos outra com pega de "
     "madeira."},
    {"ar", "متجر الغلاية", "ليلى", "غلاية مطلية بالمينا 1.7 لتر", "صينية من خشب البلوط",
     "تغلي بسرعة لكن الغطاء يسخن", "تغلي الماء في أربع دقائق.\nلكن الغطاء يسخن كثيرًا.",
     "شكرًا على ملاحظتك. نأسف لمشكلة الغطاء، وقد أرسلنا غطاءً جديدًا بمقبض خشبي."},
    {"fa", "Kettle & Co.", "نرگس", "کتری لعابی ۱٫۷ لیتری", "سینی چوب بلوط",
     "زود جوش می‌آید، در آن داغ می‌شود",
     "آب را در چهار دقیقه جوش می‌آورد.\nدر آن خیلی "
     "داغ "
     "می‌شود.",
     "از اطلاع شما سپاسگزاریم. بابت در کتری متأسفیم؛ در تازه‌ای "
     "با "
     "دستگیرهٔ "
     "چوبی "
     "فرستادیم."},
    {"lv", "Tējkanna", "Līga", "Emaljēta tējkanna, 1,7 l", "Ozolkoka paplāte",
     "Vārās ātri, vāks sakarst", "Uzvārās četrās minūtēs.\nVāks kļūst pārāk karsts.",
     "Paldies, ka pateicāt! Atvainojamies par vāku: jauns ar koka rokturi jau ir ceļā."}};

/* Every member any kind reads; a new reference. */
static inline json_t *letter_sample(const struct letter_words *w, const char *variant) {
    json_t *data =
        json_pack("{s:{s:s,s:s,s:s}, s:{s:s}, s:s, s:s}", "store", "name", w->store,
                  "url", "https://shop.example", "locale", w->locale, "customer", "name",
                  w->customer, "transparency_url",
                  "https://shop.example/reviews/transparency", "variant", variant);
    json_t *more = json_pack(
        "{s:[{s:s,s:s},{s:s,s:s}], s:s, s:s, s:{s:s,s:s,s:s,s:s}, s:s, s:s, s:s}",
        "lines", "name", w->product, "product_id", "kettle-17", "name", w->other,
        "product_id", "tray/oak & ash", "form_url",
        "https://shop.example/reviews/r/Zk3Yb2xvcnNpdGFtZXRjb25zZWN0ZXR1ckFEsQ",
        "unsubscribe_url",
        "https://shop.example/reviews/u/Tm9uQ2FydGFnaW5lbURlbGVuZGFtRXNzZQ", "discount",
        "kind", "percent", "value", "10", "code", "TEA-7K3D-92QF-M4XW", "valid_until",
        "2027-01-31", "confirm_url", "https://shop.example/reviews/c/QWJjRGVm",
        "valid_until", "2026-12-08", "author_url",
        "https://shop.example/reviews/a/R2hpSmtsTW5v");
    json_t *review = json_pack(
        "{s:{s:{s:s},s:i,s:s,s:s}, s:[s,s], s:[s], s:s, s:b, s:b, s:s, s:s, s:s}",
        "review", "product", "name", w->product, "rating", 3, "title", w->title, "body",
        w->body, "reasons", "unverified", "personal_data", "marks", "+371 2000 0000",
        "ground", "personal_data", "automated", 1, "from_report", 0, "deadline",
        "2026-11-28", "appeal_until", "2027-05-21", "review_url",
        "https://shop.example/reviews/reviews/42");
    json_t *rest = json_pack(
        "{s:s, s:{s:s}, s:{s:s}, s:s, s:s, s:{s:s,s:s,s:s,s:i,s:[s,s]}, s:{s:s,s:i},"
        " s:s, s:s, s:{s:s}, s:s, s:{s:s,s:i}}",
        "explanation", w->title, "reply", "body", w->answer, "report", "explanation",
        w->title, "appeal_url", "https://shop.example/reviews/a/UHFyU3R1", "case_url",
        "https://shop.example/reviews/console/cases/7", "order", "id", "1001",
        "placed_at", "2026-11-01", "delivered_at", "2026-11-09", "delay_days", 6, "items",
        w->product, w->other, "case", "due_at", "2026-11-22 12:00", "contacts", 0,
        "message", w->answer, "resolution", "replacement", "product", "name", w->product,
        "resolution_url", "https://shop.example/reviews/s/R2hpSmtsTW5v", "alarm", "topic",
        "quality", "complaints", 6);
    if (json_object_update_missing(data, more) ||
        json_object_update_missing(data, review) ||
        json_object_update_missing(data, rest)) {
        json_decref(data);
        data = NULL;
    }
    json_decref(more);
    json_decref(review);
    json_decref(rest);
    return data;
}

/* What the kinds that need one are rendered as; the first is the plain one or NULL. */
static const struct {
    const char *kind, *variant;
} letter_variants[] = {{"request", "-"},
                       {"reminder", "-"},
                       {"discount", "-"},
                       {"confirm", "review"},
                       {"confirm", "address"},
                       {"confirm", "edit"},
                       {"confirm", "withdraw"},
                       {"held", "-"},
                       {"held", "appeal"},
                       {"rejected", "-"},
                       {"rejected", "removed"},
                       {"rejected", "appeal"},
                       {"rejected", "redacted"},
                       {"published", "-"},
                       {"published", "appeal"},
                       {"reply", "-"},
                       {"report_receipt", "-"},
                       {"report_decision", "removed"},
                       {"report_decision", "kept"},
                       {"report_decision", "withdrawn"},
                       {"alert", "-"},
                       {"alert", "topic"},
                       {"escalation", "-"},
                       {"thread", "-"},
                       {"proposal", "-"},
                       {"follow_up", "-"},
                       {"update_question", "-"},
                       {"measure", "-"}};

#endif
