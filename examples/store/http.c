/* SPDX-License-Identifier: MIT */
/* See http.h. libmicrohttpd calls http_begin with the raw target, http_work for the
 * body and once more for the answer, http_end when all is sent. A thread each
 * connection. */
#include "http.h"
#include "page.h"

#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HTTP_CONNECTIONS = 64, HTTP_TIMEOUT_S = 60, HTTP_BLOCK = 32 * 1024 };

struct http {
    struct store *store;
    struct MHD_Daemon *daemon;
};

static const char own_policy[] =
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-src 'self'; base-uri 'none'; "
    "frame-ancestors 'none'";

void http_redirect(struct response *response, const char *location) {
    response->status = MHD_HTTP_SEE_OTHER;
    (void)snprintf(response->location, sizeof response->location, "%s", location);
}

const char *http_csrf(struct store *store, struct request *request) {
    if (request->session.cookie[0] == '\0')
        (void)session_begin(store->db, NULL, &request->session);
    return request->session.csrf;
}

static enum MHD_Result http_header(void *object, enum MHD_ValueKind kind, const char *key,
                                   const char *value) {
    (void)kind;
    char name[128];
    size_t length = strlen(key);
    if (length >= sizeof name || value == NULL || !text_valid(value, strlen(value)) ||
        !text_valid(key, length))
        return MHD_YES;
    for (size_t i = 0; i <= length; i++)
        name[i] = (char)(key[i] >= 'A' && key[i] <= 'Z' ? key[i] + 32 : key[i]);
    json_t *before = json_object_get(object, name);
    json_t *now = before == NULL
                      ? json_string(value)
                      : json_sprintf("%s%s%s", json_string_value(before),
                                     strcmp(name, "cookie") == 0 ? "; " : ", ", value);
    (void)json_object_set_new(object, name, now);
    return MHD_YES;
}

json_t *http_headers(const struct request *request) {
    json_t *headers = json_object();
    (void)MHD_get_connection_values(request->connection, MHD_HEADER_KIND, http_header,
                                    headers);
    return headers;
}

static void *http_begin(void *nobody, const char *target,
                        struct MHD_Connection *connection) {
    (void)nobody;
    struct request *request = calloc(1, sizeof *request);
    if (request == NULL)
        return NULL;
    request->target = strdup(target);
    request->connection = connection;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info != NULL)
        (void)getnameinfo(info->client_addr, sizeof(struct sockaddr_in),
                          request->client_address, sizeof request->client_address, NULL,
                          0, NI_NUMERICHOST);
    return request;
}

static void http_end(void *nobody, struct MHD_Connection *connection, void **context,
                     enum MHD_RequestTerminationCode how) {
    (void)nobody;
    (void)connection;
    (void)how;
    struct request *request = *context;
    *context = NULL;
    if (request == NULL)
        return;
    text_free(&request->body);
    form_free(&request->query);
    form_free(&request->form);
    free((void *)(uintptr_t)request->target);
    free(request);
}

/* A star takes one segment into the next argument, decoded; "**" takes all the rest. */
static bool http_matches(const char *pattern, const char *path, size_t length,
                         char arguments[HTTP_ARGUMENTS][HTTP_ARGUMENT]) {
    const char *end = path + length;
    size_t argument = 0;
    for (; *pattern != '\0'; pattern++) {
        if (*pattern != '*') {
            if (path == end || *path++ != *pattern)
                return false;
            continue;
        }
        if (pattern[1] == '*')
            return true;
        const char *stop = memchr(path, '/', (size_t)(end - path));
        size_t segment = (size_t)((stop != NULL ? stop : end) - path);
        if (segment == 0 || segment >= HTTP_ARGUMENT || argument == HTTP_ARGUMENTS)
            return false;
        memcpy(arguments[argument], path, segment);
        size_t read = form_decode(arguments[argument], segment, false);
        if (!text_valid(arguments[argument++], read))
            return false;
        path += segment;
    }
    return path == end;
}

static bool http_method_is(const struct route *route, const char *method) {
    if (route->method == NULL || strcmp(route->method, method) == 0)
        return true;
    return strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0;
}

static const struct route *http_route(struct request *request, bool *other_method) {
    const char *question = strchr(request->target, '?');
    size_t length =
        question != NULL ? (size_t)(question - request->target) : strlen(request->target);
    for (const struct route *route = route_table; route->page != NULL; route++) {
        if (!http_matches(route->path, request->target, length, request->arguments))
            continue;
        if (http_method_is(route, request->method))
            return route;
        *other_method = true;
    }
    return NULL;
}

/* The checks that every page has in common, then the page. */
static void http_answer(struct store *store, struct request *request,
                        struct response *response) {
    bool other_method = false;
    const struct route *route = http_route(request, &other_method);
    if (route == NULL) {
        page_problem(request, response, other_method ? 405 : 404,
                     other_method ? "That cannot be done here."
                                  : "There is no such page.");
        return;
    }
    if (request->refused) {
        page_problem(request, response, 413, "That was too much at once.");
        return;
    }
    session_find(
        store->db,
        MHD_lookup_connection_value(request->connection, MHD_COOKIE_KIND, "shop"),
        &request->session);
    const char *question = strchr(request->target, '?');
    bool good = question == NULL ||
                form_read(&request->query, question + 1, strlen(question + 1));
    if (good && route->method != NULL && request->body.length > 0)
        good = form_read(&request->form, request->body.data, request->body.length);
    if (!good)
        page_problem(request, response, 400, "That form could not be read.");
    else if (route->method != NULL && strcmp(request->method, "POST") == 0 &&
             !session_csrf_is(&request->session, form_get(&request->form, "csrf")))
        page_problem(request, response, 403, "This form is too old. Load it again.");
    else if (route->staff && request->session.name[0] == '\0')
        http_redirect(response, "/login");
    else
        route->page(store, request, response);
}

struct http_flow {
    struct stream *stream;
    struct text text;
    size_t sent;
    bool more;
};

static ssize_t http_flow_read(void *context, uint64_t position, char *out, size_t most) {
    (void)position;
    struct http_flow *flow = context;
    if (flow->sent == flow->text.length) {
        if (!flow->more)
            return MHD_CONTENT_READER_END_OF_STREAM;
        flow->text.length = 0;
        flow->sent = 0;
        flow->more = flow->stream->more(flow->stream, &flow->text);
        if (flow->text.failed)
            return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    size_t left = flow->text.length - flow->sent;
    size_t length = left < most ? left : most;
    if (length > 0)
        memcpy(out, flow->text.data + flow->sent, length);
    flow->sent += length;
    return (ssize_t)length;
}

static void http_flow_free(void *context) {
    struct http_flow *flow = context;
    flow->stream->free(flow->stream);
    text_free(&flow->text);
    free(flow);
}

/* Takes the body, and the stream when there is one. */
static struct MHD_Response *http_body(struct response *response) {
    struct text body = response->body;
    response->body = (struct text){0};
    if (response->stream == NULL)
        return MHD_create_response_from_buffer(body.length, body.data,
                                               MHD_RESPMEM_MUST_FREE);
    struct http_flow *flow = calloc(1, sizeof *flow);
    if (flow == NULL) {
        text_free(&body);
        return NULL;
    }
    *flow = (struct http_flow){response->stream, body, 0, true};
    response->stream = NULL;
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, HTTP_BLOCK, http_flow_read,
                                             flow, http_flow_free);
}

static void http_vouch_headers(struct MHD_Response *answer, const json_t *headers) {
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)headers, name, value) {
        if (json_is_string(value))
            (void)MHD_add_response_header(answer, name, json_string_value(value));
        for (size_t i = 0; i < json_array_size(value); i++)
            (void)MHD_add_response_header(answer, name,
                                          json_string_value(json_array_get(value, i)));
    }
}

static void http_own_headers(struct MHD_Response *answer,
                             const struct response *response) {
    const char *type = response->type[0] != '\0' ? response->type : "text/html";
    char line[128];
    (void)snprintf(line, sizeof line, "%s; charset=utf-8", type);
    (void)MHD_add_response_header(answer, "Content-Type", line);
    (void)MHD_add_response_header(answer, "Content-Security-Policy",
                                  response->policy != NULL ? response->policy
                                                           : own_policy);
    (void)MHD_add_response_header(answer, "X-Content-Type-Options", "nosniff");
    (void)MHD_add_response_header(answer, "Referrer-Policy", "same-origin");
    if (response->location[0] != '\0')
        (void)MHD_add_response_header(answer, "Location", response->location);
}

static enum MHD_Result http_send(struct request *request, struct response *response) {
    bool whole = !response->body.failed;
    unsigned status = response->status > 0 ? (unsigned)response->status : 200;
    struct MHD_Response *answer = whole ? http_body(response) : NULL;
    if (answer == NULL)
        return MHD_NO;
    if (response->headers != NULL)
        http_vouch_headers(answer, response->headers);
    else
        http_own_headers(answer, response);
    if (request->session.fresh) {
        char cookie[128];
        (void)snprintf(cookie, sizeof cookie, "shop=%s; Path=/; HttpOnly; SameSite=Lax",
                       request->session.cookie);
        (void)MHD_add_response_header(answer, "Set-Cookie", cookie);
    }
    enum MHD_Result result = MHD_queue_response(request->connection, status, answer);
    MHD_destroy_response(answer);
    return result;
}

static enum MHD_Result http_work(void *context, struct MHD_Connection *connection,
                                 const char *path, const char *method,
                                 const char *version, const char *upload,
                                 size_t *upload_size, void **state) {
    (void)connection;
    (void)path;
    (void)version;
    struct http *http = context;
    struct request *request = *state;
    if (request == NULL || request->target == NULL)
        return MHD_NO;
    request->method = method;
    if (!request->begun) {
        request->begun = true;
        return MHD_YES;
    }
    if (*upload_size > 0) {
        request->refused =
            request->refused || *upload_size > HTTP_BODY - request->body.length;
        if (!request->refused)
            text_add(&request->body, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    struct response response = {0};
    http_answer(http->store, request, &response);
    enum MHD_Result result = http_send(request, &response);
    if (response.stream != NULL)
        response.stream->free(response.stream);
    text_free(&response.body);
    json_decref(response.headers);
    return result;
}

int http_start(struct store *store, int port, struct http **out) {
    struct http *http = calloc(1, sizeof *http);
    if (http == NULL)
        return -1;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    http->store = store;
    http->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL,
        (uint16_t)port, NULL, NULL, http_work, http, MHD_OPTION_SOCK_ADDR, &address,
        MHD_OPTION_CONNECTION_LIMIT, HTTP_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
        HTTP_TIMEOUT_S, MHD_OPTION_URI_LOG_CALLBACK, http_begin, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, http_end, NULL, MHD_OPTION_END);
    if (http->daemon == NULL) {
        free(http);
        return -1;
    }
    *out = http;
    return 0;
}

void http_stop(struct http *http) {
    if (http == NULL)
        return;
    MHD_stop_daemon(http->daemon);
    free(http);
}
