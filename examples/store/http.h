/* SPDX-License-Identifier: MIT */
/* The shop's web server: one request in, one response out, on libmicrohttpd. */
#ifndef SHOP_HTTP_H
#define SHOP_HTTP_H

#include "form.h"
#include "session.h"
#include "store.h"
#include "text.h"

#include <jansson.h>

enum { HTTP_ARGUMENTS = 2, HTTP_ARGUMENT = 200, HTTP_BODY = 1024 * 1024 };

struct request {
    const char *method; /* GET, HEAD, POST, … */
    const char *target; /* path and query as they were sent */
    struct text body;
    struct form query;
    struct form form; /* of a POST to a page of ours */
    char arguments[HTTP_ARGUMENTS]
                  [HTTP_ARGUMENT]; /* what the stars of the route matched */
    char client_address[64];
    struct session session;
    void *connection; /* libmicrohttpd's */
    bool begun;
    bool refused; /* the body was too long */
};

/* A body that goes on: `more` adds to `out` and says whether there is still more. */
struct stream {
    bool (*more)(struct stream *stream, struct text *out);
    void (*free)(struct stream *stream);
};

struct response {
    int status;         /* 200 unless set */
    char type[64];      /* text/html unless set */
    char location[512]; /* a redirection, with 303 */
    const char *policy; /* Content-Security-Policy other than the shop's own */
    json_t *headers;    /* of Vouch's answer, in place of the shop's own; owned */
    struct text body;
    struct stream *stream; /* what follows the body; owned */
};

typedef void http_page(struct store *store, struct request *request,
                       struct response *response);

struct route {
    const char
        *method; /* NULL: every one, and no CSRF check: for Vouch, which has its own */
    const char *path; /* one star is one segment; a last "**" is all the rest */
    http_page *page;
    bool staff; /* only for people who logged in */
};

struct http;
int http_start(struct store *store, int port, struct http **http);
void http_stop(struct http *http); /* waits for requests in work; accepts NULL */

/* The request's headers as a JSON object, names in lower case; a new reference. */
json_t *http_headers(const struct request *request);

void http_redirect(struct response *response, const char *location);
/* The token that a form of this visitor has to carry; begins a session when there is
 * none. */
const char *http_csrf(struct store *store, struct request *request);

/* In route.c: the routes, ended by a NULL page. */
extern const struct route route_table[];

#endif
