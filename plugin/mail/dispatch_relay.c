/* SPDX-License-Identifier: MIT */
/* From the store's settings to a sender. A changed relay takes over when the mails of the
 * old one have ended. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "mail/dispatch_inner.h"

enum { DISPATCH_SENDER_MAX = 1024 };

void dispatch_trouble(struct dispatch *d, const char *format, ...) {
    char text[sizeof d->trouble];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (strcmp(text, d->trouble) == 0)
        return;
    memcpy(d->trouble, text, sizeof text);
    log_write(d->store->log, LOG_WARNING, "mail of store %s waits: %s", d->store->name,
              text);
}

void dispatch_relay_close(struct dispatch *d) {
    smtp_close(d->smtp);
    d->smtp = NULL;
    memory_free(d->relay);
    d->relay = NULL;
    sender_free(&d->from);
    sender_free(&d->asking);
    memory_free(d->base_url);
    memory_free(d->return_path);
    d->base_url = d->return_path = NULL;
}

/* A store that lacks one of these has mail waiting, not failing. */
static const char *missing(const struct settings *settings) {
    static const char *const columns[] = {"smtp_url", "mail_from", "base_url"};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        if (*settings_text(settings, columns[i]) == '\0')
            return columns[i];
    return NULL;
}

/* All that the sender depends on, to see when it changed. */
static char *describe(const struct settings *settings) {
    static const char *const columns[] = {"smtp_url",     "smtp_user", "mail_from",
                                          "request_from", "name",      "base_url",
                                          "return_path"};
    struct buffer b;
    buffer_init(&b, 8 * DISPATCH_SENDER_MAX);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        buffer_format(&b, "%s\n", settings_text(settings, columns[i]));
    return buffer_steal(&b);
}

static int open_relay(struct dispatch *d, const struct settings *settings,
                      struct error *error) {
    const char *user = settings_text(settings, "smtp_user");
    struct smtp_relay relay = {.url = settings_text(settings, "smtp_url"),
                               .user = *user ? user : NULL,
                               .password = *user ? d->store->smtp_password : NULL,
                               .connections = d->limits.connections,
                               .connect_timeout_ms = d->limits.connect_timeout_ms,
                               .reply_timeout_ms = d->limits.reply_timeout_ms,
                               .data_timeout_ms = d->limits.data_timeout_ms,
                               .retry_ms = d->limits.retry_ms};
    const char *from = settings_text(settings, "mail_from");
    const char *asking = settings_text(settings, "request_from");
    const char *name = settings_text(settings, "name");
    int rc = sender_read(from, name, &d->from);
    if (rc)
        return error_set(error, rc, "",
                         "store.mail_from is neither an address nor Name <address>");
    rc = sender_read(*asking ? asking : from, name, &d->asking);
    if (rc)
        return error_set(error, rc, "",
                         "store.request_from is neither an address nor Name <address>");
    d->base_url = memory_copy(settings_text(settings, "base_url"));
    d->return_path = memory_copy(settings_text(settings, "return_path"));
    if (!d->base_url || !d->return_path)
        return error_set(error, ERROR_FAILED, "", "no memory for a mail sender");
    return smtp_open(d->net, &relay, &d->smtp, error);
}

bool dispatch_configure(struct dispatch *d, const struct settings *settings) {
    struct error why = {0};
    const char *column = missing(settings);
    char *relay = describe(settings);
    bool changed = !d->relay || !relay || strcmp(relay, d->relay) != 0;
    bool busy = dispatch_under_way(d) > 0;

    if (column)
        dispatch_trouble(d, "set store.%s", column);
    else if (!d->store->keys)
        dispatch_trouble(d, "the store's key is not known yet");
    else if (!changed)
        goto out;
    else if (!busy) {
        dispatch_relay_close(d);
        if (open_relay(d, settings, &why)) {
            dispatch_relay_close(d);
            dispatch_trouble(d, "%s", why.detail);
        } else {
            d->relay = relay;
            relay = NULL;
            changed = false;
        }
    }
out:
    memory_free(relay);
    return !column && d->store->keys && !changed;
}
