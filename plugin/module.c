/* SPDX-License-Identifier: MIT */
/* Opening, finding again, getting ready, closing. The register of open instances is one of
 * the process's few globals; in a forked child its entries are not ours and stay unused. */
#include "module.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/memory.h"
#include "review/submission.h"
#include "settings.h"
#include "worker.h"

static pthread_mutex_t register_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t register_once = PTHREAD_ONCE_INIT;
static struct vouch *register_first;
static int register_fault;

/* A child forked while another thread held the lock must still be able to open. */
static void register_forked(void) {
    pthread_mutex_init(&register_lock, NULL);
}

static void register_start(void) {
    json_start();
    register_fault = crypto_start() || pthread_atfork(NULL, NULL, register_forked);
}

int module_here(const struct vouch *module, struct error *error) {
    if (!module) {
        return error_set(error, ERROR_MISUSE, "", "the handle is NULL");
    }
    if (module->pid != getpid()) {
        return error_set(error, ERROR_FORKED, "",
                         "this instance was opened in another process: open again here");
    }
    return 0;
}

static int shop_open(struct vouch *module, const char *name, struct shop **shop,
                     struct error *error) {
    struct shop *made = memory_zero(1, sizeof *made);
    int code = made ? 0 : error_set(error, ERROR_FAILED, "", "no memory for a store");

    if (!code) {
        made->store.name = memory_copy(name);
        made->store.pool = module->pool;
        made->store.log = module->log;
        made->store.keys = module->keys;
        made->store.smtp_password = module->options->smtp_password;
        made->store.tokens = module->options->tokens;
        made->store.https = &module->options->https;
        code = made->store.name ? settings_open(&made->store.settings, error)
                                : error_set(error, ERROR_FAILED, "", "no memory");
    }
    if (!code) {
        code = intake_open(&made->store, &made->intake, error);
    }
    *shop = made;
    return code;
}

static void shop_close(struct shop *shop) {
    if (shop) {
        intake_close(shop->intake);
        settings_close(shop->store.settings);
        memory_free((char *)(uintptr_t)shop->store.name);
        memory_free(shop);
    }
}

/* The list of pointers may move, the shops do not. */
static int shop_append(struct vouch *module, const char *name, struct error *error) {
    struct shop *shop = NULL;
    struct shop **grown;
    int code = shop_open(module, name, &shop, error);

    if (!code) {
        grown = memory_grow(module->shops, (module->shop_count + 1) * sizeof *grown);
        code = grown ? 0 : error_set(error, ERROR_FAILED, "", "no memory for a store");
    }
    if (code) {
        shop_close(shop);
        return code;
    }
    module->shops = grown;
    module->shops[module->shop_count++] = shop;
    return 0;
}

static struct shop *shop_find(const struct vouch *module, const char *name) {
    for (size_t i = 0; i < module->shop_count; i++) {
        if (!name || strcmp(module->shops[i]->store.name, name) == 0) {
            return module->shops[i];
        }
    }
    return NULL;
}

int module_shop_add(struct vouch *module, const char *name, struct error *error) {
    pthread_mutex_lock(&module->lock);
    int code = shop_find(module, name) ? 0 : shop_append(module, name, error);
    pthread_mutex_unlock(&module->lock);
    return code;
}

static bool module_all(const struct vouch *module) {
    return strcmp(module->options->stores[0], "*") == 0;
}

static void module_free(struct vouch *module) {
    worker_free_all(module);
    for (size_t i = 0; i < module->shop_count; i++) {
        shop_close(module->shops[i]);
    }
    memory_free(module->shops);
    spooler_close(module->spooler);
    spool_close(module->spool);
    db_pool_close(module->pool);
    keyring_close(module->carried);
    keyring_close(module->own);
    log_close(module->log);
    options_free(module->options);
    pthread_cond_destroy(&module->changed);
    pthread_mutex_destroy(&module->lock);
    memory_free(module);
}

static int module_condition(struct vouch *module) {
    pthread_condattr_t attributes;
    int code = pthread_condattr_init(&attributes);

    if (!code) {
        code = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        code = code ? code : pthread_cond_init(&module->changed, &attributes);
        pthread_condattr_destroy(&attributes);
    }
    return code ? code : pthread_mutex_init(&module->lock, NULL);
}

/* What is wrong with an option points to it. */
static int module_blame(int code, const struct error *why, const char *option,
                        struct error *error) {
    const char *pointer =
        why->pointer[0] || code != ERROR_INVALID ? why->pointer : option;

    return code ? error_set(error, code, pointer, "%s", why->detail) : 0;
}

/* What must be there before anything is asked of PostgreSQL. Takes options over. */
static int module_build(struct vouch *module, struct options *options,
                        struct error *error) {
    struct error why = {0};
    int code;

    module->options = options;
    module->pid = getpid();
    code =
        module_blame(log_open(options->log_level, options->log_file, &module->log, &why),
                     &why, "/log", error);
    if (!code) {
        code = module_blame(
            db_pool_open(options->database, MODULE_CONNECTIONS, &module->pool, &why),
            &why, "/database", error);
    }
    if (!code && options->spool) {
        code = module_blame(spool_open(options->spool, &module->spool, &why), &why,
                            "/spool", error);
    }
    if (!code && options->spool) {
        code = spooler_open(module->spool, &module->spooler, error);
    }
    if (!code && options->key) {
        code = module_blame(
            keyring_open(options->key, strlen(options->key), &module->own, &why), &why,
            "/secrets/key", error);
    }
    for (size_t i = 0; i < options->store_count && !code && !module_all(module); i++) {
        code = module_shop_add(module, options->stores[i], error);
    }
    return code;
}

/* Consumes options. Under the register's lock. */
static int module_make(struct options *options, const struct module_doors *doors,
                       struct vouch **module, struct error *error) {
    struct vouch *made = memory_zero(1, sizeof *made);
    int code;

    if (!made || module_condition(made)) {
        memory_free(made);
        options_free(options);
        return error_set(error, ERROR_FAILED, "", "no memory for the module");
    }
    made->doors = doors;
    code = module_build(made, options, error);
    if (code) {
        module_free(made);
        return code;
    }
    made->opened = 1;
    made->next = register_first;
    register_first = made;
    *module = made;
    return 0;
}

static struct vouch *register_find(const struct options *options) {
    struct vouch *found = register_first;

    while (found && (found->pid != getpid() ||
                     strcmp(found->options->identity, options->identity) != 0)) {
        found = found->next;
    }
    return found;
}

/* What the first review would otherwise wait for. */
static void module_warm(struct vouch *module, int64_t deadline_us) {
    struct shop *shop;

    for (size_t i = 0; i < MODULE_WARM && (shop = module_shop_at(module, i)); i++) {
        submission_warm(&shop->store, deadline_us, NULL);
    }
    memory_trim();
}

int module_open(const char *options, const struct module_doors *doors,
                struct vouch **module, struct error *error) {
    struct options *read = NULL;
    struct error why = {0};
    int code = 0;

    pthread_once(&register_once, register_start);
    if (register_fault) {
        return error_set(error, ERROR_FAILED, "", "no random numbers to be had");
    }
    code = options_read(options, &read, error);
    if (code) {
        return code;
    }
    pthread_mutex_lock(&register_lock);
    *module = register_find(read);
    bool fresh = !*module;
    if (*module) {
        (*module)->opened++;
        options_free(read);
    } else {
        code = module_make(read, doors, module, error);
    }
    pthread_mutex_unlock(&register_lock);
    if (code) {
        return code;
    }
    db_pool_resolve((*module)->pool, NULL);
    int64_t deadline = clock_now_us() + MODULE_OPEN_US;
    code = module_ready(*module, deadline, &why);
    if (code && code != ERROR_UNAVAILABLE) {
        module_close(*module, NULL);
        *module = NULL;
        return error_set(error, code, why.pointer, "%s", why.detail);
    }
    if (!code && fresh) {
        module_warm(*module, deadline);
    }
    return 0;
}

int module_close(struct vouch *module, struct error *error) {
    struct vouch **at = &register_first;
    bool last;

    pthread_mutex_lock(&register_lock);
    last = module->opened == 1;
    pthread_mutex_lock(&module->lock);
    bool running = module->crewed > 0;
    pthread_mutex_unlock(&module->lock);
    if (last && running) {
        pthread_mutex_unlock(&register_lock);
        return error_set(error, ERROR_MISUSE, "",
                         "threads are still running: call vouch_stop first");
    }
    module->opened--;
    while (*at && *at != module) {
        at = &(*at)->next;
    }
    if (last && *at) {
        *at = module->next;
    }
    pthread_mutex_unlock(&register_lock);
    if (last) {
        module_free(module);
    }
    return 0;
}

struct shop *module_shop_at(struct vouch *module, size_t i) {
    pthread_mutex_lock(&module->lock);
    struct shop *shop = i < module->shop_count ? module->shops[i] : NULL;
    pthread_mutex_unlock(&module->lock);
    return shop;
}

struct shop *module_shop(struct vouch *module, const char *name) {
    pthread_mutex_lock(&module->lock);
    struct shop *found = shop_find(module, name);
    pthread_mutex_unlock(&module->lock);
    return found;
}
