/* SPDX-License-Identifier: MIT */
/* The shop's pages, and what they share. */
#ifndef SHOP_PAGE_H
#define SHOP_PAGE_H

#include "http.h"

/* Every page begins and ends with these; `title` is text. */
void page_top(const struct request *request, struct response *response,
              const char *title);
void page_bottom(struct response *response);
/* The same for a page that renews its element #live by itself every two seconds. */
void page_top_live(const struct request *request, struct response *response,
                   const char *title);
/* A whole page with one sentence. */
void page_problem(const struct request *request, struct response *response, int status,
                  const char *sentence);
/* The hidden field that every form of ours carries. */
void page_csrf(struct store *store, struct request *request, struct text *out);
/* <option>s of the rows (value, label), one of them chosen. */
void page_options(struct text *out, const struct rows *rows, const char *chosen);

http_page page_asset, page_home, page_product, page_review, page_checkout, page_buy,
    page_order, page_login, page_log_in, page_log_out, page_admin, page_mark, page_outbox,
    page_mails, page_mail, page_mail_html, page_mail_raw;

#endif
