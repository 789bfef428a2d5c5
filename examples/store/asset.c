/* SPDX-License-Identifier: MIT */
/* See asset.h. The Makefile makes each .inc of a file: the same text as a C string. */
#include "asset.h"
#include "page.h"

#include <string.h>

const char asset_shop_sql[] =
#include "shop.sql.inc"
    ;
const char asset_event_sql[] =
#include "event.sql.inc"
    ;
static const char style_css[] =
#include "assets/style.css.inc"
    ;
static const char live_js[] =
#include "assets/live.js.inc"
    ;
static const char kettle_svg[] =
#include "assets/kettle.svg.inc"
    ;
static const char cup_svg[] =
#include "assets/cup.svg.inc"
    ;
static const char board_svg[] =
#include "assets/board.svg.inc"
    ;
static const char apron_svg[] =
#include "assets/apron.svg.inc"
    ;

static const struct {
    const char *target;
    const char *type;
    const char *data;
} assets[] = {
    {"/style.css", "text/css", style_css},
    {"/live.js", "text/javascript", live_js},
    {"/favicon.ico", "image/svg+xml", cup_svg},
    {"/picture/kettle.svg", "image/svg+xml", kettle_svg},
    {"/picture/cup.svg", "image/svg+xml", cup_svg},
    {"/picture/board.svg", "image/svg+xml", board_svg},
    {"/picture/apron.svg", "image/svg+xml", apron_svg},
};

void page_asset(struct store *store, struct request *request, struct response *response) {
    (void)store;
    for (size_t i = 0; i < sizeof assets / sizeof assets[0]; i++) {
        if (strcmp(assets[i].target, request->target) != 0)
            continue;
        memcpy(response->type, assets[i].type, strlen(assets[i].type) + 1);
        text_put(&response->body, assets[i].data);
        return;
    }
    page_problem(request, response, 404, "There is no such page.");
}
