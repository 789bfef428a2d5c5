/* SPDX-License-Identifier: MIT */
/* One mail of one kind, written out: subject, plain text and HTML that say the same. Pure:
   no I/O, no clock, nothing kept between calls; safe from any thread.

   Kinds: request reminder discount confirm held rejected published reply report_receipt
   report_decision alert escalation thread proposal follow_up update_question measure.
   data, for all: store{name,url,locale,address?}, customer{name}?,
   transparency_url?, unsubscribe_url (request and reminder must have it). Times and sums come
   as they are to be read. Members with ? may be missing.
     request, reminder  lines[{name,product_id,url?}], form_url, order{id}?, discount?
     discount           discount{kind,value,currency?,code,valid_until?}
     confirm            variant: review address edit withdraw; confirm_url, valid_until?, review?
     held               variant?: appeal; review, reasons[code], marks[text]?, explanation?, automated, from_report,
                        deadline?, appeal_until?, author_url
     rejected           variant?: removed appeal redacted; review, ground (code), explanation, automated,
                        from_report, appeal_until?, author_url
     published          variant?: appeal; review, review_url, author_url
     reply              review, reply{body}, review_url, author_url
     report_receipt     report{explanation}, review_url
     report_decision    variant: removed kept withdrawn; explanation?, ground? (code), automated,
                        appeal_until? (else nothing to object to), appeal_url
     alert, escalation  variant: topic?; product{name}, review?, case_url, customer{name}?,
                        order{id,placed_at,promised_at,delivered_at,delay_days,items[name],
                        earlier_orders}?, case{due_at,contacts}?, alarm{topic,complaints}?
     thread, measure    message, review?, author_url
     proposal           message, resolution? (code), review?, resolution_url
     follow_up          review?, resolution_url
     update_question    review?, author_url
   review is {product{name}, rating, title?, body?}.

   Templates find data as given, and besides: t.* (the catalogue's strings of the kind, filled
   in), subject, lang, dir, start and end (left or right), lines[].stars[{number,name,url}],
   discount.text, facts[{label,value}]; codes of grounds and reasons are replaced by words.
   Members named url or *_url that are not http or https are left out. */
#ifndef MAIL_LETTER_H
#define MAIL_LETTER_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "mail/letter_book.h"

enum {
    LETTER_SUBJECT_MAX = 300,     /* bytes; longer ones are cut at a character */
    LETTER_PART_MAX = 512 * 1024, /* bytes of the text and of the HTML */
    LETTER_LINES_MAX = 100        /* order lines shown */
};

struct letter {
    struct buffer subject, text, html; /* the caller's, released with letter_free */
    struct error fault; /* its code is set when the store's row could not be used for this
                           mail, which is written as shipped: say so */
};

/* The book's row of this kind for locale, else for its language, else for *, goes before the
   shipped template, part by part. The HTML of a row stands inside the shipped frame unless it
   brings its own <html>. A row that fails, or leaves out the link to unsubscribe where it is
   needed, is not used. 0, or ERROR_INVALID (kind, data) or ERROR_FAILED; *out is freed then. */
int letter_render(const char *kind, const char *locale, const struct letter_book *book,
                  const json_t *data, struct letter *out, struct error *error);
void letter_free(struct letter *letter);

/* The kinds in order, NULL at the end: for previews and checks. Static. */
const char *letter_kind(size_t index);

#endif
