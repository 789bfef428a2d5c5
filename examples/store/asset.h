/* SPDX-License-Identifier: MIT */
/* The files that the Makefile lays into the program. */
#ifndef SHOP_ASSET_H
#define SHOP_ASSET_H

extern const char asset_shop_sql[];
extern const char asset_event_sql[];

#endif
