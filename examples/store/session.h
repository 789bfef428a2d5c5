/* SPDX-License-Identifier: MIT */
/* Who is asking: a cookie with 128 random bits, of which the table knows the SHA-256. */
#ifndef SHOP_SESSION_H
#define SHOP_SESSION_H

#include "db.h"

enum { SESSION_TOKEN = 33, SESSION_NAME = 64 };

struct session {
    char cookie[SESSION_TOKEN]; /* "" when there is no session */
    char csrf[SESSION_TOKEN];
    char name[SESSION_NAME]; /* of the member of staff who logged in, or "" */
    char role[SESSION_NAME];
    bool fresh; /* the cookie has to be sent */
};

/* Finds the session of a cookie; an unknown one is none. */
void session_find(struct db *db, const char *cookie, struct session *session);
/* Begins a new session, for a member of staff or, with NULL, for a visitor. */
int session_begin(struct db *db, const char *staff, struct session *session);
void session_end(struct db *db, struct session *session);
bool session_csrf_is(const struct session *session, const char *token);

#endif
