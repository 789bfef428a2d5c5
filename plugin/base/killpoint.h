/* SPDX-License-Identifier: MIT */
/* Places where a test lets the process die as by kill -9: builds with -DVOUCH_KILLPOINTS
 * only. VOUCH_KILL=label:n in the environment ends it when label is passed the n-th time. */
#ifndef BASE_KILLPOINT_H
#define BASE_KILLPOINT_H

#ifdef VOUCH_KILLPOINTS
void killpoint_pass(const char *label);
#define KILLPOINT(label) killpoint_pass(label)
#else
#define KILLPOINT(label) ((void)0)
#endif

#endif
