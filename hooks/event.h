/* SPDX-License-Identifier: MIT */
/* Events as they come through the door: one envelope check, one table of types, one small
 * file for each kind of event. */
#ifndef HOOKS_EVENT_H
#define HOOKS_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "module.h"
#include "settings.h"

/* hooks/schema/README.md, "Limits". */
enum {
    EVENT_BYTES = 1024 * 1024,
    EVENT_ARRAY_BYTES = 16 * 1024 * 1024,
    EVENT_ID = 200,
    EVENT_NAME = 500,
    EVENT_TEXT = 20000,
    EVENT_URL = 2000,
    EVENT_EMAIL = 254,
    EVENT_ITEMS = 1000,
    EVENT_GROUPS = 50,
    EVENT_GROUP = 100,
    EVENT_LOCALE = 35,
    EVENT_TIMEZONE = 64,
    EVENT_CODE = 60,
    EVENT_CLIENT = 64,
    EVENT_DSN = 65536
};

/* One event on its way to its row. All borrowed but what the handler puts into row. */
struct event {
    const struct store *store;
    struct settings *settings; /* NULL unless the type asks for them, and while offline */
    struct intake_batch *batch;
    struct intake_event *row;
    const json_t *data;
    struct error *error;
};

/* Handlers check data and fill row; ERROR_INVALID with a pointer from "/data" on. While
 * PostgreSQL is away keys and settings may be missing: then the checks alone count. */
int event_order_placed(struct event *event);
int event_order_fact(struct event *event);
int event_review_submitted(struct event *event);
int event_review_edited(struct event *event);
int event_review_withdrawn(struct event *event);
int event_review_reported(struct event *event);
int event_customer(struct event *event);
int event_product(struct event *event);
int event_discount(struct event *event);
int event_mail(struct event *event);
int event_mail_received(struct event *event);

/* Shared by the handlers. */
/* The object data.NAME, needed; f reads from it, with base "/data/NAME". */
int event_object(const struct event *event, const char *name, const char *base,
                 struct field *f);
/* An absolute http or https URL of at most EVENT_URL bytes. */
int event_take_url(const struct field *f, const char *name, const char **url);
/* "{…}", a PostgreSQL array literal that lives as long as the batch; NULL when absent. */
int event_take_groups(const struct event *event, const struct field *f, const char **groups);
int event_take_locale(const struct field *f, const char **locale);
int event_take_timezone(const struct field *f, const char **zone);
/* Sets row->body, which takes the reference over. ERROR_FAILED for NULL. */
int event_body(struct event *event, json_t *body);

/* vouch_emit: one event or an array. 0 or 1 (spooled) with *reply, a new reference; else
 * an error. */
int event_emit(struct vouch *module, const char *text, size_t length, json_t **reply,
               struct error *error);
extern const struct module_doors event_doors;

#endif
