/* SPDX-License-Identifier: MIT */
/* vouch.so as a table of functions, found by name at run time: the shop is not linked
 * against Vouch, and starts (and says why) when the module is missing or does not fit. */
#ifndef SHOP_LOADER_H
#define SHOP_LOADER_H

#include <vouch.h>

struct loader {
    void *library;
    int (*abi)(void);
    int (*open)(const char *options, vouch **module, char **reply);
    int (*start)(vouch *module, int threads, char **reply);
    int (*stop)(vouch *module, int deadline_ms, char **reply);
    int (*emit)(vouch *module, const char *event, size_t length, char **reply);
    int (*take)(vouch *module, int wait_ms, char **event);
    int (*ack)(vouch *module, const char *event_id, char **reply);
    int (*serve)(vouch *module, const char *request, size_t length, char **response);
    int (*describe)(vouch *module, char **reply);
    int (*close)(vouch *module);
    void (*free)(char *text);
};

/* 0, or -1 with a sentence in `why`; then nothing stays loaded. */
int loader_open(const char *path, struct loader *loader, char *why, size_t why_size);
void loader_close(struct loader *loader);

#endif
