/* SPDX-License-Identifier: MIT */
/* The shelves, and a product with its reviews: Vouch's fragment and JSON-LD are set
 * into the shop's own page, and the page stands without them when Vouch is away. */
#include "event.h"
#include "mount.h"
#include "page.h"

#include <stdio.h>
#include <string.h>

static void page_card(struct text *out, const struct rows *rows, int row) {
    text_html(
        out,
        "<li><a href=\"/products/%u\"><img src=\"/picture/%u.svg\" alt=\"\" width=240 "
        "height=240><b>%h</b> <span>€ %h</span></a></li>",
        rows_text(rows, row, 0), rows_text(rows, row, 0), rows_text(rows, row, 1),
        rows_text(rows, row, 2));
}

void page_home(struct store *store, struct request *request, struct response *response) {
    struct rows *rows = db_query(
        store->db, "SELECT id, name, price FROM shop.product ORDER BY position", 0, NULL);
    page_top(request, response, "Shop");
    text_put(&response->body, "<h1>Things for a slow morning</h1><ul class=shelf>");
    for (int i = 0; i < rows_count(rows); i++)
        page_card(&response->body, rows, i);
    text_put(&response->body, "</ul>");
    page_bottom(response);
    rows_free(rows);
}

/* JSON inside <script>: no "<" of it may end the element. */
static void page_json(struct text *out, const char *json) {
    for (const char *at = json; *at != '\0'; at++) {
        if (*at == '<')
            text_put(out, "\\u003c");
        else
            text_add(out, at, 1);
    }
}

static void page_reviews(struct store *store, const char *product, struct text *out) {
    struct text target = {0};
    struct text json = {0};
    text_html(&target, "/products/%u/reviews", product);
    text_put(out, "<section class=reviews id=reviews><h2>Reviews</h2>");
    if (!text_ok(&target) || !mount_fetch(store, target.data, "text/html", out))
        text_put(out, "<p class=quiet>Reviews cannot be shown just now.</p>");
    text_put(out, "</section>");
    text_free(&target);
    text_html(&target, "/products/%u/rating.jsonld", product);
    if (text_ok(&target) &&
        mount_fetch(store, target.data, "application/ld+json", &json) && text_ok(&json)) {
        text_put(out, "<script type=\"application/ld+json\">");
        page_json(out, json.data);
        text_put(out, "</script>");
    }
    text_free(&json);
    text_free(&target);
}

static void page_review_form(struct store *store, struct request *request,
                             struct text *out) {
    text_html(
        out,
        "<section class=box><h2>Write a review</h2><p class=quiet>You need no account. "
        "Buyers get a link of their own by mail, which shows that they bought it.</p>"
        "<form method=post action=\"/products/%u\"><fieldset class=stars><legend>Stars"
        "</legend>",
        request->arguments[0]);
    page_csrf(store, request, out);
    for (int stars = 1; stars <= 5; stars++)
        text_html(out,
                  "<label><input type=radio name=rating value=%d required> %d ★</label>",
                  stars, stars);
    text_put(
        out,
        "</fieldset><label>Title<input name=title maxlength=150></label>"
        "<label>Your review<textarea name=body rows=4 required maxlength=5000></textarea>"
        "</label><div class=two><label>Name<input name=name required maxlength=100 "
        "autocomplete=name></label><label>E-mail<input name=email type=email required "
        "maxlength=254 autocomplete=email></label></div><button>Send the review</button>"
        "</form></section>");
}

void page_product(struct store *store, struct request *request,
                  struct response *response) {
    struct text *out = &response->body;
    const char *id = request->arguments[0];
    struct rows *rows = DB_ASK(
        store->db, "SELECT id, name, price, blurb FROM shop.product WHERE id = $1", id);
    if (rows_count(rows) == 0) {
        page_problem(request, response, 404, "There is no such product.");
    } else {
        page_top(request, response, rows_text(rows, 0, 1));
        text_html(
            out,
            "<article class=product><img src=\"/picture/%u.svg\" alt=\"\" width=320 "
            "height=320><div><h1>%h</h1><p class=price>€ %h</p><p>%h</p>"
            "<p><a class=button "
            "href=\"/checkout?product=%u\">Buy</a></p></div></article>",
            id, rows_text(rows, 0, 1), rows_text(rows, 0, 2), rows_text(rows, 0, 3), id);
        page_reviews(store, id, out);
        page_review_form(store, request, out);
        page_bottom(response);
    }
    rows_free(rows);
}

/* What Vouch decided, in words for the author. */
static const char *page_verdict(int code, const json_t *reply) {
    const char *state =
        json_string_value(json_object_get(json_object_get(reply, "review"), "state"));
    if (code == VOUCH_OK && state != NULL && strcmp(state, "published") == 0)
        return "It is on the product's page now.";
    if (code == VOUCH_OK && state != NULL && strcmp(state, "held") == 0)
        return "Somebody looks at it first, because nothing shows yet that it comes from "
               "a "
               "buyer, or because of its wording. Its stars play no part in that. You "
               "hear "
               "from us by mail.";
    if (code == VOUCH_INVALID)
        return "It could not be taken as it is: look at the stars, the words and the "
               "address.";
    return "We have it, and show it as soon as it is checked.";
}

void page_review(struct store *store, struct request *request,
                 struct response *response) {
    const struct form *form = &request->form;
    char rating[16];
    (void)snprintf(rating, sizeof rating, "%d", form_number(form, "rating", 1, 5, 0));
    struct rows *rows = DB_ASK(
        store->db, "SELECT shop.submit_review($1, $2, $3, $4, $5, $6, 'en', $7)",
        request->arguments[0], rating, form_get(form, "title"), form_get(form, "body"),
        form_get(form, "name"), form_get(form, "email"), request->client_address);
    json_t *reply = NULL;
    int code = event_emit(store, rows_text(rows, 0, 0), &reply);
    response->status = code == VOUCH_INVALID ? 422 : 200;
    page_top(request, response, "Your review");
    text_html(&response->body,
              "<h1>%r</h1><p>%h</p><p><a href=\"/products/%u\">Back</a></p>",
              code == VOUCH_INVALID ? "Almost" : "Thank you", page_verdict(code, reply),
              request->arguments[0]);
    page_bottom(response);
    json_decref(reply);
    rows_free(rows);
}
