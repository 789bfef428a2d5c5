/* SPDX-License-Identifier: MIT */
/* See event.h. */
#include "event.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TAKE_WAIT_MS = 500, SWEEP_MOST = 200, SWEEP_EVERY = 4, BACKOFF_MS = 1000 };

/* Final are success and an event that can never be right; all else goes again. */
static bool event_answered(int code) {
    return code >= VOUCH_OK || code == VOUCH_INVALID;
}

static int event_hand_in(struct store *store, const char *id, const char *body,
                         json_t **reply) {
    char *answer = NULL;
    int code = store->vouch.emit(store->module, body, strlen(body), &answer);
    char number[16];
    (void)snprintf(number, sizeof number, "%d", code);
    rows_free(DB_ASK(store->db,
                     "UPDATE shop.event_out SET code = $2, reply = $3,"
                     " answered_at = CASE WHEN $4 THEN now() END WHERE id = $1",
                     id, number, answer, event_answered(code) ? "t" : "f"));
    if (reply != NULL && answer != NULL)
        *reply = json_loads(answer, 0, NULL);
    store->vouch.free(answer);
    return code;
}

int event_emit(struct store *store, const char *id, json_t **reply) {
    if (reply != NULL)
        *reply = NULL;
    struct rows *rows =
        DB_ASK(store->db, "SELECT body FROM shop.event_out WHERE id = $1", id);
    int code = VOUCH_FAILED;
    if (rows_count(rows) == 1)
        code = event_hand_in(store, id, rows_text(rows, 0, 0), reply);
    rows_free(rows);
    return code;
}

void event_sweep(struct store *store) {
    struct rows *rows =
        db_query(store->db,
                 "SELECT id, body FROM shop.event_out"
                 " WHERE answered_at IS NULL AND again ORDER BY position LIMIT 200",
                 0, NULL);
    for (int i = 0; i < rows_count(rows) && i < SWEEP_MOST; i++) {
        int code =
            event_hand_in(store, rows_text(rows, i, 0), rows_text(rows, i, 1), NULL);
        if (code == VOUCH_UNAVAILABLE)
            break;
    }
    rows_free(rows);
}

struct event_thread {
    struct store *store;
    pthread_t thread;
    atomic_bool stop;
};

/* Kept first, acknowledged second: a crash between brings it again, and shop.take
 * knows it. */
static void event_keep(struct store *store, const char *event) {
    json_t *read = json_loads(event, 0, NULL);
    const char *id = json_string_value(json_object_get(read, "id"));
    if (id != NULL) {
        struct rows *rows = DB_ASK(store->db, "SELECT shop.take($1)", event);
        if (rows_true(rows, 0, 0))
            (void)store->vouch.ack(store->module, id, NULL);
        rows_free(rows);
    }
    json_decref(read);
}

static void event_pause(void) {
    struct timespec pause = {BACKOFF_MS / 1000, (BACKOFF_MS % 1000) * 1000000L};
    (void)nanosleep(&pause, NULL);
}

static void *event_run(void *argument) {
    struct event_thread *thread = argument;
    struct store *store = thread->store;
    for (unsigned round = 0; !atomic_load(&thread->stop); round++) {
        if (round % SWEEP_EVERY == 0)
            event_sweep(store);
        char *event = NULL;
        int code = store->vouch.take(store->module, TAKE_WAIT_MS, &event);
        if (code == VOUCH_OK)
            event_keep(store, event);
        else if (code < VOUCH_OK)
            event_pause();
        store->vouch.free(event);
    }
    return NULL;
}

int event_start(struct store *store, struct event_thread **out) {
    struct event_thread *thread = calloc(1, sizeof *thread);
    if (thread == NULL)
        return -1;
    thread->store = store;
    if (pthread_create(&thread->thread, NULL, event_run, thread) != 0) {
        free(thread);
        return -1;
    }
    *out = thread;
    return 0;
}

void event_stop(struct event_thread *thread) {
    if (thread == NULL)
        return;
    atomic_store(&thread->stop, true);
    (void)pthread_join(thread->thread, NULL);
    free(thread);
}
