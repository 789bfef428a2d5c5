/* SPDX-License-Identifier: MIT */
/* Every address of the shop. */
#include "mount.h"
#include "page.h"

const struct route route_table[] = {
    {"GET", "/", page_home, false},
    {"GET", "/products/*", page_product, false},
    {"POST", "/products/*", page_review, false},
    {"GET", "/checkout", page_checkout, false},
    {"POST", "/checkout", page_buy, false},
    {"GET", "/orders/*", page_order, false},
    {"GET", "/login", page_login, false},
    {"POST", "/login", page_log_in, false},
    {"POST", "/logout", page_log_out, false},
    {"GET", "/admin", page_admin, true},
    {"POST", "/admin/orders/*/*", page_mark, true},
    {"GET", "/outbox", page_outbox, false},
    {"GET", "/mails", page_mails, false},
    {"GET", "/mails/*", page_mail, false},
    {"GET", "/mails/*/html", page_mail_html, false},
    {"GET", "/mails/*/raw", page_mail_raw, false},
    {NULL, "/reviews", mount_page, false},
    {NULL, "/reviews/**", mount_page, false},
    {"GET", "/style.css", page_asset, false},
    {"GET", "/live.js", page_asset, false},
    {"GET", "/favicon.ico", page_asset, false},
    {"GET", "/picture/*", page_asset, false},
    {NULL, NULL, NULL, false},
};
