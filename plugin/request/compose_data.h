/* SPDX-License-Identifier: MIT */
/* From what the database tells of a mail to what its letter is told (mail/letter.h): times
 * and sums as they are to be read, strangers' texts only where they are expected. Pure. */
#ifndef REQUEST_COMPOSE_DATA_H
#define REQUEST_COMPOSE_DATA_H

#include "mail/dispatch.h"

/* All add to data; 0, or ERROR_FAILED without memory. */
int compose_put_common(const struct settings *settings, const json_t *context,
                       json_t *data);
int compose_put_request(const struct settings *settings, const struct dispatch_mail *mail,
                        json_t *data);
int compose_put_confirmation(const struct settings *settings,
                             const struct dispatch_mail *mail, json_t *data);
int compose_put_decision(const struct settings *settings,
                         const struct dispatch_mail *mail, json_t *data);
/* review{product{name},rating,title,body} of a context. */
int compose_put_review(const json_t *context, json_t *data);
/* A time as the database writes it, "2026-12-01 10:00 UTC"; nothing when it is none. */
int compose_put_time(json_t *object, const char *name, const json_t *from,
                     const char *member);
/* "marks": the very words of marks ([{field,start,end}], bytes) in review's fields. */
int compose_put_marks(const json_t *marks, const json_t *review, json_t *data);
int compose_put_report(const struct settings *settings, const struct dispatch_mail *mail,
                       json_t *data);
int compose_put_discount(const json_t *discount, const char *code, json_t *data);

/* The order's, the customer's, the store's. Borrowed. */
const char *compose_locale(const struct settings *settings, const json_t *context);
/* The language a letter for locale is in: "lv_LV.UTF-8" is "lv-LV", "de" is "en"; the
 * caller's, memory_free; NULL without memory. */
char *compose_language_tag(const char *locale);

#endif
