/* SPDX-License-Identifier: MIT */
/* The mails that the catcher took. The HTML part is shown in a frame of its own origin:
 * sandboxed, without scripts, and nothing loads from outside. */
#include "mail.h"
#include "page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void page_mails(struct store *store, struct request *request, struct response *response) {
    struct text *out = &response->body;
    struct rows *rows = db_query(store->db,
                                 "SELECT id, subject, recipients,"
                                 " to_char(taken_at, 'HH24:MI:SS') FROM shop.mail"
                                 " ORDER BY id DESC LIMIT 100",
                                 0, NULL);
    page_top_live(request, response, "Mails");
    text_put(out, "<h1>Mails</h1><div id=live><ul class=rows>");
    for (int i = 0; i < rows_count(rows); i++)
        text_html(
            out,
            "<li><div><b><a href=\"/mails/%u\" dir=auto>%h</a></b><br><small>to %h, "
            "%h</small></div></li>",
            rows_text(rows, i, 0), rows_text(rows, i, 1), rows_text(rows, i, 2),
            rows_text(rows, i, 3));
    text_put(out, "</ul>");
    if (rows_count(rows) == 0)
        text_put(out,
                 "<p class=quiet>No mail yet. Buyers are asked after delivery: mark an "
                 "order delivered in the <a href=/admin>back office</a>.</p>");
    text_put(out, "</div>");
    page_bottom(response);
    rows_free(rows);
}

/* The raw mail, the caller's, or NULL after saying so on the page. */
static char *page_raw(struct store *store, struct request *request,
                      struct response *response, size_t *length) {
    struct rows *rows = DB_ASK(store->db, "SELECT raw FROM shop.mail WHERE id::text = $1",
                               request->arguments[0]);
    char *raw = rows_count(rows) == 1 ? rows_bytes(rows, 0, 0, length) : NULL;
    if (raw == NULL)
        page_problem(request, response, 404, "There is no such mail.");
    rows_free(rows);
    return raw;
}

/* Plain text with its http links made links. */
static void page_linked(struct text *out, const char *words) {
    const char *from = words;
    const char *link = strstr(from, "http");
    for (; link != NULL; link = strstr(from, "http")) {
        size_t length = strcspn(link, " \t\r\n<>\"'()");
        bool good = strncmp(link, "http://", 7) == 0 || strncmp(link, "https://", 8) == 0;
        char *before = strndup(from, (size_t)(link - from));
        char *address = strndup(link, length);
        if (before == NULL || address == NULL) {
            out->failed = true;
        } else if (good) {
            text_html(out, "%h<a href=\"%h\">%h</a>", before, address, address);
        } else {
            text_html(out, "%h%h", before, address);
        }
        free(before);
        free(address);
        from = link + length;
    }
    text_html(out, "%h", from);
}

/* RFC 8058: what a mail reader's own button sends; only when it leads back to this
 * shop. */
static void page_one_click(const struct store *store, const char *header,
                           struct text *out) {
    const char *start = strstr(header, store->url);
    size_t length = start != NULL ? strcspn(start, ">, ") : 0;
    char *address = length > 0 ? strndup(start, length) : NULL;
    if (address != NULL)
        text_html(
            out,
            "<form method=post action=\"%h\"><button class=small name=List-Unsubscribe "
            "value=One-Click>Unsubscribe, in one click</button></form>",
            address);
    free(address);
}

static void page_mail_headers(const struct store *store, const char *raw, size_t length,
                              struct text *out) {
    static const char *const names[] = {
        "From", "To", "Reply-To", "Date", "Message-ID", "List-Id", "List-Unsubscribe"};
    struct text value = {0};
    text_put(out, "<table class=headers>");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        mail_header(raw, length, names[i], &value);
        if (text_ok(&value))
            text_html(out, "<tr><th>%r</th><td>%h</td></tr>", names[i], value.data);
        text_free(&value);
    }
    text_put(out, "</table><div class=bar>");
    mail_header(raw, length, "List-Unsubscribe", &value);
    if (text_ok(&value))
        page_one_click(store, value.data, out);
    text_free(&value);
}

void page_mail(struct store *store, struct request *request, struct response *response) {
    struct text *out = &response->body;
    struct text subject = {0};
    struct mail mail = {0};
    size_t length = 0;
    char *raw = page_raw(store, request, response, &length);
    if (raw == NULL)
        return;
    mail_header(raw, length, "Subject", &subject);
    mail_read(raw, length, &mail);
    page_top(request, response, text_ok(&subject) ? subject.data : "Mail");
    text_html(out, "<h1 dir=auto>%h</h1>",
              text_ok(&subject) ? subject.data : "(no subject)");
    page_mail_headers(store, raw, length, out);
    text_html(out, "<a href=\"/mails/%u/raw\">As it came over the wire</a></div>",
              request->arguments[0]);
    if (mail_body(&mail, "text/html") != NULL)
        text_html(
            out,
            "<h2>HTML</h2><iframe title=\"The mail\" sandbox=\"allow-popups "
            "allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation\" "
            "src=\"/mails/%u/html\"></iframe>",
            request->arguments[0]);
    if (mail_body(&mail, "text/plain") != NULL) {
        text_put(out, "<h2>Text</h2><pre class=mail dir=auto>");
        page_linked(out, mail_body(&mail, "text/plain"));
        text_put(out, "</pre>");
    }
    page_bottom(response);
    mail_free(&mail);
    text_free(&subject);
    free(raw);
}

/* Links of a mail open in the whole window, as a mail reader would open a browser. */
static void page_framed(struct text *out, const char *html) {
    static const char base[] = "<base target=\"_top\">";
    const char *head = strcasestr(html, "<head");
    const char *end = head != NULL ? strchr(head, '>') : NULL;
    if (end != NULL)
        text_add(out, html, (size_t)(end + 1 - html));
    text_put(out, base);
    text_put(out, end != NULL ? end + 1 : html);
}

void page_mail_html(struct store *store, struct request *request,
                    struct response *response) {
    struct mail mail = {0};
    size_t length = 0;
    char *raw = page_raw(store, request, response, &length);
    if (raw == NULL)
        return;
    mail_read(raw, length, &mail);
    const char *html = mail_body(&mail, "text/html");
    response->policy =
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action "
        "'none'; "
        "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox "
        "allow-top-navigation-by-user-activation";
    page_framed(&response->body, html != NULL ? html : "");
    mail_free(&mail);
    free(raw);
}

void page_mail_raw(struct store *store, struct request *request,
                   struct response *response) {
    size_t length = 0;
    char *raw = page_raw(store, request, response, &length);
    if (raw == NULL)
        return;
    (void)snprintf(response->type, sizeof response->type, "text/plain");
    text_add(&response->body, raw, length);
    free(raw);
}
