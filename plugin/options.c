/* SPDX-License-Identifier: MIT */
/* Reads and checks the options of vouch_open. */
#include "options.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/memory.h"

enum {
    OPTIONS_URL_MOST = 4096,
    OPTIONS_PATH_MOST = 4000,
    OPTIONS_NAME_MOST = 63,
    OPTIONS_SECRET_MOST = 4096
};

static int options_members(const json_t *object, const char *base,
                           const char *const known[], struct error *error) {
    const char *key;
    json_t *value;
    char pointer[160];

    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        size_t i = 0;
        while (known[i] && strcmp(known[i], key) != 0) {
            i++;
        }
        if (!known[i]) {
            json_point(pointer, base, key);
            return error_set(error, ERROR_INVALID, pointer, "unknown option %.60s", key);
        }
    }
    return 0;
}

static int options_keep(char **kept, const char *text, struct error *error) {
    if (!text) {
        return 0;
    }
    *kept = memory_copy(text);
    return *kept ? 0 : error_set(error, ERROR_FAILED, "", "no memory for the options");
}

static int options_text(const struct field *f, const char *name, size_t most,
                        char **kept) {
    const char *text = NULL;
    int code = json_take_string(f, name, most, &text);
    return code ? code : options_keep(kept, text, f->error);
}

static int options_add_store(struct options *o, const char *name, size_t at,
                             struct error *error) {
    size_t n = strlen(name);
    bool all = strcmp(name, "*") == 0;

    if (n == 0 || n > OPTIONS_NAME_MOST ||
        (!all && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.-") != n)) {
        return error_set(error, ERROR_INVALID, "/store",
                         "a store is named by 1 to 63 of a-z 0-9 _ . -");
    }
    for (size_t i = 0; i < at; i++) {
        if (all || strcmp(o->stores[i], "*") == 0 || strcmp(o->stores[i], name) == 0) {
            return error_set(error, ERROR_INVALID, "/store",
                             "a store is named once, and * stands alone");
        }
    }
    o->stores[at] = memory_copy(name);
    if (!o->stores[at]) {
        return error_set(error, ERROR_FAILED, "", "no memory for the options");
    }
    o->store_count = at + 1;
    return 0;
}

static int options_stores(struct options *o, const json_t *value, struct error *error) {
    size_t count = json_is_array(value) ? json_array_size(value) : 1;
    int code = 0;

    if (count == 0 || count > OPTIONS_STORES_MOST) {
        return error_set(error, ERROR_INVALID, "/store", "between 1 and %d stores",
                         OPTIONS_STORES_MOST);
    }
    o->stores = memory_zero(count, sizeof *o->stores);
    if (!o->stores) {
        return error_set(error, ERROR_FAILED, "", "no memory for the options");
    }
    for (size_t i = 0; i < count && !code; i++) {
        const json_t *one = json_is_array(value) ? json_array_get(value, i) : value;
        const char *name = value ? json_string_value(one) : "main";
        code = name ? options_add_store(o, name, i, error)
                    : error_set(error, ERROR_INVALID, "/store",
                                "store is a name or a list of names");
    }
    return code;
}

/* {"name": "secret", …}: kept as they are, their bytes zeroed at the end. */
static int options_tokens(struct options *o, const struct field *f) {
    const json_t *object = NULL;
    const char *name;
    json_t *value;
    int code = json_take_object(f, "tokens", &object);

    json_object_foreach((json_t *)(uintptr_t)object, name, value) {
        const char *text = json_string_value(value);
        if (!code &&
            (!text || strlen(text) > OPTIONS_SECRET_MOST || strpbrk(text, "\r\n"))) {
            code = error_set(f->error, ERROR_INVALID, "/secrets/tokens",
                             "each token is one line of text under its name");
        }
    }
    if (!code && object) {
        o->tokens = json_deep_copy(object);
        code = o->tokens ? 0 : error_set(f->error, ERROR_FAILED, "", "no memory");
    }
    return code;
}

static int options_allow(struct options *o, const json_t *list, struct error *error) {
    size_t count = json_array_size(list);

    o->https_allow = memory_zero(count + 1, sizeof *o->https_allow);
    if (!o->https_allow) {
        return error_set(error, ERROR_FAILED, "", "no memory for the options");
    }
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text || !https_guard_endpoint(text)) {
            return error_set(
                error, ERROR_INVALID, "/https/allow",
                "each is an address with its port: 10.0.0.7:8443, [fd00::7]:443");
        }
        o->https_allow[i] = memory_copy(text);
        if (!o->https_allow[i]) {
            return error_set(error, ERROR_FAILED, "", "no memory for the options");
        }
        o->https.allow_count = i + 1;
    }
    return 0;
}

static int options_https(struct options *o, const struct field *f) {
    static const char *const known[] = {"allow", "ca_file", NULL};
    const json_t *object = NULL, *list = NULL;
    int code = json_take_object(f, "https", &object);
    struct field inner = {object, "/https", f->error};

    if (!code) {
        code = options_members(object, "/https", known, f->error);
    }
    if (!code) {
        code = json_take_array(&inner, "allow", HTTPS_ALLOW_MOST, &list);
    }
    if (!code) {
        code = options_allow(o, list, f->error);
    }
    if (!code) {
        code = options_text(&inner, "ca_file", OPTIONS_PATH_MOST, &o->https_ca_file);
    }
    o->https.allow = o->https_allow;
    o->https.ca_file = o->https_ca_file;
    return code;
}

static int options_secrets(struct options *o, const struct field *f) {
    static const char *const known[] = {"key", "smtp_password", "tokens", NULL};
    const json_t *object = NULL;
    int code = json_take_object(f, "secrets", &object);
    struct field inner = {object, "/secrets", f->error};

    if (!code) {
        code = options_members(object, "/secrets", known, f->error);
    }
    if (!code) {
        code = options_text(&inner, "key", OPTIONS_SECRET_MOST, &o->key);
    }
    if (!code) {
        code =
            options_text(&inner, "smtp_password", OPTIONS_SECRET_MOST, &o->smtp_password);
    }
    if (!code) {
        code = options_tokens(o, &inner);
    }
    if (!code && o->key && strlen(o->key) < KEYRING_LEAST_BYTES) {
        code = error_set(f->error, ERROR_INVALID, "/secrets/key",
                         "the key has at least %d bytes", KEYRING_LEAST_BYTES);
    }
    return code;
}

static int options_log(struct options *o, const struct field *f) {
    static const char *const known[] = {"level", "file", NULL};
    const json_t *object = NULL;
    int code = json_take_object(f, "log", &object);
    struct field inner = {object, "/log", f->error};

    if (!code) {
        code = options_members(object, "/log", known, f->error);
    }
    if (!code) {
        code = options_text(&inner, "level", 16, &o->log_level);
    }
    if (!code) {
        code = options_text(&inner, "file", OPTIONS_PATH_MOST, &o->log_file);
    }
    return code;
}

static int options_fill(struct options *o, const json_t *root, struct error *error) {
    static const char *const known[] = {"database", "store", "spool", "emit_deadline_ms",
                                        "secrets",  "log",   "https", NULL};
    struct field f = {root, "", error};
    int64_t deadline = 0;
    bool has = false;
    int code = options_members(root, "", known, error);

    if (!code) {
        code = options_text(&f, "database", OPTIONS_URL_MOST, &o->database);
    }
    if (!code) {
        code = options_stores(o, json_object_get(root, "store"), error);
    }
    if (!code) {
        code = options_text(&f, "spool", OPTIONS_PATH_MOST, &o->spool);
    }
    if (!code) {
        code = json_take_integer(&f, "emit_deadline_ms", 1, OPTIONS_EMIT_DEADLINE_MOST_MS,
                                 &has, &deadline);
    }
    if (!code) {
        o->emit_deadline_ms = has ? (int)deadline : OPTIONS_EMIT_DEADLINE_MS;
        code = options_secrets(o, &f);
    }
    if (!code) {
        code = options_https(o, &f);
    }
    return code ? code : options_log(o, &f);
}

/* Members that are missing, from the environment; they are part of the identity then.
 * alone: there are no options. */
static int options_environment(json_t *root, bool alone, struct error *error) {
    static const struct {
        const char *member, *variable;
    } known[] = {{"database", "VOUCH_DATABASE_URL"}, {"store", "VOUCH_STORE"}};

    for (size_t i = 0; i < (alone ? 2 : 1); i++) {
        const json_t *given = json_object_get(root, known[i].member);
        const char *value = getenv(known[i].variable);
        if ((!given || json_is_null(given)) && value && *value &&
            json_object_set_new(root, known[i].member, json_string(value))) {
            return error_set(error, ERROR_INVALID, "", "%s is not UTF-8",
                             known[i].variable);
        }
    }
    return 0;
}

static void options_wipe_text(const json_t *text) {
    char *bytes = (char *)(uintptr_t)json_string_value(text);

    if (bytes) {
        crypto_zero(bytes, json_string_length(text));
    }
}

static void options_wipe_tokens(json_t *tokens) {
    const char *name;
    json_t *value;

    json_object_foreach(tokens, name, value) {
        options_wipe_text(value);
    }
}

/* The secrets that were read into JSON go with it. */
static void options_wipe(json_t *root) {
    const json_t *secrets = json_object_get(root, "secrets");

    options_wipe_text(json_object_get(root, "database"));
    options_wipe_text(json_object_get(secrets, "key"));
    options_wipe_text(json_object_get(secrets, "smtp_password"));
    options_wipe_tokens(json_object_get(secrets, "tokens"));
    json_decref(root);
}

int options_read(const char *text, struct options **options, struct error *error) {
    struct options *o = memory_zero(1, sizeof *o);
    json_t *root = NULL;
    int code = ERROR_FAILED;

    *options = NULL;
    if (!o) {
        error_set(error, code, "", "no memory for the options");
        goto out;
    }
    root = text ? json_read(text, strlen(text), error) : json_object();
    if (!root) {
        code = text ? ERROR_INVALID : ERROR_FAILED;
        goto out;
    }
    if (!json_is_object(root)) {
        code = error_set(error, ERROR_INVALID, "", "the options are a JSON object");
        goto out;
    }
    code = options_environment(root, !text, error);
    if (!code) {
        code = options_fill(o, root, error);
    }
    if (!code) {
        o->identity = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
        code = o->identity ? 0 : error_set(error, ERROR_FAILED, "", "no memory");
    }
    if (!code) {
        *options = o;
        o = NULL;
    }
out:
    options_free(o);
    options_wipe(root);
    return code;
}

static void options_forget(char *text) {
    if (text) {
        crypto_zero(text, strlen(text));
        memory_free(text);
    }
}

void options_free(struct options *options) {
    if (!options) {
        return;
    }
    for (size_t i = 0; options->stores && i < options->store_count; i++) {
        memory_free(options->stores[i]);
    }
    memory_free(options->stores);
    options_forget(options->database);
    memory_free(options->spool);
    options_forget(options->key);
    options_forget(options->smtp_password);
    options_wipe_tokens(options->tokens);
    json_decref(options->tokens);
    for (size_t i = 0; i < options->https.allow_count; i++) {
        memory_free((char *)(uintptr_t)options->https_allow[i]);
    }
    memory_free(options->https_allow);
    memory_free(options->https_ca_file);
    memory_free(options->log_level);
    memory_free(options->log_file);
    options_forget(options->identity);
    memory_free(options);
}
