/* SPDX-License-Identifier: MIT */
/* Vouch for stores: the one public header of vouch.so, and its manual.
 *
 * Vouch hears a store's order and review events, asks each buyer for a review after
 * delivery, ties every review to a delivered order line in PostgreSQL, and holds what is
 * unverified or abusive for an operator. A store backend loads vouch.so and calls the
 * functions below; whatever language it is written in, it declares just these. Everything
 * that crosses is an int, a length, UTF-8 text or the opaque handle: no structs, no
 * callbacks. The module never calls the host.
 *
 * LIFECYCLE
 *
 *     dlopen("vouch.so")            no thread, no descriptor, no system call of its own
 *          |
 *     vouch_abi() == VOUCH_ABI      refuse to go on when it differs
 *          |
 *          |   . . . . . . . . . .  fork here as you like: nothing is open yet
 *          v
 *     vouch_open(options)           one instance per process and options; PostgreSQL may
 *          |                        be down; still no thread and no mail
 *          |
 *          +---- background work, exactly one of the three ----------------------+
 *          |   a  vouch_start(n)        n threads of this process                |
 *          |   b  vouch_step(budget)    called again and again on your own clock |
 *          |   c  neither               `vouchctl run` works in another process  |
 *          |      (a request server whose processes come and go, as PHP-FPM: c)  |
 *          v                                                                     |
 *     vouch_emit   --- events in --->  +-------+  --- mails, webhooks --->       |
 *     vouch_serve  --- requests ---->  | Vouch |                                 |
 *     vouch_take   <-- events out ---  +-------+  <==> PostgreSQL, local spool   |
 *     vouch_ack    --- handled ----->                                            |
 *     vouch_describe <- health ------                                            |
 *          |                                                                     |
 *     vouch_stop(deadline)          begin nothing new, await what is in flight <-+
 *          |                        (after a and b; not needed after c)
 *     vouch_close                   the handle is gone
 *          |
 *     dlclose                       unmaps nothing: the library stays, and a new dlopen
 *                                   with vouch_open of the same options works again
 *
 * OWNERSHIP. What you pass is borrowed until the call returns; nothing of it is kept.
 * Every reply is yours and goes back through vouch_free, from any thread. Each `char **`
 * is set by every call, to text or to NULL; test for NULL before you read it. A reply you
 * do not want is a NULL `char **`, except in vouch_take and vouch_serve.
 *
 * THREADS. Every function may be called from any thread at any time, also on one handle
 * at once. Exceptions are said below: vouch_close must be the last call on its handle.
 * Own threads come from vouch_start only, with all signals blocked. A frame of the module
 * stays below 16 KiB of stack.
 *
 * FORK. A handle belongs to the process that opened it. In a forked child every call on
 * it answers VOUCH_FORKED and touches nothing inherited; open again there. The parent's
 * handle goes on working. vouch_abi, vouch_free and vouch_open work in every process.
 *
 * DEADLINES. Every call is bounded, also with a frozen database or network. Where nothing
 * else is said it is over within 5 seconds. SMTP and webhooks are only ever waited for in
 * vouch_step, within its budget, and in own threads.
 *
 * THE PROCESS IS YOURS. The module never exits, aborts, prints, installs signal handlers,
 * or changes locale, environment, working directory or umask. errno means nothing here.
 *
 * Node:   koffi.load(path, { deep: true }), or libcurl and libpq bind to Node's OpenSSL;
 *         emit with `.async` (4 run at a time, 256 throw) and Buffer.byteLength(json);
 *         take with wait_ms 0 on a timer, or in a worker_thread of its own.
 * PHP:    needs ffi.enable=true; FFI::isNull($r) before FFI::string($r): NULL crashes it;
 *         in FPM open at the first request of a worker, never in preload (the master is
 *         root and forks later); start no threads there, run `vouchctl run`.
 * Python: give every function argtypes, handles and replies as c_void_p: undeclared they
 *         are cut to an int, and c_char_p loses the pointer to free; events are bytes.
 *         CDLL releases the GIL during a call: a thread of its own may wait in take.
 */
#ifndef VOUCH_H
#define VOUCH_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* Grows only when a caller would have to change. Compare it with vouch_abi() first. */
#define VOUCH_ABI 1

/* RETURN CODES. Zero and above: it worked. Below: nothing of it happened, and the reply
 * is an RFC 9457 problem, {"type","title","detail","pointer"}, `pointer` naming the field
 * to blame (RFC 6901, "" when none). Within an ABI no other code is ever returned. */

/* Done and durable. */
#define VOUCH_OK 0

/* PostgreSQL is out of reach: durable in the local spool, applied later by itself. As
 * good as VOUCH_OK for the caller; only the reply knows less: nothing is decided yet. */
#define VOUCH_SPOOLED 1

/* Nothing to take now. */
#define VOUCH_EMPTY 2

/* Options, event, request or argument break a rule; the same again fails again. */
#define VOUCH_INVALID -1

/* Neither database nor spool, or the answer never came: repeat it later, as it is. The
 * key (source, id) of an event makes the repetition safe. */
#define VOUCH_UNAVAILABLE -2

/* Called at the wrong time: closing while threads run, starting twice, a NULL handle. */
#define VOUCH_MISUSE -3

/* Opened in another process: open again in this one. */
#define VOUCH_FORKED -4

/* A fault inside Vouch or out of memory; vouch_describe and the log say more. */
#define VOUCH_FAILED -5

/* One opened module. Never looked into, copied or freed by the host. */
typedef struct vouch vouch;

/* The ABI this library speaks. Needs nothing opened, works in every process. */
int vouch_abi(void);

/* Opens, or finds again, the instance for these options in this process.
 *
 * options: a JSON object, NUL-terminated, or NULL for the environment alone. Optional:
 *   "database"          "postgresql://…"; without it VOUCH_DATABASE_URL, then libpq's own
 *                       environment (PGHOST, PGSERVICE, …)
 *   "store"             "main", or a list of names: events must name one of them (the
 *                       first is the default), background work serves exactly these
 *   "spool"             path of the local spool, on a local disk, e.g.
 *                       "/var/lib/vouch/main.spool"; without it an outage is
 *                       VOUCH_UNAVAILABLE. Ours alone: the host never
 *                       opens it with a SQLite of its own
 *   "emit_deadline_ms"  500: vouch_emit answers within this, the spool's fsync included
 *   "secrets"           {"key","smtp_password","tokens"}: "key" makes the tokens in links; without
 *                       one a key is made and kept in the database. "smtp_password" may
 *                       stand here instead of in SQL. "tokens" are the secrets of other
 *                       services by the name under which SQL speaks of them
 *   "https"             {"allow","ca_file"}: requests to other services (the outside
 *                       classifier, webhooks) go to public addresses at ports 443 and 8443
 *                       only, and to those listed, e.g. ["10.0.0.7:9443"]; ca_file: the
 *                       certificates trusted instead of the system's
 *   "log"               {"level","file"}: level error, warning (default), info or debug;
 *                       file a path, "-" for stderr, without it no file. The last hundred
 *                       lines are in vouch_describe in any case. Addresses are masked
 * Everything else is configured in SQL and takes effect without a restart.
 *
 * module: the handle, NULL on failure. Equal options give the same handle; it goes away
 * with as many vouch_close as there were vouch_open. reply: NULL, or the problem.
 * Threads: any. Starts none. Fork: opens anew in a child.
 * Deadline: 5 s. Host names are resolved here; a database that is down is no failure.
 * Returns VOUCH_OK, VOUCH_INVALID (options; and where the database does answer: another
 * secrets.key than the stored one, a schema that does not fit), VOUCH_FAILED. */
int vouch_open(const char *options, vouch **module, char **reply);

/* Starts background work in this process: the spool is drained, requests are composed and
 * sent, webhooks delivered, deadlines kept.
 *
 * threads: 1 to 64. reply: NULL, or the problem.
 * Threads: any. Fork: start after the last fork; a child has no threads of its parent.
 * Deadline: does not wait for the work.
 * Returns VOUCH_OK, VOUCH_INVALID, VOUCH_MISUSE (already started), VOUCH_FORKED,
 * VOUCH_FAILED (no thread could be made; none is left over). */
int vouch_start(vouch *module, int threads, char **reply);

/* Does due work in the calling thread and returns at the budget at the latest, with mail
 * dialogues possibly still open; they go on at the next step.
 *
 * budget_ms: 1 to 60000. reply: {"done":3,"in_flight":1,"next_ms":250}: units of work
 * done, dialogues still open, and when it is worth calling again. Before you exit, call
 * vouch_stop.
 * Threads: any, also several at once (64) and beside vouch_start: work is claimed by one.
 * Nothing is done while vouch_stop waits.
 * Deadline: budget_ms; what PostgreSQL or a name server does not answer is given up at
 * most 5 s later.
 * Returns VOUCH_OK, VOUCH_INVALID, VOUCH_UNAVAILABLE, VOUCH_FORKED, VOUCH_FAILED. */
int vouch_step(vouch *module, int budget_ms, char **reply);

/* Begins nothing new and waits for what is in flight; joins the threads of vouch_start.
 * Nothing to stop is VOUCH_OK. Afterwards vouch_start and vouch_step work again.
 *
 * deadline_ms: 0 and more. reply: {"in_flight":0}, or the problem.
 * Threads: any but the module's own. Deadline: deadline_ms; past it VOUCH_MISUSE, nothing
 * is freed, and the call may be repeated.
 * Returns VOUCH_OK, VOUCH_INVALID, VOUCH_MISUSE, VOUCH_FORKED, VOUCH_FAILED. */
int vouch_stop(vouch *module, int deadline_ms, char **reply);

/* Hands in what happened: one event, or a JSON array of events applied together.
 *
 * An event is CloudEvents 1.0 in structured JSON, at most 1 MiB (an array 10000 events
 * and 16 MiB); hooks/schema/ has a JSON Schema for each type and the table of limits.
 *   {"specversion":"1.0","id":"e-1","source":"/shop","type":"order.placed",
 *    "time":"2026-11-01T10:00:00Z","store":"main","data":{…}}
 * (source, id) is the key: a repetition returns the first reply and changes nothing,
 * whatever its data. So derive the id from the fact ("delivered:FULFILLMENT"), never from
 * chance. `store` may be missing. Late, repeated and out-of-order events all end in the
 * same tables. Times are RFC 3339 with an offset, money is a decimal string ("19.90"),
 * ids are strings.
 *
 *   type                   data ("?" optional, more in the schemas)
 *   order.placed           order {id, placed_at, customer {email},
 *                                 items [{id, product_id}]}
 *   order.paid             order {id, at, items?}
 *   order.shipped          order {id, at, items?}
 *   order.delivered        order {id, delivered_at, items?}        no items: all of them
 *   order.cancelled        order {id, at, items?}
 *   order.refunded         order {id, at, items?, amount?}        in part: a label only
 *   review.submitted       review {id, product_id, rating, author, title?, body?,
 *                                  locale?, order_id?, client_address?}
 *   review.edited          review {id | review_id, rating?, title?, body?}
 *   review.withdrawn       review {id | review_id}
 *   review.reported        review {id | review_id},
 *                          report {explanation, url, name, email, good_faith, category?}
 *   customer.updated       customer {id | email, name?, locale?, marketing_consent?}
 *   customer.unsubscribed  customer {id | email}
 *   customer.erased        customer {id | email}
 *   product.updated        product {id, name?, url?, image_url?, gtin?, brand?, groups?}
 *   discount.redeemed      discount {code, order_id}
 *   mail.bounced           mail {recipient, status?, message_id?, dsn?}
 *   mail.complained        mail {recipient, status?, message_id?, dsn?}
 *   mail.received          mail {recipient, sender, text, message_id?, in_reply_to?,
 *                          references?, auto_submitted?}; the reply says whether it was
 *                          taken: {"mail":{"accepted":true,"case_id":7}}
 * author.customer_id states that the store authenticated this person; an address without
 * it verifies nothing until its owner confirms by a mailed link. Any other type is
 * accepted, kept and marked ignored.
 *
 * event: `length` bytes; a NUL behind them is not needed. reply: for one event an object,
 * for an array {"results":[…]}, one object per event in order. Members worth knowing:
 *   review.submitted   {"review":{"review_id":42,"state":"published","verified":true,
 *                       "reasons":[]}}, or state "held" with its reasons
 *   discount.redeemed  {"discount":{"code":"…","accepted":true}}, or false with "reason":
 *                       already_redeemed, expired, unknown, …
 * One invalid event refuses its whole array; the pointer leads to it: "/3/data".
 * Threads: any; callers at the same time share one commit.
 * Deadline: emit_deadline_ms.
 * Returns VOUCH_OK, VOUCH_SPOOLED, VOUCH_INVALID, VOUCH_UNAVAILABLE (no spool; or
 * discount.redeemed, which is never spooled: ask again with the same id), VOUCH_FORKED,
 * VOUCH_FAILED. */
int vouch_emit(vouch *module, const char *event, size_t length, char **reply);

/* Gives the next event for the store, a CloudEvents object as above, and leaves it with
 * the caller for 30 seconds: not acknowledged by then, it is given again, to any process.
 *
 *   request.sent       a buyer was asked: request, order
 *   discount.issued    a code the store must honour: code, kind, value, currency,
 *                      minimum_spend, order_id, expires_at; used up by discount.redeemed
 *   review.published, review.held, review.rejected, review.withdrawn     the review
 *   rating.changed     a product's count, average and histogram
 *   case.opened, case.overdue, case.closed     an unhappy customer's case
 * The store handles an event it has seen before (same id) as done.
 *
 * wait_ms: 0 to 60000; 0 only looks. event: the event with VOUCH_OK, NULL with
 * VOUCH_EMPTY, a problem below zero; required.
 * Threads: any, several may wait; vouch_stop wakes them.
 * Deadline: wait_ms and at most 5 s more.
 * Returns VOUCH_OK, VOUCH_EMPTY, VOUCH_INVALID, VOUCH_UNAVAILABLE, VOUCH_FORKED,
 * VOUCH_FAILED. */
int vouch_take(vouch *module, int wait_ms, char **event);

/* Says that a taken event is handled; it never comes again.
 *
 * event_id: its `id`, NUL-terminated. reply: NULL, or the problem. What is acknowledged
 * already, or is not there any more, is VOUCH_OK.
 * Threads: any, also another one, or another process, than took it.
 * Returns VOUCH_OK, VOUCH_INVALID (no id of ours), VOUCH_UNAVAILABLE, VOUCH_FORKED,
 * VOUCH_FAILED. */
int vouch_ack(vouch *module, const char *event_id, char **reply);

/* Answers one HTTP request for a page, for JSON or for the console. The host listens,
 * ends TLS, logs people in, strips the mount (store.base_url) from the target, and writes
 * status, headers and body of the response back as they are.
 *
 * request: `length` bytes of JSON
 *   {"method":"GET","target":"/products/kettle/reviews?limit=20",
 *    "headers":{"accept":"application/json","cookie":"…"},
 *    "body":"", "client_address":"192.0.2.1",
 *    "operator":{"name":"olga","role":"moderator"}}
 *   method and target are required. Header names in any case. operator only from the
 *   host's own login, never copied from a header, null or missing for everybody else;
 *   roles viewer, moderator, manager, mediator, producer.
 * response: {"status":200,"headers":{"content-type":"application/json",…},"body":"…"};
 *   "next":"/target" where there is more: ask for it, append its body. Required.
 * Public: /r/{token} /a/{token} /u/{token} /products/{id}/reviews
 *   /products/{id}/rating.jsonld /reviews/{id} /reviews/{id}/report /transparency
 *   /feeds/product-ratings.xml. Operators: /console/… Machines: POST /events, /healthz,
 *   /metrics.
 * Threads: any.
 * Returns VOUCH_OK whatever the status (404 and 403 included),
 * VOUCH_INVALID (not such a request), VOUCH_UNAVAILABLE, VOUCH_FORKED, VOUCH_FAILED. */
int vouch_serve(vouch *module, const char *request, size_t length, char **response);

/* Says what this is and how it fares: versions (library, ABI, schema, linked libraries),
 * limits, effective settings without secrets, health (database, spool, queues, threads)
 * and the last hundred log lines. For support, never for decisions: members are only
 * added.
 *
 * reply: a JSON object, also with the database down.
 * Threads: any.
 * Returns VOUCH_OK, VOUCH_FORKED, VOUCH_FAILED. */
int vouch_describe(vouch *module, char **reply);

/* Gives a handle back. The last one of an instance closes its connections and its spool;
 * what was accepted is durable already.
 *
 * Threads: the last call on this handle, with no other call on it still running.
 * Deadline: waits for nothing.
 * Returns VOUCH_OK, VOUCH_MISUSE (threads of vouch_start still run: vouch_stop first;
 * nothing was freed, the handle is still good), VOUCH_FORKED (nothing was touched, the
 * parent's handle lives on). */
int vouch_close(vouch *module);

/* Frees a reply, a response or a taken event. NULL is fine. Any thread, any process. */
void vouch_free(char *text);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
