/* SPDX-License-Identifier: MIT */
/* /transparency: how reviews are checked, what is held and why, how many were received,
   published and refused, by stars and by ground, whether there is a reward, and the signed
   head of the record; from live configuration and data. A page, or with ?format=json or
   Accept: application/json the same as JSON, the members of vouch.transparency(). */
#ifndef WEB_TRANSPARENCY_H
#define WEB_TRANSPARENCY_H

struct exchange;

int transparency_serve(struct exchange *x);

#endif
