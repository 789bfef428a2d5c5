/* SPDX-License-Identifier: MIT */
/* One request: https_host CA ALLOW URL DEADLINE_MS REPLY_MAX [BODY] prints "failure status retry
   length body". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "io/https.h"

int main(int count, char **words) {
    if (count < 6)
        return 2;
    const char *const allow[] = {words[2]}, *const headers[] = {
                                                "Content-Type: text/plain",
                                                "X-Vouch: yes"};
    struct https_policy policy = {allow, 1, words[1]};
    struct https_ask ask = {.policy = &policy,
                            .url = words[3],
                            .headers = headers,
                            .header_count = 2,
                            .reply_max = (size_t)strtoul(words[5], NULL, 10),
                            .body = count > 6 ? words[6] : NULL,
                            .body_length = count > 6 ? strlen(words[6]) : 0};
    struct https_call *call = NULL;
    struct error error = {0};
    int64_t begun = clock_now_us();
    if (https_post(&ask, begun + strtol(words[4], NULL, 10) * 1000, &call, &error)) {
        printf("invalid %s\n", error.detail);
        return 0;
    }
    const struct https_reply *r = https_reply(call);
    printf("%d %d %lld %zu %s\n%s\n%lld\n", (int)r->failure, r->status,
           (long long)r->retry_after_s, r->length, r->body, r->detail,
           (long long)(clock_now_us() - begun) / 1000);
    https_close(call);
    return 0;
}
