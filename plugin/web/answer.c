/* SPDX-License-Identifier: MIT */
/* One place where header fields are written, so that none is forgotten anywhere. */
#include "web/answer.h"

#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "web/header.h"
#include "web/page.h"

static const struct {
    int status;
    const char *title, *page; /* page.error.PAGE_title and page.error.PAGE */
} statuses[] = {
    {400, "Bad request", "invalid"},
    {403, "Forbidden", "refused"},
    {404, "Not found", "not_found"},
    {405, "Method not allowed", "invalid"},
    {409, "Conflict", "changed"},
    {413, "Content too large", "too_large"},
    {414, "URI too long", "not_found"},
    {415, "Unsupported media type", "invalid"},
    {429, "Too many requests", "too_many"},
    {431, "Request header fields too large", "too_large"},
    {503, "Unavailable", "busy"},
    {500, "Internal error", "busy"}, /* the last: whatever else */
};

static size_t answer_status(int status) {
    size_t i = 0;

    while (statuses[i].status != status && i + 1 < sizeof statuses / sizeof *statuses) {
        i++;
    }
    return i;
}

int answer_bytes(struct exchange *x, int status, const char *type, const char *bytes,
                 size_t n) {
    buffer_clear(&x->answer);
    buffer_append(&x->answer, bytes, n);
    if (!buffer_ok(&x->answer) || header_set(x->answer_headers, "content-type", type)) {
        return 500;
    }
    x->status = status;
    return 0;
}

static int answer_value(struct exchange *x, int status, const char *type, json_t *value) {
    char *text = json_write(value);
    int failed = text ? answer_bytes(x, status, type, text, strlen(text)) : 500;

    memory_free(text);
    json_decref(value);
    return failed;
}

int answer_json(struct exchange *x, int status, json_t *value) {
    return answer_value(x, status, "application/json; charset=utf-8", value);
}

int answer_problem(struct exchange *x, int status, const char *pointer,
                   const char *detail) {
    json_t *problem = json_pack("{s:s, s:s, s:i, s:s*, s:s*}", "type", "about:blank",
                                "title", statuses[answer_status(status)].title, "status",
                                status, "detail", detail, "pointer", pointer);
    return answer_value(x, status, "application/problem+json; charset=utf-8", problem);
}

static bool answer_wants_page(const struct exchange *x) {
    const char *accept = exchange_header(x, "accept");

    if (x->route) {
        return x->route->voice == VOICE_PAGE;
    }
    return *accept &&
           header_accept(accept, "text/html") > header_accept(accept, "application/json");
}

void answer_error(struct exchange *x, int status) {
    size_t i = answer_status(status);
    int failed = answer_wants_page(x) ? page_error(x, status, statuses[i].page) : 500;

    if (failed) {
        failed = answer_problem(x, status, NULL, NULL);
    }
    if (failed) {
        buffer_clear(&x->answer);
        x->status = status;
    }
    if (status == 503 || status == 429) {
        (void)header_set(x->answer_headers, "retry-after", status == 503 ? "30" : "60");
    }
}

void answer_headers(struct exchange *x) {
    bool shown = x->route && x->route->cache != CACHE_NEVER &&
                 (x->status == 200 || x->status == 304);
    const char *cache = "no-store";
    json_t *h = x->answer_headers;

    if (shown) {
        cache = x->route->cache == CACHE_FOREVER ? "public, max-age=31536000, immutable"
                                                 : "public, max-age=60";
    }
    (void)header_set(h, "cache-control", cache);
    (void)header_set(h, "content-security-policy", HEADER_CSP);
    (void)header_set(h, "x-content-type-options", "nosniff");
    (void)header_set(h, "referrer-policy",
                     shown ? "strict-origin-when-cross-origin" : "no-referrer");
    if (!shown) {
        (void)header_set(h, "x-robots-tag", "noindex");
    }
}

/* If-None-Match is a list; ours holds nothing that could stand inside another. */
void answer_tag(struct exchange *x) {
    uint8_t hash[32];
    char tag[CRYPTO_BASE64URL_SIZE(16) + 2];
    const char *known = exchange_header(x, "if-none-match");

    if (!buffer_ok(&x->answer)) {
        return;
    }
    crypto_sha256(x->answer.data, x->answer.length, hash);
    tag[0] = '"';
    crypto_base64url(hash, 16, tag + 1);
    memcpy(tag + strlen(tag), "\"", 2);
    (void)header_set(x->answer_headers, "etag", tag);
    if (strstr(known, tag) || strcmp(known, "*") == 0) {
        buffer_clear(&x->answer);
        x->status = 304;
    }
}
