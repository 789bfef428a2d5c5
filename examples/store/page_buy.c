/* SPDX-License-Identifier: MIT */
/* Checkout without a cart, and the page of an order. A code is asked for before the
 * purchase is placed, and its answer honoured; everything else is told afterwards and
 * holds up nobody. */
#include "event.h"
#include "page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUY_MOST = 9 };

static void page_wanted(struct store *store, struct request *request, struct text *out) {
    struct rows *rows = db_query(
        store->db, "SELECT id, name, price FROM shop.product ORDER BY position", 0, NULL);
    const char *first = form_get(&request->query, "product");
    text_put(out, "<fieldset class=wanted><legend>What and how many</legend>");
    for (int i = 0; i < rows_count(rows); i++) {
        const char *id = rows_text(rows, i, 0);
        int count = form_number(&request->form, id, 0, BUY_MOST, strcmp(id, first) == 0);
        text_html(
            out,
            "<label><img src=\"/picture/%u.svg\" alt=\"\" width=48 height=48><span>%h"
            "<br><small>€ %h</small></span><input type=number name=\"%h\" min=0 max=%d "
            "value=%d></label>",
            id, rows_text(rows, i, 1), rows_text(rows, i, 2), id, BUY_MOST, count);
    }
    text_put(out, "</fieldset>");
    rows_free(rows);
}

static void page_choice(struct store *store, struct request *request, struct text *out,
                        const char *sql, const char *name, const char *otherwise) {
    struct rows *rows = db_query(store->db, sql, 0, NULL);
    const char *chosen = form_get(&request->form, name);
    text_html(out, "<select name=%h>", name);
    page_options(out, rows, chosen[0] != '\0' ? chosen : otherwise);
    text_put(out, "</select>");
    rows_free(rows);
}

static void page_buyer(struct store *store, struct request *request, struct text *out) {
    const struct form *form = &request->form;
    text_html(out,
              "<div class=two><label>Name<input name=name required maxlength=100 "
              "autocomplete=name value=\"%h\"></label><label>E-mail<input name=email "
              "type=email required maxlength=254 autocomplete=email value=\"%h\"></label>"
              "<label>Country",
              form_get(form, "name"), form_get(form, "email"));
    page_choice(store, request, out, "SELECT code, name FROM shop.country ORDER BY name",
                "country", "LV");
    text_put(out, "</label><label>Language");
    page_choice(store, request, out,
                "SELECT locale, name FROM shop.language ORDER BY locale", "locale",
                "en-IE");
    text_html(
        out,
        "</label><label>Discount code<input name=code maxlength=64 autocomplete=off "
        "value=\"%h\"></label></div><label class=check><input type=checkbox name=may_ask "
        "value=t%r> You may ask me for a review after delivery</label>",
        form_get(form, "code"),
        form->count == 0 || form_get(form, "may_ask")[0] != '\0' ? " checked" : "");
}

/* `again` is the key of the purchase that this form opened already, or "". */
static void page_checkout_with(struct store *store, struct request *request,
                               struct response *response, const char *sentence,
                               const char *again) {
    struct text *out = &response->body;
    page_top(request, response, "Checkout");
    text_put(out, "<h1>Checkout</h1>");
    if (sentence != NULL) {
        response->status = 422;
        text_html(out, "<p class=alert role=alert>%h</p>", sentence);
    }
    text_put(out, "<form method=post action=/checkout class=box>");
    page_csrf(store, request, out);
    text_html(out, "<input type=hidden name=again value=\"%h\">", again);
    page_wanted(store, request, out);
    page_buyer(store, request, out);
    text_put(out, "<button>Order and pay</button></form>");
    page_bottom(response);
}

void page_checkout(struct store *store, struct request *request,
                   struct response *response) {
    page_checkout_with(store, request, response, NULL, "");
}

/* {"kettle":1,"cup":2}, a new reference; empty when nothing is wanted. */
static json_t *page_wanted_read(struct store *store, const struct form *form) {
    json_t *wanted = json_object();
    struct rows *rows = db_query(store->db, "SELECT id FROM shop.product", 0, NULL);
    for (int i = 0; i < rows_count(rows); i++) {
        const char *id = rows_text(rows, i, 0);
        int count = form_number(form, id, 0, BUY_MOST, 0);
        if (count > 0)
            (void)json_object_set_new(wanted, id, json_integer(count));
    }
    rows_free(rows);
    return wanted;
}

static struct rows *page_open(struct store *store, const struct form *form) {
    json_t *wanted = page_wanted_read(store, form);
    char *words = json_object_size(wanted) > 0 ? json_dumps(wanted, 0) : NULL;
    struct rows *rows = NULL;
    if (words != NULL && form_get(form, "name")[0] != '\0' &&
        strchr(form_get(form, "email"), '@') != NULL)
        rows = DB_ASK(
            store->db,
            "SELECT id, key FROM shop.open_purchase($1, $2, $3, $4, $5, $6, $7)",
            form_get(form, "again"), form_get(form, "name"), form_get(form, "email"),
            form_get(form, "country"), form_get(form, "locale"),
            form_get(form, "may_ask")[0] != '\0' ? "t" : "f", words);
    free(words);
    json_decref(wanted);
    return rows;
}

/* NULL when the code is good, else a sentence for the buyer. */
static const char *page_refusal(struct store *store, const char *purchase,
                                const char *code) {
    static const struct {
        const char *reason;
        const char *sentence;
    } reasons[] = {
        {"already_redeemed", "This code was used already. It is good for one order."},
        {"expired", "This code is no longer valid."},
        {"unknown", "We do not know this code. Look at the letters again."},
    };
    const char *sentence = "This code cannot be used.";
    struct rows *rows = DB_ASK(store->db, "SELECT shop.ask_code($1, $2)", purchase, code);
    json_t *reply = NULL;
    int answer = event_emit(store, rows_text(rows, 0, 0), &reply);
    const json_t *discount = json_object_get(reply, "discount");
    const char *reason = json_string_value(json_object_get(discount, "reason"));
    if (json_is_true(json_object_get(discount, "accepted")))
        sentence = NULL;
    else if (answer == VOUCH_UNAVAILABLE)
        sentence = "The code cannot be checked just now. Try again, or order without it.";
    for (size_t i = 0; reason != NULL && i < sizeof reasons / sizeof reasons[0]; i++)
        if (strcmp(reason, reasons[i].reason) == 0)
            sentence = reasons[i].sentence;
    json_decref(reply);
    rows_free(rows);
    return sentence;
}

void page_buy(struct store *store, struct request *request, struct response *response) {
    const char *code = form_get(&request->form, "code");
    struct rows *opened = page_open(store, &request->form);
    const char *id = rows_text(opened, 0, 0);
    const char *sentence =
        rows_count(opened) == 1 ? NULL : "Choose something, and fill in name and e-mail.";
    if (sentence == NULL && code[0] != '\0')
        sentence = page_refusal(store, id, code);
    if (sentence != NULL) {
        page_checkout_with(store, request, response, sentence, rows_text(opened, 0, 1));
    } else {
        rows_free(DB_ASK(store->db, "SELECT shop.place($1, nullif($2, ''), $3)", id, code,
                         store->url));
        event_sweep(store);
        char location[128];
        (void)snprintf(location, sizeof location, "/orders/%s", rows_text(opened, 0, 1));
        http_redirect(response, location);
    }
    rows_free(opened);
}

static void page_lines(struct store *store, const char *key, struct text *out) {
    struct rows *rows = DB_ASK(
        store->db,
        "SELECT r.id, r.name, l.quantity, l.quantity * l.unit_price FROM shop.line AS l"
        " JOIN shop.product AS r ON r.id = l.product_id"
        " JOIN shop.purchase AS p ON p.id = l.purchase_id"
        " WHERE p.key = $1 ORDER BY l.number",
        key);
    for (int i = 0; i < rows_count(rows); i++)
        text_html(
            out,
            "<tr><td>%h × <a href=\"/products/%u\">%h</a></td><td class=sum>€ %h</td>"
            "</tr>",
            rows_text(rows, i, 2), rows_text(rows, i, 0), rows_text(rows, i, 1),
            rows_text(rows, i, 3));
    rows_free(rows);
}

static void page_way(const struct rows *rows, struct text *out) {
    static const char *const names[] = {"Placed",    "Paid",      "Shipped",
                                        "Delivered", "Cancelled", "Refunded"};
    text_put(out, "<ol class=way>");
    for (int i = 0; i < 6; i++) {
        bool done = !rows_null(rows, 0, 5 + i);
        if (done || i < 4)
            text_html(out, "<li%r>%r <small>%h</small></li>", done ? " class=done" : "",
                      names[i], rows_text(rows, 0, 5 + i));
    }
    text_put(out, "</ol>");
}

void page_order(struct store *store, struct request *request, struct response *response) {
    struct text *out = &response->body;
    const char *key = request->arguments[0];
    struct rows *rows = DB_ASK(
        store->db,
        "SELECT p.id, p.shipping, p.discount, p.total, p.code,"
        " to_char(p.placed_at, 'HH24:MI:SS'), to_char(p.paid_at, 'HH24:MI:SS'),"
        " to_char(p.shipped_at, 'HH24:MI:SS'), to_char(p.delivered_at, 'HH24:MI:SS'),"
        " to_char(p.cancelled_at, 'HH24:MI:SS'), to_char(p.refunded_at, 'HH24:MI:SS')"
        " FROM shop.purchase AS p WHERE p.key::text = $1 AND p.placed_at IS NOT NULL",
        key);
    if (rows_count(rows) == 0) {
        page_problem(request, response, 404, "There is no such order.");
    } else {
        page_top(request, response, "Your order");
        text_html(out, "<h1>Order %h</h1>", rows_text(rows, 0, 0));
        page_way(rows, out);
        text_put(out, "<table class=bill>");
        page_lines(store, key, out);
        text_html(out, "<tr><td>Shipping</td><td class=sum>€ %h</td></tr>",
                  rows_text(rows, 0, 1));
        if (!rows_null(rows, 0, 4))
            text_html(out,
                      "<tr><td>Code <code>%h</code></td><td class=sum>− € %h</td></tr>",
                      rows_text(rows, 0, 4), rows_text(rows, 0, 2));
        text_html(out,
                  "<tr class=total><td>Paid</td><td class=sum>€ %h</td></tr></table>",
                  rows_text(rows, 0, 3));
        text_put(out, "<p class=quiet>Next: mark it delivered in the <a href=/admin>back "
                      "office</a>, then look at the <a href=/mails>mails</a>.</p>");
        page_bottom(response);
    }
    rows_free(rows);
}
