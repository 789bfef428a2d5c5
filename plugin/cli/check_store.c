/* SPDX-License-Identifier: MIT */
/* vouchctl check, one store: its settings, its people, and whether the work gets done. */
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "check.h"

enum { CHECK_LATE_S = 900, CHECK_UNTAKEN_S = 3600, CHECK_EXAMINED_S = 7 * 86400 };

#define WORKER "run `vouchctl run`, or vouch_start or vouch_step in the store"

static const char *fact_text(const json_t *facts, const char *name) {
    const char *text =
        json_string_value(json_object_get(json_object_get(facts, "store"), name));
    return text ? text : "";
}

static long long fact_number(const json_t *facts, const char *name) {
    return (long long)json_integer_value(json_object_get(facts, name));
}

static long long fact_mails(const json_t *facts, const char *name) {
    return fact_number(json_object_get(facts, "delivery"), name);
}

static bool url_is_local(const char *url) {
    static const char *const local[] = {"localhost", "127.", "[::1]"};
    const char *host = strstr(url, "://");

    host = host ? host + 3 : url;
    for (size_t i = 0; i < sizeof local / sizeof *local; i++) {
        if (strncmp(host, local[i], strlen(local[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* "Name <address>" or an address. */
static bool sender_is_valid(const char *sender) {
    const char *open = strrchr(sender, '<');
    size_t n = strlen(sender);

    if (!open) {
        return address_valid(sender, n);
    }
    return n > 0 && sender[n - 1] == '>' &&
           address_valid(open + 1, n - 1 - (size_t)(open + 1 - sender));
}

/* Nothing set is worse once something waits for it. */
static void check_unset(struct check *c, const char *column, const char *mend,
                        const char *effect, long long waiting) {
    if (waiting > 0) {
        findings_add(c->findings, FINDING_PROBLEM, mend,
                     "%s is not set: %s, and %lld requests and mails wait for it", column,
                     effect, waiting);
    } else {
        findings_add(c->findings, FINDING_WARNING, mend, "%s is not set: %s", column,
                     effect);
    }
}

static void check_address(struct check *c, const json_t *facts) {
    const char *base_url = fact_text(facts, "base_url");
    long long waiting = fact_number(facts, "scheduled") + fact_mails(facts, "queued");

    if (!*base_url) {
        check_unset(c, "base_url",
                    "update vouch.store set base_url = 'https://…/reviews' where "
                    "store_id = :store",
                    "links in mails need it", waiting);
    } else if (strncmp(base_url, "https://", 8) != 0 && !url_is_local(base_url)) {
        findings_add(c->findings, FINDING_WARNING,
                     "update vouch.store set base_url = 'https://…' where store_id = "
                     ":store",
                     "base_url %s is not https: links to forms travel in the clear",
                     base_url);
    } else {
        findings_add(c->findings, FINDING_OK, NULL, "base_url is %s", base_url);
    }
}

static void check_mail(struct check *c, const json_t *facts) {
    const char *smtp_url = fact_text(facts, "smtp_url");
    const char *mail_from = fact_text(facts, "mail_from");
    long long waiting = fact_number(facts, "scheduled") + fact_mails(facts, "queued");

    if (!*smtp_url) {
        check_unset(
            c, "smtp_url",
            "update vouch.store set smtp_url = 'smtps://relay:465' where store_id "
            "= :store",
            "no mail goes out", waiting);
    }
    if (!*mail_from) {
        check_unset(c, "mail_from",
                    "update vouch.store set mail_from = 'Shop <shop@…>' where store_id = "
                    ":store",
                    "no mail goes out", waiting);
    } else if (!sender_is_valid(mail_from)) {
        findings_add(
            c->findings, FINDING_PROBLEM,
            "update vouch.store set mail_from = 'Shop <shop@…>' where store_id = "
            ":store",
            "mail_from is no address and no Name <address>");
    } else if (*smtp_url) {
        findings_add(c->findings, FINDING_OK, NULL, "mail goes out through %s", smtp_url);
    }
    if (*fact_text(facts, "smtp_user") && !c->cli->options->smtp_password) {
        findings_add(c->findings, FINDING_WARNING,
                     "put secrets.smtp_password into the options of the worker",
                     "smtp_user is set and the options given here hold no password");
    }
}

static void check_delivery(struct check *c, const json_t *facts) {
    struct findings *f = c->findings;
    bool able = *fact_text(facts, "smtp_url") && *fact_text(facts, "mail_from");

    if (able && fact_number(facts, "mail_late_s") > CHECK_LATE_S) {
        findings_add(f, FINDING_PROBLEM, WORKER "; is the relay up?",
                     "mail that is due has waited for %lld minutes",
                     fact_number(facts, "mail_late_s") / 60);
    }
    if (fact_mails(facts, "failed") > 0 || fact_mails(facts, "ambiguous") > 0) {
        findings_add(f, FINDING_WARNING,
                     "select * from vouch.send_attempt where store_id = :store order by "
                     "started_at desc",
                     "%lld mails failed, of %lld it is not known whether they arrived",
                     fact_mails(facts, "failed"), fact_mails(facts, "ambiguous"));
    }
    findings_add(f, FINDING_OK, NULL,
                 "%lld mails sent within a day, %lld queued, %lld requests scheduled",
                 fact_mails(facts, "sent_last_day"), fact_mails(facts, "queued"),
                 fact_number(facts, "scheduled"));
    if (fact_number(facts, "outbox_s") > CHECK_UNTAKEN_S) {
        findings_add(f, FINDING_WARNING, "call vouch_take and vouch_ack in the store",
                     "%lld events for the store wait, the oldest for %lld hours",
                     fact_number(facts, "outbox"), fact_number(facts, "outbox_s") / 3600);
    }
}

static void check_queue(struct check *c, const json_t *facts) {
    struct findings *f = c->findings;

    if (fact_number(facts, "overdue_holds") > 0) {
        findings_add(
            f,
            fact_number(facts, "overdue_s") > CHECK_LATE_S ? FINDING_PROBLEM
                                                           : FINDING_WARNING,
            WORKER, "%lld held reviews are past their deadline, for %lld minutes at most",
            fact_number(facts, "overdue_holds"), fact_number(facts, "overdue_s") / 60);
    } else {
        findings_add(f, FINDING_OK, NULL, "%lld reviews are held, none past its deadline",
                     fact_number(facts, "held"));
    }
    if (fact_number(facts, "deciders") == 0) {
        findings_add(f, FINDING_WARNING,
                     "insert into vouch.operator values (:store, 'olga', 'moderator')",
                     "nobody in table operator may decide about reviews");
    } else {
        findings_add(f, FINDING_OK, NULL, "%lld people may decide about reviews",
                     fact_number(facts, "deciders"));
    }
}

/* What waits for people: escalated holds, objections, reports; and whether low stars fare
 * worse than high ones. */
static void check_fairness(struct check *c, const json_t *facts) {
    static const struct {
        const char *count, *age, *view, *what;
    } waiting[] = {{"appeals", "appeal_s", "open_appeal", "objections"},
                   {"reports", "report_s", "open_report", "reports"}};
    const json_t *of = json_object_get(facts, "waiting");
    struct findings *f = c->findings;
    char mend[80];

    if (fact_number(of, "escalated") > 0) {
        findings_add(f, FINDING_WARNING, "vouchctl queue --store :store",
                     "%lld held reviews passed their deadline and wait for a decision",
                     fact_number(of, "escalated"));
    }
    for (size_t i = 0; i < sizeof waiting / sizeof *waiting; i++) {
        if (fact_number(of, waiting[i].age) > CHECK_EXAMINED_S) {
            (void)snprintf(mend, sizeof mend,
                           "select * from vouch.%s where store_id = :store",
                           waiting[i].view);
            findings_add(f, FINDING_WARNING, mend,
                         "%lld %s wait for an answer, the oldest for %lld days",
                         fact_number(of, waiting[i].count), waiting[i].what,
                         fact_number(of, waiting[i].age) / 86400);
        }
    }
    if (json_is_true(json_object_get(of, "parity_alarm"))) {
        findings_add(f, FINDING_WARNING,
                     "select * from vouch.publication_parity where store_id = :store",
                     "reviews with few stars are published less often than others: look "
                     "at what was refused");
    } else {
        findings_add(f, FINDING_OK, NULL,
                     "few stars are published as often as many; %lld objections and %lld "
                     "reports are open",
                     fact_number(of, "appeals"), fact_number(of, "reports"));
    }
}

void check_store(struct check *c, const char *store) {
    struct db_result *r = NULL;
    struct db_params params;
    struct error error = {0};
    json_t *facts = NULL;

    db_params_open(&params);
    db_add_text(&params, store);
    if (session_call(c->session, "SELECT vouch.check_store($1)", &params, &r, &error)) {
        findings_add(c->findings, FINDING_PROBLEM, "vouchctl migrate",
                     "it could not be looked at: %s", error.detail);
        goto out;
    }
    facts = db_json(r, 0, 0);
    if (!json_is_object(json_object_get(facts, "store"))) {
        findings_add(c->findings, FINDING_PROBLEM, "vouchctl migrate --store :store",
                     "there is no such store in this database");
        goto out;
    }
    check_address(c, facts);
    check_mail(c, facts);
    check_delivery(c, facts);
    check_sending(c, store, facts);
    check_queue(c, facts);
    check_fairness(c, facts);
    check_models(c, store);
    check_record(c, store, facts);
out:
    json_decref(facts);
    db_result_free(r);
    db_params_free(&params);
}
