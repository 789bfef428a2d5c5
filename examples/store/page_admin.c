/* SPDX-License-Identifier: MIT */
/* The back office: a login that only asks who you are, the orders with what can happen to
 * them, and the events that went to Vouch and came from it. */
#include "event.h"
#include "page.h"

#include <string.h>

void page_login(struct store *store, struct request *request, struct response *response) {
    struct rows *rows = db_query(
        store->db, "SELECT name, name || ', ' || role FROM shop.staff ORDER BY role", 0,
        NULL);
    page_top(request, response, "Back office");
    text_put(&response->body,
             "<h1>Who are you?</h1><form method=post action=/login class=box><label>Name"
             "<select name=staff>");
    page_options(&response->body, rows, "maija");
    text_put(&response->body, "</select></label>");
    page_csrf(store, request, &response->body);
    text_put(
        &response->body,
        "<button>Go in</button><p class=quiet>A real store has its login here. Whom it "
        "let in is what it tells Vouch as the operator.</p></form>");
    page_bottom(response);
    rows_free(rows);
}

/* A new session, so that no cookie known before the login is worth anything after it. */
void page_log_in(struct store *store, struct request *request,
                 struct response *response) {
    struct session before = request->session;
    if (session_begin(store->db, form_get(&request->form, "staff"), &request->session) !=
        0) {
        page_problem(request, response, 422, "Nobody of that name works here.");
        return;
    }
    session_end(store->db, &before);
    http_redirect(response, "/admin");
}

void page_log_out(struct store *store, struct request *request,
                  struct response *response) {
    session_end(store->db, &request->session);
    http_redirect(response, "/");
}

static const struct {
    const char *what;
    const char *label;
    int from; /* columns of the query below: it may, when this one is true */
} marks[] = {
    {"shipped", "Mark shipped", 6},
    {"delivered", "Mark delivered", 7},
    {"cancelled", "Cancel", 8},
    {"refunded", "Refund", 9},
};

static void page_marks(struct store *store, struct request *request, struct text *out,
                       const struct rows *rows, int row) {
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (!rows_true(rows, row, marks[i].from))
            continue;
        text_html(out, "<form method=post action=\"/admin/orders/%u/%r\">",
                  rows_text(rows, row, 1), marks[i].what);
        page_csrf(store, request, out);
        text_html(out, "<button class=small>%r</button></form>", marks[i].label);
    }
}

static void page_orders(struct store *store, struct request *request, struct text *out) {
    struct rows *rows = db_query(
        store->db,
        "SELECT p.id, p.key, c.name, p.total, p.code,"
        " CASE WHEN p.refunded_at IS NOT NULL THEN 'refunded'"
        "  WHEN p.cancelled_at IS NOT NULL THEN 'cancelled'"
        "  WHEN p.delivered_at IS NOT NULL THEN 'delivered'"
        "  WHEN p.shipped_at IS NOT NULL THEN 'shipped' ELSE 'paid' END,"
        " p.shipped_at IS NULL AND p.cancelled_at IS NULL,"
        " p.delivered_at IS NULL AND p.cancelled_at IS NULL,"
        " p.shipped_at IS NULL AND p.cancelled_at IS NULL, p.refunded_at IS NULL"
        " FROM shop.purchase AS p JOIN shop.customer AS c ON c.id = p.customer_id"
        " WHERE p.placed_at IS NOT NULL ORDER BY p.id DESC LIMIT 100",
        0, NULL);
    text_put(out, "<ul class=rows>");
    for (int i = 0; i < rows_count(rows); i++) {
        text_html(
            out,
            "<li><div><b><a href=\"/orders/%u\">%h</a></b> %h <span class=tag>%h</span>"
            "<br><small>€ %h%r%h</small></div><div class=marks>",
            rows_text(rows, i, 1), rows_text(rows, i, 0), rows_text(rows, i, 2),
            rows_text(rows, i, 5), rows_text(rows, i, 3),
            rows_null(rows, i, 4) ? "" : " with code ", rows_text(rows, i, 4));
        page_marks(store, request, out, rows, i);
        text_put(out, "</div></li>");
    }
    text_put(out, rows_count(rows) > 0 ? "</ul>"
                                       : "</ul><p class=quiet>No orders yet: "
                                         "<a href=/checkout>buy something</a>.</p>");
    rows_free(rows);
}

void page_admin(struct store *store, struct request *request, struct response *response) {
    struct text *out = &response->body;
    page_top(request, response, "Back office");
    text_html(out,
              "<h1>Back office</h1><div class=bar><p>%h, %h</p><form method=post "
              "action=/logout>",
              request->session.name, request->session.role);
    page_csrf(store, request, out);
    text_put(out, "<button class=small>Leave</button></form></div>"
                  "<p><a class=button href=/reviews/console/>Held reviews</a></p>"
                  "<h2>Orders</h2>");
    page_orders(store, request, out);
    page_bottom(response);
}

void page_mark(struct store *store, struct request *request, struct response *response) {
    struct rows *rows = DB_ASK(store->db,
                               "SELECT shop.mark(p.key, $2) FROM shop.purchase AS p"
                               " WHERE p.key::text = $1",
                               request->arguments[0], request->arguments[1]);
    if (rows_true(rows, 0, 0)) {
        event_sweep(store);
        http_redirect(response, "/admin");
    } else {
        page_problem(request, response, 409,
                     "This order cannot be changed that way any more.");
    }
    rows_free(rows);
}

static void page_events(struct text *out, const struct rows *rows, const char *title,
                        const char *none) {
    text_html(out, "<h2>%h</h2><ul class=rows>", title);
    for (int i = 0; i < rows_count(rows); i++)
        text_html(out,
                  "<li><details data-key=\"%h\"><summary><b>%h</b> <small>%h</small> "
                  "<span class=tag>%h</span></summary><pre>%h</pre></details></li>",
                  rows_text(rows, i, 1), rows_text(rows, i, 0), rows_text(rows, i, 1),
                  rows_text(rows, i, 2), rows_text(rows, i, 3));
    text_put(out, "</ul>");
    if (rows_count(rows) == 0)
        text_html(out, "<p class=quiet>%h</p>", none);
}

void page_outbox(struct store *store, struct request *request,
                 struct response *response) {
    struct rows *in = db_query(store->db,
                               "SELECT type, id, to_char(taken_at, 'HH24:MI:SS'),"
                               " jsonb_pretty(body) FROM shop.event_in"
                               " ORDER BY position DESC LIMIT 50",
                               0, NULL);
    struct rows *out = db_query(
        store->db,
        "SELECT body ->> 'type', id, CASE code WHEN 0 THEN 'done' WHEN 1 THEN 'spooled'"
        " WHEN -1 THEN 'refused' ELSE 'waiting' END,"
        " jsonb_pretty(body) || coalesce(E'\\n\\n' || reply, '') FROM shop.event_out"
        " ORDER BY position DESC LIMIT 50",
        0, NULL);
    page_top_live(request, response, "Events");
    text_put(&response->body, "<h1>Events</h1><div id=live>");
    page_events(&response->body, in, "From Vouch, taken and acknowledged", "None yet.");
    page_events(&response->body, out, "To Vouch", "None yet.");
    text_put(&response->body, "</div>");
    page_bottom(response);
    rows_free(in);
    rows_free(out);
}
