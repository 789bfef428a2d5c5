/* SPDX-License-Identifier: MIT */
/* A mail from its parts: the checks, the order of the headers, the parts. */
#include "mail/mime.h"

#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/text.h"
#include "mail/mime_body.h"
#include "mail/mime_header.h"

enum { MIME_BOUNDARY_BYTES = 12, MIME_TOKEN_MAX = 200, MIME_LOCALE_MAX = 35 };

static int refuse(struct error *error, const char *pointer, const char *why) {
    return error_set(error, ERROR_INVALID, pointer, "%s %s", pointer + 1, why);
}

static int check_texts(const struct mime_mail *mail, struct error *error) {
    const struct {
        const char *pointer, *value;
    } values[] = {
        {"/from_name", mail->from_name}, {"/from_address", mail->from_address},
        {"/to_name", mail->to_name},     {"/to_address", mail->to_address},
        {"/reply_to", mail->reply_to},   {"/subject", mail->subject},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (values[i].value && !mime_header_valid(values[i].value))
            return refuse(error, values[i].pointer,
                          "is not one line of UTF-8 without control characters");
    return ERROR_NONE;
}

static int check_addresses(const struct mime_mail *mail, struct error *error) {
    const struct {
        const char *pointer, *value;
        bool needed;
    } addresses[] = {
        {"/from_address", mail->from_address, true},
        {"/to_address", mail->to_address, true},
        {"/reply_to", mail->reply_to, false},
    };
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        const char *value = addresses[i].value;
        if (!value && !addresses[i].needed)
            continue;
        if (!value || !address_valid(value, strlen(value)))
            return refuse(error, addresses[i].pointer, "is not a mail address");
    }
    return ERROR_NONE;
}

/* Printable ASCII without spaces or angle brackets, between 1 and most octets. */
static bool is_token(const char *s, size_t most) {
    size_t n = strlen(s);
    for (size_t i = 0; i < n; i++)
        if (s[i] <= ' ' || s[i] >= 0x7f || s[i] == '<' || s[i] == '>')
            return false;
    return n >= 1 && n <= most;
}

static bool is_locale(const char *s) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789-";
    size_t n = strlen(s);
    return n >= 2 && n <= MIME_LOCALE_MAX && strspn(s, allowed) == n;
}

static bool is_url(const char *s) {
    bool web = strncmp(s, "https://", 8) == 0 || strncmp(s, "http://", 7) == 0;
    return web && is_token(s, MIME_URL_MAX) && !strchr(s, ',');
}

static int check_tokens(const struct mime_mail *mail, struct error *error) {
    const struct {
        const char *pointer, *value;
    } tokens[] = {
        {"/message_id", mail->message_id},
        {"/list_id", mail->list_id},
        {"/auto_submitted", mail->auto_submitted},
        {"/feedback_id", mail->feedback_id},
    };
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++)
        if (tokens[i].value && !is_token(tokens[i].value, MIME_TOKEN_MAX))
            return refuse(error, tokens[i].pointer,
                          "may hold printable ASCII without spaces and <> only");
    if (!mail->message_id || !strchr(mail->message_id, '@'))
        return refuse(error, "/message_id", "is needed and has an @");
    if (mail->unsubscribe_url && !is_url(mail->unsubscribe_url))
        return refuse(error, "/unsubscribe_url", "is not a web address");
    if (mail->locale && !is_locale(mail->locale))
        return refuse(error, "/locale", "is not a language tag");
    if (mail->date_us < 0 || mail->date_us > CLOCK_MOST_US)
        return refuse(error, "/date_us", "is not a time between 1970 and 9999");
    return ERROR_NONE;
}

static int check_body(const char *text, const char *pointer, struct error *error) {
    size_t n = strlen(text);
    if (n > MIME_BODY_MAX)
        return refuse(error, pointer, "is too long");
    return text_valid(text, n) ? ERROR_NONE : refuse(error, pointer, "is not UTF-8");
}

static int check(const struct mime_mail *mail, struct error *error) {
    int rc = check_texts(mail, error);
    if (rc == ERROR_NONE)
        rc = check_addresses(mail, error);
    if (rc == ERROR_NONE)
        rc = check_tokens(mail, error);
    if (rc == ERROR_NONE && !mail->subject)
        rc = refuse(error, "/subject", "is needed");
    if (rc == ERROR_NONE && !mail->text)
        rc = refuse(error, "/text", "is needed");
    if (rc == ERROR_NONE)
        rc = check_body(mail->text, "/text", error);
    if (rc == ERROR_NONE && mail->html)
        rc = check_body(mail->html, "/html", error);
    return rc;
}

static void put_optional(struct buffer *out, const char *name, const char *value,
                         bool brackets) {
    if (value)
        mime_header_token(out, name, value, brackets, false);
}

static void put_headers(const struct mime_mail *mail, struct buffer *out) {
    mime_header_date(out, mail->date_us);
    mime_header_address(out, "From", mail->from_name, mail->from_address);
    mime_header_address(out, "To", mail->to_name, mail->to_address);
    if (mail->reply_to)
        mime_header_address(out, "Reply-To", NULL, mail->reply_to);
    mime_header_text(out, "Subject", mail->subject);
    put_optional(out, "Message-ID", mail->message_id, true);
    put_optional(out, "List-Id", mail->list_id, true);
    if (mail->unsubscribe_url) {
        mime_header_token(out, "List-Unsubscribe", mail->unsubscribe_url, true, true);
        put_optional(out, "List-Unsubscribe-Post", "List-Unsubscribe=One-Click", false);
    }
    put_optional(out, "Auto-Submitted", mail->auto_submitted, false);
    put_optional(out, "Feedback-ID", mail->feedback_id, false);
    put_optional(out, "Content-Language", mail->locale, false);
    buffer_text(out, "MIME-Version: 1.0\r\n");
}

/* "=_" stands in no quoted-printable text and "_" in no base64: no body can hold it. */
static void make_boundary(const char *message_id,
                          char out[2 + 2 * MIME_BOUNDARY_BYTES + 1]) {
    uint8_t hash[32];
    crypto_sha256(message_id, strlen(message_id), hash);
    out[0] = '=';
    out[1] = '_';
    crypto_hex(hash, MIME_BOUNDARY_BYTES, out + 2);
}

static void put_alternatives(const struct mime_mail *mail, struct buffer *out) {
    char boundary[2 + 2 * MIME_BOUNDARY_BYTES + 1];
    make_boundary(mail->message_id, boundary);
    buffer_format(out, "Content-Type: multipart/alternative;\r\n boundary=\"%s\"\r\n\r\n",
                  boundary);
    buffer_format(out, "--%s\r\n", boundary);
    mime_body_part(out, "plain", mail->text, strlen(mail->text));
    buffer_format(out, "\r\n--%s\r\n", boundary);
    mime_body_part(out, "html", mail->html, strlen(mail->html));
    buffer_format(out, "\r\n--%s--\r\n", boundary);
}

int mime_compose(const struct mime_mail *mail, struct buffer *out, struct error *error) {
    int rc = check(mail, error);
    if (rc != ERROR_NONE)
        return rc;
    put_headers(mail, out);
    if (mail->html) {
        put_alternatives(mail, out);
    } else {
        mime_body_part(out, "plain", mail->text, strlen(mail->text));
        if (buffer_ok(out) && out->data[out->length - 1] != '\n')
            buffer_text(out, "\r\n");
    }
    if (!buffer_ok(out))
        return error_set(error, ERROR_FAILED, "",
                         "the mail is too large, or there is no memory");
    return ERROR_NONE;
}

static bool has_eight_bit(const char *s) {
    for (; s && *s; s++)
        if ((unsigned char)*s >= 0x80)
            return true;
    return false;
}

bool mime_needs_utf8(const struct mime_mail *mail) {
    return has_eight_bit(mail->from_address) || has_eight_bit(mail->to_address) ||
           has_eight_bit(mail->reply_to);
}
