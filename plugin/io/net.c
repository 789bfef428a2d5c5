/* SPDX-License-Identifier: MIT */
/*
 * Mail relays by libcurl (https.c is its other file). Its SMTP stops after the login (CONNECT_ONLY): the mail
 * dialogue itself is spoken in mail/, which alone can tell "not sent" from "perhaps sent".
 */
#include "io/net.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "io/pipe_guard.h"

_Static_assert(LIBCURL_VERSION_NUM >= 0x075700,
               "libcurl 7.87 or newer (CURLOPT_QUICK_EXIT)");

enum {
    NET_CONNECT_TIMEOUT_MS = 15000,
    NET_POLL_LONGEST_MS = 60000,
    NET_MESSAGES_MAX = 1024
};

struct net_stream {
    struct net *net;
    CURL *easy;
    curl_socket_t socket;
    enum net_state state;
    bool added, tls;
    bool read_blocked,
        write_blocked; /* what net_wait watches: only what an attempt found blocked */
    struct net_fault fault;
    char name[NET_NAME_MAX + 1];
    char message[CURL_ERROR_SIZE];
};

struct net {
    CURLM *multi;
    atomic_bool woken;
    size_t count;
    struct net_stream *streams[NET_STREAMS_MAX];
    struct curl_waitfd fds[NET_STREAMS_MAX];
    struct net_stream *watched[NET_STREAMS_MAX];
};

const char *net_version(void) {
    return curl_version_info(CURLVERSION_NOW)->version;
}

int net_open(struct net **net, struct error *error) {
    const curl_version_info_data *version = curl_version_info(CURLVERSION_NOW);
    struct net *made = NULL;
    *net = NULL;
    if (!(version->features & CURL_VERSION_THREADSAFE))
        return error_set(error, ERROR_FAILED, "",
                         "this libcurl cannot be started thread-safely");
    /* Counted and locked by libcurl itself; never undone, for the host may use libcurl too. */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return error_set(error, ERROR_FAILED, "", "libcurl could not be started");
    made = memory_zero(1, sizeof *made);
    if (made)
        made->multi = curl_multi_init();
    if (!made || !made->multi) {
        memory_free(made);
        return error_set(error, ERROR_FAILED, "", "no memory for network connections");
    }
    *net = made;
    return ERROR_NONE;
}

void net_close(struct net *net) {
    struct pipe_guard guard;
    if (!net)
        return;
    while (net->count > 0)
        net_stream_close(net->streams[net->count - 1]);
    pipe_guard_enter(&guard);
    curl_multi_cleanup(net->multi);
    pipe_guard_leave(&guard);
    memory_free(net);
}

static bool host_is_loopback(const char *host) {
    struct in_addr four;
    if (strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
        return true;
    return inet_pton(AF_INET, host, &four) == 1 && (ntohl(four.s_addr) >> 24) == 127;
}

static bool name_valid(const char *name) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789.-:[]";
    size_t n = strlen(name);
    return n >= 1 && n <= NET_NAME_MAX && strspn(name, allowed) == n;
}

/* What EHLO says: the url's path, else the target's name, else the machine's. */
static int choose_name(const char *path, const char *wanted, char name[NET_NAME_MAX + 1],
                       struct error *error) {
    char machine[NET_NAME_MAX + 1] = "";
    const char *chosen = path[0] == '/' ? path + 1 : path;
    if (!*chosen && wanted)
        chosen = wanted;
    if (!*chosen) {
        if (gethostname(machine, sizeof machine - 1) != 0 || !name_valid(machine))
            (void)snprintf(machine, sizeof machine, "localhost");
        chosen = machine;
    }
    if (!name_valid(chosen))
        return error_set(error, ERROR_INVALID, "/smtp_url",
                         "the name behind the relay's address is not a host name");
    (void)snprintf(name, NET_NAME_MAX + 1, "%s", chosen);
    return ERROR_NONE;
}

struct net_plan {
    char *url; /* with the EHLO name as its path; libcurl's */
    bool tls, implicit;
    char name[NET_NAME_MAX + 1];
};

static int plan_tls(struct net_plan *plan, enum net_tls wanted, const char *scheme,
                    const char *host, struct error *error) {
    bool loopback = host_is_loopback(host);
    plan->implicit = strcmp(scheme, "smtps") == 0;
    if (!plan->implicit && strcmp(scheme, "smtp") != 0)
        return error_set(error, ERROR_INVALID, "/smtp_url",
                         "a relay's address begins with smtp:// or smtps://");
    if (wanted == NET_TLS_NONE && !loopback)
        return error_set(error, ERROR_INVALID, "/smtp_url",
                         "only a relay on this machine may go without TLS");
    plan->tls = plan->implicit || wanted == NET_TLS_REQUIRED ||
                (wanted == NET_TLS_AUTO && !loopback);
    return ERROR_NONE;
}

/* The plan's url is the caller's: curl_free. */
static int plan_make(const struct net_target *target, struct net_plan *plan,
                     struct error *error) {
    char *scheme = NULL, *host = NULL, *path = NULL;
    CURLU *parts = curl_url();
    int rc = ERROR_INVALID;
    memset(plan, 0, sizeof *plan);
    if (!target->url || !parts || curl_url_set(parts, CURLUPART_URL, target->url, 0) ||
        curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) ||
        curl_url_get(parts, CURLUPART_HOST, &host, 0) ||
        curl_url_get(parts, CURLUPART_PATH, &path, CURLU_URLDECODE)) {
        error_set(error, ERROR_INVALID, "/smtp_url",
                  "the relay's address cannot be read");
        goto out;
    }
    rc = plan_tls(plan, target->tls, scheme, host, error);
    if (rc == ERROR_NONE)
        rc = choose_name(path, target->name, plan->name, error);
    if (rc == ERROR_NONE &&
        (curl_url_set(parts, CURLUPART_PATH, plan->name, CURLU_URLENCODE) ||
         curl_url_get(parts, CURLUPART_URL, &plan->url, 0)))
        rc = error_set(error, ERROR_FAILED, "", "no memory for the relay's address");
out:
    curl_free(scheme);
    curl_free(host);
    curl_free(path);
    curl_url_cleanup(parts);
    return rc;
}

int net_check(const struct net_target *target, struct error *error) {
    struct net_plan plan;
    int rc = plan_make(target, &plan, error);
    curl_free(plan.url);
    return rc;
}

static curl_socket_t open_socket(void *user, curlsocktype purpose,
                                 struct curl_sockaddr *address) {
    (void)user;
    (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

struct text_option {
    CURLoption option;
    const char *name, *value;
};

struct number_option {
    CURLoption option;
    const char *name;
    long value;
};

static int set_texts(CURL *easy, const struct text_option *options, size_t n,
                     struct error *error) {
    for (size_t i = 0; i < n; i++)
        if (options[i].value &&
            curl_easy_setopt(easy, options[i].option, options[i].value))
            return error_set(error, ERROR_FAILED, "", "libcurl refused %s",
                             options[i].name);
    return ERROR_NONE;
}

static int set_numbers(CURL *easy, const struct number_option *options, size_t n,
                       struct error *error) {
    for (size_t i = 0; i < n; i++)
        if (curl_easy_setopt(easy, options[i].option, options[i].value))
            return error_set(error, ERROR_FAILED, "", "libcurl refused %s",
                             options[i].name);
    return ERROR_NONE;
}

static int set_options(struct net_stream *stream, const struct net_target *target,
                       const struct net_plan *plan, struct error *error) {
    long timeout_ms = target->connect_timeout_ms > 0 ? target->connect_timeout_ms
                                                     : NET_CONNECT_TIMEOUT_MS;
    const struct text_option texts[] = {
        {CURLOPT_URL, "URL", plan->url},
        {CURLOPT_PROTOCOLS_STR, "PROTOCOLS_STR", "smtp,smtps"},
        {CURLOPT_PROXY, "PROXY", ""},
        {CURLOPT_USERNAME, "USERNAME", target->user},
        {CURLOPT_PASSWORD, "PASSWORD", target->password},
        {CURLOPT_CAINFO, "CAINFO", target->ca_file},
    };
    const struct number_option numbers[] = {
        {CURLOPT_CONNECT_ONLY, "CONNECT_ONLY", 1},
        {CURLOPT_FRESH_CONNECT, "FRESH_CONNECT", 1},
        {CURLOPT_NOSIGNAL, "NOSIGNAL", 1},
        {CURLOPT_NETRC, "NETRC", CURL_NETRC_IGNORED},
        {CURLOPT_VERBOSE, "VERBOSE", 0},
        {CURLOPT_TCP_NODELAY, "TCP_NODELAY", 1},
        {CURLOPT_TCP_KEEPALIVE, "TCP_KEEPALIVE", 1},
        /* A lookup that hangs is left behind, not waited for. */
        {CURLOPT_QUICK_EXIT, "QUICK_EXIT", 1},
        {CURLOPT_CONNECTTIMEOUT_MS, "CONNECTTIMEOUT_MS", timeout_ms},
        {CURLOPT_TIMEOUT_MS, "TIMEOUT_MS", timeout_ms},
        {CURLOPT_USE_SSL, "USE_SSL", plan->tls ? CURLUSESSL_ALL : CURLUSESSL_NONE},
        {CURLOPT_SSL_VERIFYPEER, "SSL_VERIFYPEER", 1},
        {CURLOPT_SSL_VERIFYHOST, "SSL_VERIFYHOST", 2},
        {CURLOPT_SSLVERSION, "SSLVERSION", CURL_SSLVERSION_TLSv1_2},
    };
    if (set_texts(stream->easy, texts, sizeof texts / sizeof *texts, error) ||
        set_numbers(stream->easy, numbers, sizeof numbers / sizeof *numbers, error))
        return ERROR_FAILED;
    if (curl_easy_setopt(stream->easy, CURLOPT_PRIVATE, stream) ||
        curl_easy_setopt(stream->easy, CURLOPT_ERRORBUFFER, stream->message) ||
        curl_easy_setopt(stream->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket))
        return error_set(error, ERROR_FAILED, "", "libcurl refused its callbacks");
    return ERROR_NONE;
}

int net_stream_open(struct net *net, const struct net_target *target,
                    struct net_stream **stream, struct error *error) {
    struct net_stream *made = NULL;
    struct net_plan plan;
    int rc = plan_make(target, &plan, error);
    *stream = NULL;
    if (rc != ERROR_NONE)
        goto out;
    rc = ERROR_FAILED;
    if (net->count == NET_STREAMS_MAX) {
        error_set(error, ERROR_FAILED, "", "too many connections to relays");
        goto out;
    }
    made = memory_zero(1, sizeof *made);
    if (!made) {
        error_set(error, ERROR_FAILED, "", "no memory for a connection");
        goto out;
    }
    *made = (struct net_stream){
        .net = net, .socket = CURL_SOCKET_BAD, .state = NET_CONNECTING};
    made->tls = plan.tls;
    memcpy(made->name, plan.name, sizeof made->name);
    net->streams[net->count++] = made;
    made->easy = curl_easy_init();
    if (!made->easy || set_options(made, target, &plan, error) != ERROR_NONE ||
        curl_multi_add_handle(net->multi, made->easy)) {
        error_set(error, ERROR_FAILED, "", "libcurl could not begin a connection");
        net_stream_close(made);
        goto out;
    }
    made->added = true;
    *stream = made;
    rc = ERROR_NONE;
out:
    curl_free(plan.url);
    return rc;
}

/*
 * Removing a CONNECT_ONLY handle closes its connection as a dead one: libcurl says no QUIT and waits
 * for no answer, and TLS's farewell is written without waiting.
 */
void net_stream_close(struct net_stream *stream) {
    struct pipe_guard guard;
    if (!stream)
        return;
    struct net *net = stream->net;
    for (size_t i = 0; i < net->count; i++)
        if (net->streams[i] == stream)
            net->streams[i] = net->streams[--net->count];
    pipe_guard_enter(&guard);
    if (stream->added)
        (void)curl_multi_remove_handle(net->multi, stream->easy);
    if (stream->easy)
        curl_easy_cleanup(stream->easy);
    pipe_guard_leave(&guard);
    memory_free(stream);
}

enum net_state net_stream_state(const struct net_stream *stream) {
    return stream->state;
}

const struct net_fault *net_stream_fault(const struct net_stream *stream) {
    return &stream->fault;
}

const char *net_stream_name(const struct net_stream *stream) {
    return stream->name;
}

ssize_t net_stream_send(struct net_stream *stream, const void *bytes, size_t n) {
    struct pipe_guard guard;
    size_t sent = 0;
    if (stream->state != NET_OPEN)
        return -1;
    if (stream->write_blocked)
        return 0;
    if (stream->tls)
        pipe_guard_enter(&guard);
    CURLcode code = curl_easy_send(stream->easy, bytes, n, &sent);
    if (stream->tls)
        pipe_guard_leave(&guard);
    stream->write_blocked = code == CURLE_AGAIN || (code == CURLE_OK && sent == 0);
    if (code != CURLE_OK && code != CURLE_AGAIN)
        return -1;
    return code == CURLE_OK ? (ssize_t)sent : 0;
}

ssize_t net_stream_receive(struct net_stream *stream, void *bytes, size_t n) {
    struct pipe_guard guard;
    size_t received = 0;
    if (stream->state != NET_OPEN)
        return -1;
    if (stream->read_blocked)
        return 0;
    if (stream->tls)
        pipe_guard_enter(&guard);
    CURLcode code = curl_easy_recv(stream->easy, bytes, n, &received);
    if (stream->tls)
        pipe_guard_leave(&guard);
    stream->read_blocked = code == CURLE_AGAIN;
    if (code == CURLE_AGAIN)
        return 0;
    return code == CURLE_OK && received > 0 ? (ssize_t)received : -1;
}

static enum net_failure classify(CURLcode code, int reply) {
    static const struct {
        CURLcode code;
        enum net_failure failure;
    } table[] = {
        {CURLE_COULDNT_RESOLVE_HOST, NET_FAILURE_RESOLVE},
        {CURLE_COULDNT_CONNECT, NET_FAILURE_REFUSED},
        {CURLE_OPERATION_TIMEDOUT, NET_FAILURE_TIMEOUT},
        {CURLE_SSL_CONNECT_ERROR, NET_FAILURE_TLS},
        {CURLE_PEER_FAILED_VERIFICATION, NET_FAILURE_TLS},
        {CURLE_USE_SSL_FAILED, NET_FAILURE_TLS},
        {CURLE_SSL_CACERT_BADFILE, NET_FAILURE_TLS},
        {CURLE_SSL_CIPHER, NET_FAILURE_TLS},
        {CURLE_SSL_CERTPROBLEM, NET_FAILURE_TLS},
        {CURLE_SSL_INVALIDCERTSTATUS, NET_FAILURE_TLS},
        {CURLE_LOGIN_DENIED, NET_FAILURE_AUTH},
        {CURLE_AUTH_ERROR, NET_FAILURE_AUTH},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].code == code)
            return table[i].failure;
    if (reply >= 400)
        return NET_FAILURE_GREETING;
    return code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR ||
                   code == CURLE_WEIRD_SERVER_REPLY
               ? NET_FAILURE_LOST
               : NET_FAILURE_OTHER;
}

static void stream_settle(struct net_stream *stream, CURLcode code) {
    long reply = 0;
    if (code == CURLE_OK)
        code = curl_easy_getinfo(stream->easy, CURLINFO_ACTIVESOCKET, &stream->socket);
    if (code == CURLE_OK && stream->socket != CURL_SOCKET_BAD) {
        stream->state = NET_OPEN;
        return;
    }
    (void)curl_easy_getinfo(stream->easy, CURLINFO_RESPONSE_CODE, &reply);
    stream->state = NET_FAILED;
    stream->fault.code = reply > 0 && reply < 1000 ? (int)reply : 0;
    stream->fault.failure = classify(code, stream->fault.code);
    (void)snprintf(stream->fault.text, sizeof stream->fault.text, "%.*s", 255,
                   stream->message[0] ? stream->message : curl_easy_strerror(code));
}

static int take_messages(struct net *net) {
    int changes = 0, left = 0;
    for (int i = 0; i < NET_MESSAGES_MAX; i++) {
        const CURLMsg *message = curl_multi_info_read(net->multi, &left);
        char *stream = NULL;
        if (!message)
            break;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE ||
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &stream) || !stream)
            continue;
        stream_settle((struct net_stream *)(void *)stream, code);
        changes++;
    }
    return changes;
}

static unsigned collect_fds(struct net *net) {
    unsigned count = 0;
    for (size_t i = 0; i < net->count; i++) {
        struct net_stream *stream = net->streams[i];
        short events = (short)((stream->read_blocked ? CURL_WAIT_POLLIN : 0) |
                               (stream->write_blocked ? CURL_WAIT_POLLOUT : 0));
        if (stream->state != NET_OPEN || !events)
            continue;
        net->fds[count] = (struct curl_waitfd){.fd = stream->socket, .events = events};
        net->watched[count++] = stream;
    }
    return count;
}

/* An error or hang-up shows as neither: the next attempt, either way, finds it. */
static int mark_ready(struct net *net, unsigned count) {
    int changes = 0;
    for (unsigned i = 0; i < count; i++) {
        int seen = net->fds[i].revents;
        if (!seen)
            continue;
        if (seen & ~CURL_WAIT_POLLOUT)
            net->watched[i]->read_blocked = false;
        if (seen & ~(CURL_WAIT_POLLIN | CURL_WAIT_POLLPRI))
            net->watched[i]->write_blocked = false;
        changes++;
    }
    return changes;
}

static int wait_ms(int64_t deadline_us) {
    int64_t left_ms = (deadline_us - clock_now_us() + 999) / 1000;
    if (left_ms < 0)
        return 0;
    return left_ms > NET_POLL_LONGEST_MS ? NET_POLL_LONGEST_MS : (int)left_ms;
}

int net_wait(struct net *net, int64_t deadline_us) {
    struct pipe_guard guard;
    int changes = 0, running = 0, ready = 0;
    pipe_guard_enter(&guard);
    for (;;) {
        if (curl_multi_perform(net->multi, &running))
            break;
        changes += take_messages(net);
        int timeout_ms = changes > 0 ? 0 : wait_ms(deadline_us);
        unsigned count = collect_fds(net);
        if (curl_multi_poll(net->multi, net->fds, count, timeout_ms, &ready))
            break;
        changes += mark_ready(net, count);
        if (atomic_exchange(&net->woken, false) || changes > 0 ||
            clock_now_us() >= deadline_us)
            break;
    }
    pipe_guard_leave(&guard);
    return changes;
}

void net_wake(struct net *net) {
    atomic_store(&net->woken, true);
    (void)curl_multi_wakeup(net->multi);
}
