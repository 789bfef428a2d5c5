/* SPDX-License-Identifier: MIT */
/* What a template finds: the caller's data made safe and completed with the catalogue's words. */
#ifndef MAIL_LETTER_DATA_H
#define MAIL_LETTER_DATA_H

#include "base/error.h"
#include "base/json.h"
#include "mail/letter_book.h"

/* A new object, or NULL with error; locale is a shipped one. kind is looked up in the catalogue as mail.<kind>.*,
   falling back to mail.<base>.* (base may be NULL) and mail.common.*; mail.<kind>.<name>.<variant>
   goes before mail.<kind>.<name> when data.variant says so. */
json_t *letter_data(const char *kind, const char *base, const struct letter_book *book,
                    const char *locale, const json_t *data, struct error *error);

#endif
