/* SPDX-License-Identifier: MIT */
/* See session.h. */
#include "session.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static int session_random(char out[SESSION_TOKEN]) {
    uint8_t bytes[(SESSION_TOKEN - 1) / 2];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return -1;
    for (size_t i = 0; i < sizeof bytes; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

void session_find(struct db *db, const char *cookie, struct session *session) {
    *session = (struct session){0};
    if (cookie == NULL || strlen(cookie) != SESSION_TOKEN - 1)
        return;
    struct rows *rows = DB_ASK(db,
                               "SELECT s.csrf, t.name, t.role FROM shop.session AS s"
                               " LEFT JOIN shop.staff AS t ON t.name = s.staff"
                               " WHERE s.hash = sha256(convert_to($1, 'UTF8'))"
                               " AND s.made_at > now() - interval '30 days'",
                               cookie);
    if (rows_count(rows) == 1) {
        (void)snprintf(session->cookie, sizeof session->cookie, "%s", cookie);
        (void)snprintf(session->csrf, sizeof session->csrf, "%s", rows_text(rows, 0, 0));
        (void)snprintf(session->name, sizeof session->name, "%s", rows_text(rows, 0, 1));
        (void)snprintf(session->role, sizeof session->role, "%s", rows_text(rows, 0, 2));
    }
    rows_free(rows);
}

int session_begin(struct db *db, const char *staff, struct session *session) {
    struct session made = {.fresh = true};
    if (session_random(made.cookie) != 0 || session_random(made.csrf) != 0)
        return -1;
    struct rows *rows =
        DB_ASK(db,
               "INSERT INTO shop.session (hash, csrf, staff)"
               " VALUES (sha256(convert_to($1, 'UTF8')), $2, $3) RETURNING true",
               made.cookie, made.csrf, staff);
    bool good = rows_true(rows, 0, 0);
    rows_free(rows);
    if (good)
        *session = made;
    return good ? 0 : -1;
}

void session_end(struct db *db, struct session *session) {
    rows_free(DB_ASK(db,
                     "DELETE FROM shop.session"
                     " WHERE hash = sha256(convert_to($1, 'UTF8'))",
                     session->cookie));
    *session = (struct session){0};
}

/* In constant time, as for every secret. */
bool session_csrf_is(const struct session *session, const char *token) {
    if (session->csrf[0] == '\0' || strlen(token) != SESSION_TOKEN - 1)
        return false;
    unsigned different = 0;
    for (size_t i = 0; i < SESSION_TOKEN - 1; i++)
        different |= (unsigned)(session->csrf[i] ^ token[i]);
    return different == 0;
}
