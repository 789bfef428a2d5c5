/* SPDX-License-Identifier: MIT */
/* Leading and following. Up to INTAKE_LEADERS callers lead: each applies its own batch and
 * what waits in the queue as one statement, tells the others, and hands the lead to the
 * next in the queue. A batch is in one place: in the queue, with a leader, or with its own
 * caller; whoever is told to lead has left the queue, so that no lead is given twice. */
#include "intake.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "intake_rows.h"
#include "settings.h"

enum {
    INTAKE_LEAD_LEAST_US = 2000
}; /* with less left, a caller lets the next one lead */

enum batch_state {
    BATCH_NEW = 0,
    BATCH_WAITS = 1, /* in the queue */
    BATCH_LEADS = 2, /* its caller leads, or is about to wake up for it */
    BATCH_TAKEN = 3, /* with another leader */
    BATCH_DONE = 4
};

struct keep {
    struct keep *next;
    max_align_t bytes[];
};

struct intake_batch {
    atomic_int holders;     /* the caller, and the leader who took it */
    enum batch_state state; /* under the intake's lock */
    pthread_cond_t changed;
    struct intake_batch *next;
    json_t *root;
    struct keep *kept;
    struct intake_event *events;
    size_t count;
    /* The leader's until BATCH_DONE, the caller's then. */
    json_t **replies; /* one an event, NULL for the plain one; NULL: all plain */
    size_t offset;    /* of this batch in its group */
    int code;
    struct error error;
};

struct intake {
    const struct store *store;
    pthread_mutex_t lock;
    struct intake_batch *first, **last;
    int leaders;
};

struct group {
    struct intake_batch **batches;
    size_t count, events;
};

int intake_open(const struct store *store, struct intake **intake, struct error *error) {
    struct intake *made = memory_zero(1, sizeof *made);

    *intake = NULL;
    if (!made || pthread_mutex_init(&made->lock, NULL)) {
        memory_free(made);
        return error_set(error, ERROR_FAILED, "", "no memory for the intake");
    }
    made->store = store;
    made->last = &made->first;
    *intake = made;
    return 0;
}

void intake_close(struct intake *intake) {
    if (intake) {
        pthread_mutex_destroy(&intake->lock);
        memory_free(intake);
    }
}

static int batch_condition(pthread_cond_t *changed) {
    pthread_condattr_t attributes;
    int code = pthread_condattr_init(&attributes);

    if (!code) {
        code = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        code = code ? code : pthread_cond_init(changed, &attributes);
        pthread_condattr_destroy(&attributes);
    }
    return code;
}

struct intake_batch *intake_new(json_t *root, size_t events) {
    struct intake_batch *batch = memory_zero(1, sizeof *batch);
    struct intake_event *rows = memory_zero(events, sizeof *rows);

    if (!batch || !rows || batch_condition(&batch->changed)) {
        memory_free(batch);
        memory_free(rows);
        json_decref(root);
        return NULL;
    }
    atomic_init(&batch->holders, 1);
    batch->root = root;
    batch->events = rows;
    batch->count = events;
    return batch;
}

static void batch_free(struct intake_batch *batch) {
    for (size_t i = 0; i < batch->count; i++) {
        json_decref(batch->events[i].body);
    }
    while (batch->kept) {
        struct keep *gone = batch->kept;
        batch->kept = gone->next;
        memory_free(gone);
    }
    for (size_t i = 0; batch->replies && i < batch->count; i++) {
        json_decref(batch->replies[i]);
    }
    pthread_cond_destroy(&batch->changed);
    memory_free(batch->replies);
    json_decref(batch->root);
    memory_free(batch->events);
    memory_free(batch);
}

void intake_drop(struct intake_batch *batch) {
    if (batch && atomic_fetch_sub(&batch->holders, 1) == 1) {
        batch_free(batch);
    }
}

struct intake_event *intake_at(struct intake_batch *batch, size_t i) {
    return &batch->events[i];
}

size_t intake_count(const struct intake_batch *batch) {
    return batch->count;
}

void *intake_keep(struct intake_batch *batch, size_t bytes) {
    struct keep *keep = memory_zero(1, sizeof *keep + bytes);

    if (!keep) {
        return NULL;
    }
    keep->next = batch->kept;
    batch->kept = keep;
    return keep->bytes;
}

json_t *intake_reply(struct intake_batch *batch, size_t i) {
    json_t *reply = batch->replies ? batch->replies[i] : NULL;

    if (reply) {
        batch->replies[i] = NULL;
    }
    return reply;
}

static void queue_add(struct intake *intake, struct intake_batch *batch) {
    batch->state = BATCH_WAITS;
    batch->next = NULL;
    *intake->last = batch;
    intake->last = &batch->next;
}

static void queue_remove(struct intake *intake, struct intake_batch *batch) {
    struct intake_batch **at = &intake->first;

    while (*at && *at != batch) {
        at = &(*at)->next;
    }
    if (*at) {
        *at = batch->next;
        if (!*at) {
            intake->last = at;
        }
    }
}

/* Fills the group up from the head of the queue with what fits one statement. */
static void group_take(struct intake *intake, struct group *group) {
    struct intake_batch *batch;

    while ((batch = intake->first) && group->count < INTAKE_GROUP_EVENTS &&
           group->events + batch->count <= INTAKE_GROUP_EVENTS) {
        queue_remove(intake, batch);
        batch->state = BATCH_TAKEN;
        atomic_fetch_add(&batch->holders, 1);
        group->events += batch->count;
        group->batches[group->count++] = batch;
    }
}

static void batches_end(struct intake_batch **batches, size_t count, int code,
                        const struct error *why) {
    for (size_t i = 0; i < count; i++) {
        batches[i]->code = code;
        batches[i]->error = *why;
    }
}

/* Each batch gets its own, so that no reference is counted by two threads at once. */
static int batch_answer(struct intake_batch *batch, json_t *replies) {
    char position[24];

    for (size_t i = 0; i < batch->count; i++) {
        snprintf(position, sizeof position, "%zu", batch->offset + i);
        json_t *reply = json_object_get(replies, position);
        if (reply && !batch->replies) {
            batch->replies = memory_zero(batch->count, sizeof *batch->replies);
        }
        if (reply && !batch->replies) {
            return ERROR_UNAVAILABLE;
        }
        if (reply) {
            batch->replies[i] = json_incref(reply);
        }
    }
    return 0;
}

static int batches_answer(struct intake_batch **batches, size_t count, json_t *answer,
                          struct error *error) {
    json_t *replies = json_object_get(answer, "replies");
    int code = answer ? 0 : ERROR_UNAVAILABLE;

    for (size_t i = 0; i < count && !code && json_object_size(replies) > 0; i++) {
        code = batch_answer(batches[i], replies);
    }
    return code ? error_set(error, code, "", "the answer was lost") : 0;
}

/* The order placed that is all there is to apply; NULL when there is more or other. */
static const struct intake_event *order_alone(struct intake_batch *const *batches,
                                              size_t count) {
    const struct intake_event *first = &batches[0]->events[0];

    return count == 1 && batches[0]->count == 1 && first->order ? first : NULL;
}

static int order_apply(struct intake *intake, const struct intake_event *order,
                       int64_t deadline_us, struct error *error) {
    struct db_params p;
    struct db_result *result = NULL;

    db_params_open(&p);
    intake_order(&p, intake->store->name, order);
    int code = store_call(intake->store, INTAKE_ORDER_SQL, &p, deadline_us, &result, NULL,
                          error);
    if (!code) {
        settings_notice(intake->store->settings, db_int(result, 0, 0));
    }
    db_result_free(result);
    db_params_free(&p);
    return code;
}

static int rows_apply(struct intake *intake, struct intake_batch **batches, size_t count,
                      int64_t deadline_us, struct error *error) {
    struct db_params p;
    struct db_result *result = NULL;
    json_t *answer = NULL;

    db_params_open(&p);
    intake_rows(&p, intake->store->name, batches, count);
    int code =
        store_call(intake->store, INTAKE_SQL, &p, deadline_us, &result, NULL, error);
    if (!code) {
        answer = db_json(result, 0, 0);
        code = batches_answer(batches, count, answer, error);
    }
    if (!code) {
        settings_notice(intake->store->settings,
                        json_integer_value(json_object_get(answer, "settings")));
    }
    json_decref(answer);
    db_result_free(result);
    db_params_free(&p);
    return code;
}

static int batches_apply(struct intake *intake, struct intake_batch **batches,
                         size_t count, int64_t deadline_us) {
    const struct intake_event *order = order_alone(batches, count);
    struct error why = {0};
    size_t offset = 0;

    for (size_t i = 0; i < count; i++) {
        batches[i]->offset = offset;
        offset += batches[i]->count;
    }
    int code = order ? order_apply(intake, order, deadline_us, &why)
                     : rows_apply(intake, batches, count, deadline_us, &why);
    batches_end(batches, count, code, &why);
    return code;
}

/* One bad batch must not take the others down with it: what is refused together is tried
 * by halves, down to the one that is refused alone. */
static void group_apply(struct intake *intake, const struct group *group,
                        int64_t deadline_us) {
    size_t at = 0, most = group->count;

    while (at < group->count) {
        size_t n = group->count - at < most ? group->count - at : most;
        int code = batches_apply(intake, group->batches + at, n, deadline_us);
        if (code && code != ERROR_UNAVAILABLE && n > 1) {
            most = n / 2;
        } else {
            at += n;
            most = n * 2;
        }
    }
}

static void batch_done(struct intake_batch *batch) {
    batch->state = BATCH_DONE;
    pthread_cond_signal(&batch->changed);
}

/* PostgreSQL went away: nobody waits for his own deadline to find that out as well. */
static void queue_fail(struct intake *intake) {
    static const struct error away = {ERROR_UNAVAILABLE, "",
                                      "PostgreSQL is out of reach"};
    struct intake_batch *batch;

    while ((batch = intake->first)) {
        queue_remove(intake, batch);
        batches_end(&batch, 1, away.code, &away);
        batch_done(batch);
    }
}

static void lead_pass(struct intake *intake) {
    struct intake_batch *next = intake->first;

    if (next) {
        queue_remove(intake, next);
        next->state = BATCH_LEADS;
        pthread_cond_signal(&next->changed);
    } else {
        intake->leaders--;
    }
}

/* Without the lock, which whoever wakes up wants. The group's references keep the batches. */
static void group_wake(const struct group *group) {
    for (size_t i = 0; i < group->count; i++) {
        pthread_cond_signal(&group->batches[i]->changed);
        intake_drop(group->batches[i]);
    }
}

/* With the lock held, which is given up meanwhile. own leads, and is done afterwards. */
static void lead(struct intake *intake, struct intake_batch *own, int64_t deadline_us) {
    struct intake_batch *batches[INTAKE_GROUP_EVENTS];
    struct group group = {batches, 1, own->count};

    batches[0] = own;
    atomic_fetch_add(&own->holders, 1);
    group_take(intake, &group);
    pthread_mutex_unlock(&intake->lock);
    group_apply(intake, &group, deadline_us);
    bool down = db_pool_down(intake->store->pool);
    pthread_mutex_lock(&intake->lock);
    for (size_t i = 0; i < group.count; i++) {
        batches[i]->state = BATCH_DONE;
    }
    if (down) {
        queue_fail(intake);
    }
    lead_pass(intake);
    pthread_mutex_unlock(&intake->lock);
    group_wake(&group);
    pthread_mutex_lock(&intake->lock);
}

/* Until the batch is done, its caller is to lead, or the deadline. */
static void batch_wait(struct intake *intake, struct intake_batch *batch,
                       int64_t deadline_us) {
    const struct timespec until = {deadline_us / 1000000, (deadline_us % 1000000) * 1000};
    int waited = 0;

    while ((batch->state == BATCH_WAITS || batch->state == BATCH_TAKEN) &&
           waited != ETIMEDOUT) {
        waited = pthread_cond_timedwait(&batch->changed, &intake->lock, &until);
    }
}

/* What the caller is told; the lead is passed on by a caller who has no time for it. */
static int batch_leave(struct intake *intake, struct intake_batch *batch,
                       struct error *error) {
    if (batch->state == BATCH_DONE) {
        return batch->code ? error_set(error, batch->code, batch->error.pointer, "%s",
                                       batch->error.detail)
                           : 0;
    }
    if (batch->state == BATCH_WAITS) {
        queue_remove(intake, batch);
    } else if (batch->state == BATCH_LEADS) {
        lead_pass(intake);
    }
    return error_set(error, ERROR_UNAVAILABLE, "", "PostgreSQL did not answer in time");
}

int intake_submit(struct intake *intake, struct intake_batch *batch, int64_t deadline_us,
                  struct error *error) {
    pthread_mutex_lock(&intake->lock);
    if (intake->leaders < INTAKE_LEADERS) {
        intake->leaders++;
        batch->state = BATCH_LEADS;
    } else {
        queue_add(intake, batch);
        batch_wait(intake, batch, deadline_us);
    }
    if (batch->state == BATCH_LEADS &&
        deadline_us - clock_now_us() >= INTAKE_LEAD_LEAST_US) {
        lead(intake, batch, deadline_us);
    }
    int code = batch_leave(intake, batch, error);
    pthread_mutex_unlock(&intake->lock);
    return code;
}
