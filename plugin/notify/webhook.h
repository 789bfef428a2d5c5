/* SPDX-License-Identifier: MIT */
/* Events to the store's webhooks, signed after Standard Webhooks 1.0: webhook-id,
 * webhook-timestamp and webhook-signature "v1,BASE64" (HMAC-SHA256 over ID.TIMESTAMP.BODY).
 * A few calls at once, carried on from step to step. Belongs to one thread at a time. */
#ifndef NOTIFY_WEBHOOK_H
#define NOTIFY_WEBHOOK_H

#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "store.h"

enum {
    WEBHOOK_CALLS = 4,
    WEBHOOK_TIMEOUT_MS = 10000,
    WEBHOOK_LEASE_S = 60,
    WEBHOOK_SECRET_MAX = 128,
    WEBHOOK_SIGNATURE_SIZE = 48 /* "v1," and base64 of 32 bytes */
};

struct webhook_sender;

/* store is borrowed as long as it lives. The caller's, webhook_close, which takes NULL and
 * leaves what is under way to its lease. */
int webhook_open(const struct store *store, struct webhook_sender **sender,
                 struct error *error);
void webhook_close(struct webhook_sender *sender);
/* Due deliveries until the deadline or until none is ready. *done counts those that ended,
 * *in_flight those still under way. */
int webhook_run(struct webhook_sender *sender, int64_t deadline_us, int *done,
                int *in_flight, struct error *error);

/* Pure. false for a secret that is none ("whsec_BASE64"). */
bool webhook_sign(const char *secret, const char *id, const char *timestamp,
                  const char *body, size_t length, char out[WEBHOOK_SIGNATURE_SIZE]);
/* What is posted for an event: itself, or as Slack's or Teams' incoming webhooks take it.
 * The caller's, memory_free; NULL without memory. */
char *webhook_body(const char *format, const json_t *event);

#endif
