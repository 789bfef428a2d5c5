/* SPDX-License-Identifier: MIT */
/* See mount.h. The host's whole part in Vouch's pages is here: strip the mount, pass
 * on what came, name the operator from the shop's own login, write back what Vouch
 * answered. */
#include "mount.h"
#include "page.h"

#include <stdlib.h>
#include <string.h>

enum { MOUNT_PARTS = 100000 };
static const char mount[] = "/reviews";

/* The operator is who logged in here; a header could be forged, so none is looked at. */
static json_t *mount_operator(const struct session *session) {
    if (session->name[0] == '\0')
        return json_null();
    return json_pack("{s:s,s:s}", "name", session->name, "role", session->role);
}

static json_t *mount_request(const struct request *request) {
    const char *target = request->target + strlen(mount);
    const char *body = request->body.data != NULL ? request->body.data : "";
    return json_pack("{s:s,s:s+,s:o,s:s%,s:s,s:o}", "method", request->method, "target",
                     *target == '/' ? "" : "/", target, "headers", http_headers(request),
                     "body", body, request->body.length, "client_address",
                     request->client_address, "operator",
                     mount_operator(&request->session));
}

/* One call of vouch_serve; the answer is a new reference, NULL when there is none. */
static json_t *mount_ask(struct store *store, const json_t *request) {
    char *asked = json_dumps(request, JSON_COMPACT);
    char *answered = NULL;
    json_t *answer = NULL;
    if (asked != NULL &&
        store->vouch.serve(store->module, asked, strlen(asked), &answered) == VOUCH_OK)
        answer = json_loads(answered, 0, NULL);
    store->vouch.free(answered);
    free(asked);
    return answer;
}

static void mount_body(const json_t *answer, struct text *out) {
    const json_t *body = json_object_get(answer, "body");
    if (json_is_string(body))
        text_add(out, json_string_value(body), json_string_length(body));
}

static const char *mount_next(const json_t *answer) {
    return json_string_value(json_object_get(answer, "next"));
}

/* A long answer, such as a feed: every part names the target of the next one. */
struct mount_stream {
    struct stream stream;
    struct store *store;
    json_t *request;
    size_t parts;
};

static bool mount_more(struct stream *stream, struct text *out) {
    struct mount_stream *flow = (struct mount_stream *)(void *)stream;
    json_t *answer = mount_ask(flow->store, flow->request);
    if (answer == NULL || ++flow->parts > MOUNT_PARTS)
        out->failed = true;
    mount_body(answer, out);
    const char *next = mount_next(answer);
    bool more = next != NULL &&
                json_object_set_new(flow->request, "target", json_string(next)) == 0;
    json_decref(answer);
    return more;
}

static void mount_free(struct stream *stream) {
    struct mount_stream *flow = (struct mount_stream *)(void *)stream;
    json_decref(flow->request);
    free(flow);
}

static struct stream *mount_stream(struct store *store, json_t *request,
                                   const char *next) {
    struct mount_stream *flow = calloc(1, sizeof *flow);
    if (flow == NULL)
        return NULL;
    *flow =
        (struct mount_stream){{mount_more, mount_free}, store, json_incref(request), 0};
    (void)json_object_set_new(request, "target", json_string(next));
    return &flow->stream;
}

void mount_page(struct store *store, struct request *request, struct response *response) {
    json_t *asked = mount_request(request); /* NULL when the body is not text */
    json_t *answer = asked != NULL ? mount_ask(store, asked) : NULL;
    if (asked == NULL) {
        page_problem(request, response, 400, "That could not be read.");
    } else if (answer == NULL) {
        page_problem(request, response, 503,
                     "Reviews are resting. Try again in a moment.");
    } else {
        response->status = (int)json_integer_value(json_object_get(answer, "status"));
        response->headers = json_incref(json_object_get(answer, "headers"));
        mount_body(answer, &response->body);
        if (mount_next(answer) != NULL)
            response->stream = mount_stream(store, asked, mount_next(answer));
    }
    json_decref(answer);
    json_decref(asked);
}

static bool mount_type_is(const json_t *answer, const char *type) {
    const char *sent = json_string_value(
        json_object_get(json_object_get(answer, "headers"), "content-type"));
    return sent != NULL && strncmp(sent, type, strlen(type)) == 0;
}

bool mount_fetch(struct store *store, const char *target, const char *accept,
                 struct text *out) {
    json_t *request = json_pack("{s:s,s:s,s:{s:s},s:s,s:s,s:n}", "method", "GET",
                                "target", target, "headers", "accept", accept, "body", "",
                                "client_address", "127.0.0.1", "operator");
    json_t *answer = request != NULL ? mount_ask(store, request) : NULL;
    bool good = json_integer_value(json_object_get(answer, "status")) == 200 &&
                mount_type_is(answer, accept);
    if (good)
        mount_body(answer, out);
    json_decref(answer);
    json_decref(request);
    return good;
}
