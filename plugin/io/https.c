/* SPDX-License-Identifier: MIT */
/* One easy handle in a multi handle of its own: libcurl resolves in a thread that a deadline leaves
   behind, and asks us for the socket of each address it is about to try. */
#include "io/https.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "io/pipe_guard.h"

enum { POLL_LONGEST_MS = 1000, HEADER_MAX = 8192 };

struct https_call {
    const struct https_policy *policy;
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;
    struct buffer body;
    bool added, done, refused, too_long;
    struct https_reply reply;
    char message[CURL_ERROR_SIZE];
};

static int parts_check(const struct https_policy *policy, const char *host,
                       const char *port, const char *pointer, struct error *error) {
    unsigned number = (unsigned)strtoul(port, NULL, 10);

    if (!https_guard_port(policy, number))
        return error_set(error, ERROR_INVALID, pointer,
                         "port %u is not asked; 443 and 8443 are", number);
    if (!https_guard_host(policy, host, number))
        return error_set(error, ERROR_INVALID, pointer,
                         "the host is no name of a public server: addresses of private "
                         "networks are not asked");
    return 0;
}

int https_check(const struct https_policy *policy, const char *url, const char *pointer,
                struct error *error) {
    char *host = NULL, *port = NULL;
    CURLU *parts = NULL;
    int code = https_guard_text(url, pointer, error);

    if (code)
        return code;
    parts = curl_url();
    if (!parts)
        return error_set(error, ERROR_FAILED, "", "no memory for an address");
    if (curl_url_set(parts, CURLUPART_URL, url, CURLU_DISALLOW_USER) ||
        curl_url_get(parts, CURLUPART_HOST, &host, 0) ||
        curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT))
        code = error_set(error, ERROR_INVALID, pointer, "the address cannot be read");
    else
        code = parts_check(policy, host, port, pointer, error);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(parts);
    return code;
}

static curl_socket_t socket_open(void *user, curlsocktype purpose,
                                 struct curl_sockaddr *address) {
    struct https_call *call = user;

    (void)purpose;
    if (!https_guard_address(call->policy, &address->addr, address->addrlen)) {
        call->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t body_take(char *bytes, size_t size, size_t count, void *user) {
    struct https_call *call = user;

    buffer_append(&call->body, bytes, size * count);
    call->too_long = !buffer_ok(&call->body);
    return call->too_long ? 0 : size * count;
}

static int headers_set(struct https_call *call, const struct https_ask *ask,
                       struct error *error) {
    for (size_t i = 0; i < ask->header_count; i++) {
        const char *header = ask->headers[i];
        if (i == HTTPS_HEADERS_MOST || strlen(header) > HEADER_MAX ||
            strpbrk(header, "\r\n") || !strchr(header, ':'))
            return error_set(error, ERROR_INVALID, "", "header %zu is no header", i);
        struct curl_slist *more = curl_slist_append(call->headers, header);
        if (!more)
            return error_set(error, ERROR_FAILED, "", "no memory for a request");
        call->headers = more;
    }
    /* No "Expect: 100-continue": a second round trip for bodies over a megabyte only. */
    struct curl_slist *more = curl_slist_append(call->headers, "Expect:");
    call->headers = more ? more : call->headers;
    return 0;
}

static int numbers_set(CURL *easy, int timeout_ms) {
    const struct {
        CURLoption option;
        long value;
    } numbers[] = {
        {CURLOPT_NOSIGNAL, 1},
        {CURLOPT_FOLLOWLOCATION, 0},
        {CURLOPT_NETRC, CURL_NETRC_IGNORED},
        {CURLOPT_VERBOSE, 0},
        {CURLOPT_QUICK_EXIT, 1},
        {CURLOPT_FRESH_CONNECT, 1},
        {CURLOPT_FORBID_REUSE, 1},
        {CURLOPT_TIMEOUT_MS, timeout_ms},
        {CURLOPT_CONNECTTIMEOUT_MS, timeout_ms},
        {CURLOPT_SSL_VERIFYPEER, 1},
        {CURLOPT_SSL_VERIFYHOST, 2},
        {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
        {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
    };
    int bad = 0;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        bad |= curl_easy_setopt(easy, numbers[i].option, numbers[i].value) != CURLE_OK;
    return bad;
}

static int options_set(struct https_call *call, const struct https_ask *ask) {
    CURL *easy = call->easy;
    const char *ca = call->policy ? call->policy->ca_file : NULL;
    int bad = numbers_set(easy, ask->timeout_ms > 0 ? ask->timeout_ms : HTTPS_TIMEOUT_MS);

    bad |= curl_easy_setopt(easy, CURLOPT_URL, ask->url) != CURLE_OK;
    bad |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https") != CURLE_OK;
    bad |= curl_easy_setopt(easy, CURLOPT_PROXY, "") != CURLE_OK;
    bad |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers) != CURLE_OK;
    bad |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->message) != CURLE_OK;
    bad |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, socket_open) != CURLE_OK;
    bad |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, call) != CURLE_OK;
    bad |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_take) != CURLE_OK;
    bad |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, call) != CURLE_OK;
    if (ca)
        bad |= curl_easy_setopt(easy, CURLOPT_CAINFO, ca) != CURLE_OK;
    if (ask->body) {
        bad |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                                (curl_off_t)ask->body_length) != CURLE_OK;
        bad |= curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, ask->body) != CURLE_OK;
    }
    return bad;
}

int https_start(const struct https_ask *ask, struct https_call **call,
                struct error *error) {
    struct https_call *made = NULL;
    int code = https_check(ask->policy, ask->url, "", error);

    *call = NULL;
    if (code)
        return code;
    code = ERROR_FAILED;
    made = memory_zero(1, sizeof *made);
    if (!made || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        goto out;
    made->policy = ask->policy;
    buffer_init(&made->body, ask->reply_max ? ask->reply_max : HTTPS_REPLY_MAX);
    made->multi = curl_multi_init();
    made->easy = curl_easy_init();
    if (!made->multi || !made->easy)
        goto out;
    code = headers_set(made, ask, error);
    if (code)
        goto out;
    code = ERROR_FAILED;
    if (options_set(made, ask) || curl_multi_add_handle(made->multi, made->easy))
        goto out;
    made->added = true;
    *call = made;
    made = NULL;
    code = 0;
out:
    https_close(made);
    return code ? error_set(error, code, "", "a request could not begin") : 0;
}

static enum https_failure failure_of(const struct https_call *call, CURLcode code) {
    static const struct {
        CURLcode code;
        enum https_failure failure;
    } table[] = {
        {CURLE_OK, HTTPS_FINE},
        {CURLE_COULDNT_RESOLVE_HOST, HTTPS_UNREACHED},
        {CURLE_COULDNT_CONNECT, HTTPS_UNREACHED},
        {CURLE_OPERATION_TIMEDOUT, HTTPS_TIMEOUT},
        {CURLE_SSL_CONNECT_ERROR, HTTPS_TLS},
        {CURLE_PEER_FAILED_VERIFICATION, HTTPS_TLS},
        {CURLE_SSL_CACERT_BADFILE, HTTPS_TLS},
        {CURLE_SSL_CERTPROBLEM, HTTPS_TLS},
        {CURLE_SSL_CIPHER, HTTPS_TLS},
        {CURLE_SSL_INVALIDCERTSTATUS, HTTPS_TLS},
    };
    if (call->too_long)
        return HTTPS_TOO_LONG;
    if (call->refused && code == CURLE_COULDNT_CONNECT)
        return HTTPS_REFUSED;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].code == code)
            return table[i].failure;
    return HTTPS_LOST;
}

static void call_settle(struct https_call *call, CURLcode code) {
    struct https_reply *reply = &call->reply;
    long status = 0;
    curl_off_t after = 0;

    call->done = true;
    (void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &after);
    reply->failure = failure_of(call, code);
    reply->status = reply->failure == HTTPS_FINE ? (int)status : 0;
    reply->retry_after_s = after;
    reply->body = call->body.data && buffer_ok(&call->body) ? call->body.data : "";
    reply->length = buffer_ok(&call->body) ? call->body.length : 0;
    if (reply->failure == HTTPS_REFUSED)
        (void)snprintf(reply->detail, sizeof reply->detail,
                       "the host's address belongs to a private network");
    else if (code != CURLE_OK)
        (void)snprintf(reply->detail, sizeof reply->detail, "%.*s", 255,
                       call->message[0] ? call->message : curl_easy_strerror(code));
}

static int wait_ms(int64_t deadline_us) {
    int64_t left_ms = (deadline_us - clock_now_us() + 999) / 1000;

    return left_ms < 0 ? 0 : left_ms > POLL_LONGEST_MS ? POLL_LONGEST_MS : (int)left_ms;
}

bool https_run(struct https_call *call, int64_t deadline_us) {
    struct pipe_guard guard;
    int running = 1, left = 0;

    pipe_guard_enter(&guard);
    while (!call->done) {
        if (curl_multi_perform(call->multi, &running)) {
            call_settle(call, CURLE_RECV_ERROR);
            break;
        }
        const CURLMsg *message = curl_multi_info_read(call->multi, &left);
        if (message && message->msg == CURLMSG_DONE)
            call_settle(call, message->data.result);
        if (call->done || clock_now_us() >= deadline_us)
            break;
        (void)curl_multi_poll(call->multi, NULL, 0, wait_ms(deadline_us), NULL);
    }
    pipe_guard_leave(&guard);
    return call->done;
}

const struct https_reply *https_reply(const struct https_call *call) {
    return &call->reply;
}

void https_close(struct https_call *call) {
    struct pipe_guard guard;

    if (!call)
        return;
    pipe_guard_enter(&guard);
    if (call->added)
        (void)curl_multi_remove_handle(call->multi, call->easy);
    if (call->easy)
        curl_easy_cleanup(call->easy);
    if (call->multi)
        curl_multi_cleanup(call->multi);
    curl_slist_free_all(call->headers);
    pipe_guard_leave(&guard);
    buffer_free(&call->body);
    memory_free(call);
}

int https_post(const struct https_ask *ask, int64_t deadline_us, struct https_call **call,
               struct error *error) {
    int code = https_start(ask, call, error);

    if (!code && !https_run(*call, deadline_us))
        call_settle(*call, CURLE_OPERATION_TIMEDOUT);
    return code;
}
