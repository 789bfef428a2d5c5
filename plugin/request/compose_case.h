/* SPDX-License-Identifier: MIT */
/* From what the database tells of a case to what its letters are told (mail/letter.h). Pure. */
#ifndef REQUEST_COMPOSE_CASE_H
#define REQUEST_COMPOSE_CASE_H

#include "mail/dispatch.h"

/* All add to data; 0, or ERROR_FAILED without memory. */
int compose_put_alert(const struct settings *settings, const struct dispatch_mail *mail,
                      json_t *data);
int compose_put_reply(const struct settings *settings, const struct dispatch_mail *mail,
                      json_t *data);
int compose_put_message(const struct settings *settings, const struct dispatch_mail *mail,
                        json_t *data);
/* "answers+TOKEN@shop.example" from the store's reply_address, else its mail_from. The
 * caller's, memory_free; NULL when there is none, or it would not fit into an address. */
char *compose_reply_to(const struct settings *settings, const char *token);

#endif
