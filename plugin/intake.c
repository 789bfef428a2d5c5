/* SPDX-License-Identifier: MIT */
/* Leading and following. A batch waits in the store's queue; up to INTAKE_LEADERS callers
 * lead: each takes what waits, applies it as one statement, tells the others, and hands the
 * lead to the next in the queue. */
#include "intake.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "intake_rows.h"
#include "settings.h"

enum batch_state { BATCH_NEW, BATCH_WAITS, BATCH_LEADS, BATCH_TAKEN, BATCH_DONE };

struct keep {
    struct keep *next;
    max_align_t bytes[];
};

struct intake_batch {
    int holders; /* the caller and the group it is in; under the intake's lock */
    enum batch_state state;
    pthread_cond_t changed;
    struct intake_batch *next;
    json_t *root;
    struct keep *kept;
    struct intake_event *events;
    size_t count;
    json_t *replies; /* object: position in the group -> reply */
    size_t offset;   /* of this batch in its group */
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
    batch->holders = 1;
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
    pthread_cond_destroy(&batch->changed);
    json_decref(batch->replies);
    json_decref(batch->root);
    memory_free(batch->events);
    memory_free(batch);
}

void intake_drop(struct intake_batch *batch) {
    if (batch && __atomic_sub_fetch(&batch->holders, 1, __ATOMIC_ACQ_REL) == 0) {
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

const json_t *intake_reply(const struct intake_batch *batch, size_t i) {
    char position[24];

    snprintf(position, sizeof position, "%zu", batch->offset + i);
    return json_object_get(batch->replies, position);
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

/* Takes from the head of the queue what fits one statement, own among it or not. */
static void group_take(struct intake *intake, struct group *group) {
    while (intake->first && group->count < INTAKE_GROUP_EVENTS) {
        struct intake_batch *batch = intake->first;
        if (group->count && group->events + batch->count > INTAKE_GROUP_EVENTS) {
            break;
        }
        queue_remove(intake, batch);
        batch->state = BATCH_TAKEN;
        __atomic_add_fetch(&batch->holders, 1, __ATOMIC_ACQ_REL);
        batch->offset = group->events;
        group->events += batch->count;
        group->batches[group->count++] = batch;
    }
}

static void batches_end(struct intake_batch **batches, size_t count, int code,
                        const struct error *why, json_t *replies) {
    for (size_t i = 0; i < count; i++) {
        batches[i]->code = code;
        if (code) {
            batches[i]->error = *why;
        }
        batches[i]->replies = json_incref(replies);
    }
}

static int batches_apply(struct intake *intake, struct intake_batch **batches,
                         size_t count, int64_t deadline_us, enum db_fault *fault) {
    struct error why = {0};
    struct db_params p;
    struct db_result *result = NULL;
    json_t *answer = NULL;

    db_params_open(&p);
    intake_rows(&p, intake->store->name, batches, count);
    int code = store_call(intake->store, INTAKE_SQL, &p, deadline_us, &result, fault, &why);
    if (!code) {
        answer = db_json(result, 0, 0);
        code = answer ? 0 : error_set(&why, ERROR_UNAVAILABLE, "", "the answer was lost");
    }
    if (!code) {
        settings_notice(intake->store->settings,
                        json_integer_value(json_object_get(answer, "settings")));
    }
    batches_end(batches, count, code, &why, json_object_get(answer, "replies"));
    json_decref(answer);
    db_result_free(result);
    db_params_free(&p);
    return code;
}

/* One bad batch must not take the others down with it. */
static void group_apply(struct intake *intake, struct group *group, int64_t deadline_us) {
    enum db_fault fault = DB_FINE;
    int code =
        batches_apply(intake, group->batches, group->count, deadline_us, &fault);

    if (!code || group->count < 2 || fault == DB_UNREACHED || fault == DB_LOST ||
        fault == DB_RETRY) {
        return;
    }
    for (size_t i = 0; i < group->count; i++) {
        group->batches[i]->offset = 0;
        group->batches[i]->error = (struct error){0};
        batches_apply(intake, &group->batches[i], 1, deadline_us, &fault);
    }
}

static void lead_pass(struct intake *intake) {
    if (intake->first) {
        struct intake_batch *next = intake->first;
        next->state = BATCH_LEADS;
        pthread_cond_signal(&next->changed);
    } else {
        intake->leaders--;
    }
}

/* With the lock held, which is given up meanwhile. */
static void lead(struct intake *intake, int64_t deadline_us) {
    struct intake_batch *batches[INTAKE_GROUP_EVENTS];
    struct group group = {batches, 0, 0};

    group_take(intake, &group);
    pthread_mutex_unlock(&intake->lock);
    group_apply(intake, &group, deadline_us);
    pthread_mutex_lock(&intake->lock);
    for (size_t i = 0; i < group.count; i++) {
        batches[i]->state = BATCH_DONE;
        pthread_cond_signal(&batches[i]->changed);
    }
    lead_pass(intake);
    pthread_mutex_unlock(&intake->lock);
    for (size_t i = 0; i < group.count; i++) {
        intake_drop(batches[i]);
    }
    pthread_mutex_lock(&intake->lock);
}

static bool batch_wait(struct intake *intake, struct intake_batch *batch,
                       int64_t deadline_us) {
    const struct timespec until = {deadline_us / 1000000,
                                   (deadline_us % 1000000) * 1000};
    int waited = 0;

    while ((batch->state == BATCH_WAITS || batch->state == BATCH_TAKEN) &&
           waited != ETIMEDOUT) {
        waited = pthread_cond_timedwait(&batch->changed, &intake->lock, &until);
    }
    return batch->state == BATCH_LEADS || batch->state == BATCH_DONE;
}

int intake_submit(struct intake *intake, struct intake_batch *batch, int64_t deadline_us,
                  struct error *error) {
    int code;

    pthread_mutex_lock(&intake->lock);
    queue_add(intake, batch);
    if (intake->leaders < INTAKE_LEADERS) {
        intake->leaders++;
        batch->state = BATCH_LEADS;
    }
    while (batch->state != BATCH_DONE) {
        if (!batch_wait(intake, batch, deadline_us)) {
            break;
        }
        if (batch->state == BATCH_LEADS) {
            lead(intake, deadline_us);
        }
    }
    if (batch->state == BATCH_DONE) {
        code = batch->code;
    } else {
        code = ERROR_UNAVAILABLE;
        error_set(&batch->error, code, "", "PostgreSQL did not answer in time");
    }
    if (batch->state == BATCH_WAITS) {
        queue_remove(intake, batch);
    }
    pthread_mutex_unlock(&intake->lock);
    return code ? error_set(error, code, batch->error.pointer, "%s", batch->error.detail)
                : 0;
}
