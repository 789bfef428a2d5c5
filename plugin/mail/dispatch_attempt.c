/* SPDX-License-Identifier: MIT */
/* From a claimed mail to its first byte at the relay: connections first, then the attempt
 * in the database, which asks once more whether the mail should go, then the letter. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/killpoint.h"
#include "base/memory.h"
#include "mail/dispatch_inner.h"
#include "mail/mime.h"
#include "mail/verp.h"

enum { DISPATCH_MESSAGE_MAX = 4 * 1024 * 1024, MESSAGE_ID_MAX = 43 + 1 + 254 + 1 };

static void postpone(struct dispatch *d, struct slot *slot, const char *what,
                     const struct error *why) {
    log_write(d->store->log, LOG_ERROR, "%s mail %lld of store %s %s: %s%s%s",
              slot->mail.kind, (long long)slot->mail.id, d->store->name, what,
              why->pointer, *why->pointer ? ": " : "", why->detail);
    dispatch_return(slot, DISPATCH_POSTPONE_S);
}

static bool prepare(struct dispatch *d, const struct settings *settings,
                    struct slot *slot) {
    struct error why = {0};
    if (slot->prepared.tokens)
        return true;
    if (!slot->mail.context)
        error_set(&why, ERROR_INVALID, "", "what it is about is gone");
    else if (!slot->kind->prepare(d->store, settings, &slot->mail, &slot->prepared, &why))
        return true;
    postpone(d, slot, "cannot be prepared", &why);
    return false;
}

/* The oldest first; each with its links and code. */
static size_t pick(struct dispatch *d, const struct settings *settings, int most,
                   struct slot *picked[DISPATCH_SLOTS]) {
    size_t count = 0;
    for (size_t i = 0; i < DISPATCH_SLOTS && (int)count < most; i++)
        if (d->slots[i].state == SLOT_CLAIMED && prepare(d, settings, &d->slots[i]))
            picked[count++] = &d->slots[i];
    return count;
}

/* Once per mail, whoever sends it and however often. */
static void message_id(const struct dispatch *d, int64_t mail, char out[MESSAGE_ID_MAX]) {
    char hash[44];
    crypto_message_id(d->store->keys, d->store->name, mail, hash);
    (void)snprintf(out, MESSAGE_ID_MAX, "%s@%s", hash, d->from.domain);
}

static void add_columns(const struct dispatch *d, struct slot *const slots[],
                        size_t count, struct db_params *p) {
    struct db_array mails, leases, ids, tokens, hashes, codes;
    char id[MESSAGE_ID_MAX];
    db_array_open(&mails, DB_INT);
    db_array_open(&leases, DB_INT);
    db_array_open(&ids, DB_TEXT);
    db_array_open(&tokens, DB_JSON);
    db_array_open(&hashes, DB_BYTES);
    db_array_open(&codes, DB_TEXT);
    for (size_t i = 0; i < count; i++) {
        const struct dispatch_prepared *prepared = &slots[i]->prepared;
        message_id(d, slots[i]->mail.id, id);
        db_array_int(&mails, slots[i]->mail.id);
        db_array_int(&leases, slots[i]->lease);
        db_array_text(&ids, id);
        db_array_json(&tokens, prepared->tokens);
        db_array_bytes(&hashes, prepared->has_code ? prepared->code_hash : NULL, 32);
        db_array_text(&codes, prepared->has_code ? prepared->code : NULL);
    }
    db_add_text(p, d->store->name);
    db_add_array(p, &mails);
    db_add_array(p, &leases);
    db_add_array(p, &ids);
    db_add_array(p, &tokens);
    db_add_array(p, &hashes);
    db_add_array(p, &codes);
    db_add_int(p, DISPATCH_CLAIM_LEASE_S);
}

static struct slot *find_slot(struct slot *const slots[], size_t count, int64_t mail) {
    for (size_t i = 0; i < count; i++)
        if (slots[i]->mail.id == mail)
            return slots[i];
    return NULL;
}

/* An obstacle has ended the mail, or the lease was somebody else's: either way not ours. */
static void read_rows(struct dispatch *d, struct slot *const slots[], size_t count,
                      const struct db_result *rows, int64_t asked_us) {
    for (int row = 0; row < db_rows(rows); row++) {
        struct slot *slot = find_slot(slots, count, db_int(rows, row, 0));
        const char *obstacle = db_value(rows, row, 1);
        if (!slot)
            continue;
        if (obstacle) {
            d->done += strcmp(obstacle, "lease_lost") != 0 &&
                       strcmp(obstacle, "postponed") != 0;
            dispatch_free_slot(slot);
            continue;
        }
        dispatch_release_json(slot->mail.discount);
        slot->mail.discount = db_json(rows, row, 2);
        slot->state = SLOT_ATTEMPTED;
        slot->since_us = asked_us;
        slot->lease_end_us = asked_us + (int64_t)DISPATCH_CLAIM_LEASE_S * 1000000;
    }
}

static int attempt(struct dispatch *d, struct slot *const slots[], size_t count,
                   int64_t deadline_us, enum db_fault *fault, struct error *why) {
    int64_t asked_us = clock_now_us();
    struct db_params p;
    struct db_result *rows = NULL;
    int rc;
    db_params_open(&p);
    add_columns(d, slots, count, &p);
    rc = store_call(d->store,
                    "SELECT mail_id, obstacle, discount FROM vouch.mail_attempt("
                    "$1, $2, $3, $4, $5, $6, $7, make_interval(secs => $8))",
                    &p, dispatch_database_deadline(deadline_us), &rows, fault, why);
    KILLPOINT("attempted");
    if (!rc)
        read_rows(d, slots, count, rows, asked_us);
    db_result_free(rows);
    db_params_free(&p);
    return rc;
}

/* One mail the database chokes on must not hold up the others. When the answer was lost the
 * attempts may stand: what is given back undoes them. */
static void attempt_all(struct dispatch *d, struct slot *const slots[], size_t count,
                        int64_t deadline_us) {
    enum db_fault fault = DB_FINE;
    struct error why = {0};
    if (!attempt(d, slots, count, deadline_us, &fault, &why))
        return;
    bool own = fault == DB_DATA || fault == DB_RAISED || fault == DB_BUG;
    for (size_t i = 0; i < count; i++) {
        struct error single = {0};
        if (!own)
            dispatch_return(slots[i], DISPATCH_RELAY_PAUSE_S);
        else if (count == 1)
            postpone(d, slots[i], "cannot be attempted", &why);
        else if (attempt(d, &slots[i], 1, deadline_us, &fault, &single))
            postpone(d, slots[i], "cannot be attempted", &single);
    }
}

static const char *context_text(const struct slot *slot, const char *name) {
    return json_string_value(json_object_get(slot->mail.context, name));
}

/* An address of the mail's own where the store has one for bounces; the caller's. */
static char *return_path(const struct dispatch *d, const struct sender *from,
                         int64_t mail) {
    char address[VERP_ADDRESS_SIZE];
    bool own = *d->return_path && verp_write(d->store->keys, d->store->name,
                                             d->return_path, mail, address);
    return memory_copy(own ? address : from->address);
}

static int put_message(const struct dispatch *d, struct slot *slot,
                       const struct dispatch_letter *letter, struct error *error) {
    char id[MESSAGE_ID_MAX], list[512], feedback[256];
    const char *email = context_text(slot, "email");
    const struct sender *from = letter->listed ? &d->asking : &d->from;
    message_id(d, slot->mail.id, id);
    (void)snprintf(list, sizeof list, "requests.%s.%s", d->store->name, from->domain);
    (void)snprintf(feedback, sizeof feedback, "%s:%s:mail:vouch", slot->mail.kind,
                   d->store->name);
    const struct mime_mail mail = {
        .from_name = from->name,
        .from_address = from->address,
        .to_address = email ? email : "",
        .reply_to = letter->reply_to,
        .subject = letter->letter.subject.data,
        .message_id = id,
        .date_us = clock_wall_us(),
        .list_id = letter->listed ? list : NULL,
        .unsubscribe_url = letter->unsubscribe_url,
        .auto_submitted = "auto-generated",
        .feedback_id = feedback,
        .text = letter->letter.text.data,
        .html = letter->letter.html.length ? letter->letter.html.data : NULL,
        .locale = letter->locale};
    buffer_init(&slot->message, DISPATCH_MESSAGE_MAX);
    slot->from = return_path(d, from, slot->mail.id);
    if (!slot->from)
        return error_set(error, ERROR_FAILED, "", "no memory for a mail");
    return mime_compose(&mail, &slot->message, error);
}

static int compose(struct dispatch *d, struct settings *settings, struct slot *slot,
                   struct error *error) {
    struct dispatch_letter letter = {0};
    int rc = slot->kind->compose(d->store, settings, &slot->mail, &letter, error);
    if (!rc)
        rc = put_message(d, slot, &letter, error);
    letter_free(&letter.letter);
    memory_free(letter.unsubscribe_url);
    memory_free(letter.locale);
    memory_free(letter.reply_to);
    return rc;
}

/* What the relay would never take: said at once, and as final. */
static void refuse(struct slot *slot, const char *why) {
    slot->state = SLOT_ANSWERED;
    slot->since_us = clock_now_us();
    slot->result = (struct smtp_result){.class = SMTP_REFUSED};
    (void)snprintf(slot->result.enhanced, sizeof slot->result.enhanced, "5.1.3");
    (void)snprintf(slot->result.reply, sizeof slot->result.reply, "%.200s", why);
}

/* A lease that went stale meanwhile (the process was stopped) is not used any more. */
static void start(struct dispatch *d, struct settings *settings, struct slot *slot) {
    struct error why = {0};
    if (compose(d, settings, slot, &why)) {
        postpone(d, slot, "cannot be written", &why);
        return;
    }
    const struct smtp_mail mail = {.id = slot->mail.id,
                                   .from = slot->from,
                                   .to = context_text(slot, "email"),
                                   .message = slot->message.data,
                                   .length = slot->message.length,
                                   .hold = true};
    slot->state = SLOT_SENDING;
    KILLPOINT("composed");
    int rc = clock_now_us() - slot->since_us > DISPATCH_START_US
                 ? ERROR_UNAVAILABLE
                 : smtp_start(d->smtp, &mail, &why);
    KILLPOINT("started");
    if (rc == ERROR_INVALID && strcmp(why.pointer, "/to") == 0)
        refuse(slot, why.detail);
    else if (rc == ERROR_INVALID)
        postpone(d, slot, "is malformed", &why);
    else if (rc)
        dispatch_return(slot, 0);
}

int dispatch_ahead(struct dispatch *d) {
    int64_t now_us = clock_now_us(), passed_us = now_us - d->pace_at_us;
    if (passed_us >= DISPATCH_PACE_US) {
        d->pace_before = passed_us < 2 * DISPATCH_PACE_US ? d->pace_now : 0;
        d->pace_now = 0;
        d->pace_at_us = now_us;
    }
    int pace = d->pace_before > d->pace_now ? d->pace_before : d->pace_now;
    return pace < DISPATCH_AHEAD_MOST ? pace : DISPATCH_AHEAD_MOST;
}

/* Attempts that waited are made again: what they asked may have changed. */
static void expire(struct dispatch *d) {
    int64_t now_us = clock_now_us();
    for (size_t i = 0; i < DISPATCH_SLOTS; i++)
        if (d->slots[i].state == SLOT_ATTEMPTED &&
            now_us - d->slots[i].since_us > DISPATCH_FRESH_US)
            d->slots[i].state = SLOT_CLAIMED;
}

static bool start_ready(struct dispatch *d, struct settings *settings, int ready) {
    bool any = false;
    for (size_t i = 0; i < DISPATCH_SLOTS && ready > 0; i++) {
        if (d->slots[i].state != SLOT_ATTEMPTED)
            continue;
        start(d, settings, &d->slots[i]);
        d->pace_now++;
        ready--;
        any = true;
    }
    return any;
}

bool dispatch_begin(struct dispatch *d, struct settings *settings, int64_t deadline_us) {
    struct slot *picked[DISPATCH_SLOTS];
    int ready, attempted;
    size_t count = 0;
    expire(d);
    attempted = dispatch_count(d, SLOT_ATTEMPTED);
    if (clock_now_us() >= deadline_us ||
        attempted + dispatch_count(d, SLOT_CLAIMED) == 0)
        return false;
    ready = smtp_ready(d->smtp);
    if (ready > attempted)
        count = pick(d, settings, ready - attempted + dispatch_ahead(d), picked);
    if (count > 0)
        attempt_all(d, picked, count, deadline_us);
    return start_ready(d, settings, ready);
}
