/* SPDX-License-Identifier: MIT */
/* See page.h. */
#include "page.h"

#include <string.h>

static void page_head(const struct request *request, struct response *response,
                      const char *title, bool live) {
    text_html(&response->body,
              "<!doctype html><html lang=en><head><meta charset=utf-8>"
              "<meta name=viewport content=\"width=device-width, initial-scale=1\">"
              "<title>%h · Morning</title><link rel=icon href=/picture/cup.svg>"
              "<link rel=stylesheet href=/style.css>%r</head><body>"
              "<header><a class=name href=/>Morning</a><nav>"
              "<a href=/>Shop</a><a href=/mails>Mails</a><a href=/outbox>Events</a>"
              "<a href=/admin>Back office</a></nav></header><main>",
              title, live ? "<script defer src=/live.js></script>" : "");
    (void)request;
}

void page_top(const struct request *request, struct response *response,
              const char *title) {
    page_head(request, response, title, false);
}

void page_top_live(const struct request *request, struct response *response,
                   const char *title) {
    page_head(request, response, title, true);
}

void page_bottom(struct response *response) {
    text_put(&response->body,
             "</main><footer><p>A store to try Vouch in. Nothing here is for sale, and "
             "no mail "
             "leaves this machine.</p><p><a href=/reviews/transparency>How reviews are "
             "checked</a></p></footer></body></html>\n");
}

void page_problem(const struct request *request, struct response *response, int status,
                  const char *sentence) {
    response->status = status;
    page_top(request, response, sentence);
    text_html(&response->body, "<h1>%h</h1><p><a href=/>Back to the shop</a></p>",
              sentence);
    page_bottom(response);
}

void page_csrf(struct store *store, struct request *request, struct text *out) {
    text_html(out, "<input type=hidden name=csrf value=\"%h\">",
              http_csrf(store, request));
}

void page_options(struct text *out, const struct rows *rows, const char *chosen) {
    for (int i = 0; i < rows_count(rows); i++)
        text_html(out, "<option value=\"%h\"%r>%h</option>", rows_text(rows, i, 0),
                  strcmp(rows_text(rows, i, 0), chosen) == 0 ? " selected" : "",
                  rows_text(rows, i, 1));
}
