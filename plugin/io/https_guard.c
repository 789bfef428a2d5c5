/* SPDX-License-Identifier: MIT */
/* Public addresses by the registries of special ones (RFC 6890, IANA), and urls without tricks. */
#include "io/https_guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* IPv4 that no stranger's server has. */
static const struct {
    uint32_t network;
    unsigned bits;
} special4[] = {
    {0x00000000, 8},  /* this network */
    {0x0A000000, 8},  /* private */
    {0x64400000, 10}, /* carrier's NAT */
    {0x7F000000, 8},  /* loopback */
    {0xA9FE0000, 16}, /* link local, metadata of clouds */
    {0xAC100000, 12}, /* private */
    {0xC0000000, 24}, /* protocol assignments */
    {0xC0000200, 24}, /* documentation */
    {0xC0586300, 24}, /* 6to4 relays */
    {0xC0A80000, 16}, /* private */
    {0xC6120000, 15}, /* benchmarks */
    {0xC6336400, 24}, /* documentation */
    {0xCB007100, 24}, /* documentation */
    {0xE0000000, 4},  /* multicast */
    {0xF0000000, 4},  /* reserved, broadcast */
};

/* Of IPv6 only global unicast (2000::/3) is public, and not these of it. */
static const struct {
    uint8_t network[4];
    unsigned bits;
} special6[] = {
    {{0x20, 0x01, 0x00, 0x00}, 23}, /* protocol assignments, Teredo */
    {{0x20, 0x01, 0x0D, 0xB8}, 32}, /* documentation */
    {{0x20, 0x02, 0x00, 0x00}, 16}, /* 6to4: an IPv4 address in disguise */
    {{0x3F, 0xFF, 0x00, 0x00}, 20}, /* documentation */
};

static bool public4(uint32_t address) {
    for (size_t i = 0; i < sizeof special4 / sizeof *special4; i++) {
        if ((address ^ special4[i].network) >> (32 - special4[i].bits) == 0)
            return false;
    }
    return true;
}

static bool begins6(const uint8_t address[16], const uint8_t network[4], unsigned bits) {
    for (unsigned i = 0; i < bits; i++) {
        if ((address[i / 8] ^ network[i / 8]) >> (7 - i % 8) & 1)
            return false;
    }
    return true;
}

static bool public6(const uint8_t address[16]) {
    if (address[0] >> 5 != 1)
        return false;
    for (size_t i = 0; i < sizeof special6 / sizeof *special6; i++) {
        if (begins6(address, special6[i].network, special6[i].bits))
            return false;
    }
    return true;
}

static bool listed(const struct https_policy *policy, const char *endpoint) {
    for (size_t i = 0; policy && i < policy->allow_count; i++) {
        if (strcmp(policy->allow[i], endpoint) == 0)
            return true;
    }
    return false;
}

static bool port_usual(unsigned port) {
    return port == 443 || port == 8443;
}

bool https_guard_address(const struct https_policy *policy,
                         const struct sockaddr *address, size_t length) {
    char text[INET6_ADDRSTRLEN] = "", endpoint[INET6_ADDRSTRLEN + 16];
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    unsigned port = 0;
    bool public = false;

    if (address->sa_family == AF_INET && length >= sizeof four) {
        memcpy(&four, address, sizeof four);
        port = ntohs(four.sin_port);
        public = public4(ntohl(four.sin_addr.s_addr));
        (void)inet_ntop(AF_INET, &four.sin_addr, text, sizeof text);
        (void)snprintf(endpoint, sizeof endpoint, "%s:%u", text, port);
    } else if (address->sa_family == AF_INET6 && length >= sizeof six) {
        memcpy(&six, address, sizeof six);
        port = ntohs(six.sin6_port);
        public = public6(six.sin6_addr.s6_addr);
        (void)inet_ntop(AF_INET6, &six.sin6_addr, text, sizeof text);
        (void)snprintf(endpoint, sizeof endpoint, "[%s]:%u", text, port);
    } else {
        return false;
    }
    return (public && port_usual(port)) || listed(policy, endpoint);
}

/* [address]:port or address:port, taken apart. */
static bool endpoint_read(const char *text, char host[INET6_ADDRSTRLEN], unsigned *port) {
    const char *colon = strrchr(text, ':');
    size_t n = colon ? (size_t)(colon - text) : 0;
    bool six = n > 2 && text[0] == '[' && text[n - 1] == ']';
    char end = 0;

    if (n == 0 || n - (six ? 2 : 0) >= INET6_ADDRSTRLEN)
        return false;
    memcpy(host, text + six, n - (six ? 2 : 0));
    host[n - (six ? 2 : 0)] = '\0';
    *port = 0;
    for (const char *p = colon + 1; *p && *port <= 65535; p++) {
        end = *p;
        if (end < '0' || end > '9')
            return false;
        *port = *port * 10 + (unsigned)(end - '0');
    }
    return *port >= 1 && *port <= 65535;
}

bool https_guard_endpoint(const char *text) {
    char host[INET6_ADDRSTRLEN], again[INET6_ADDRSTRLEN];
    unsigned char bytes[16];
    unsigned port;
    int family = text[0] == '[' ? AF_INET6 : AF_INET;

    return endpoint_read(text, host, &port) && inet_pton(family, host, bytes) == 1 &&
           inet_ntop(family, bytes, again, sizeof again) && strcmp(host, again) == 0;
}

bool https_guard_port(const struct https_policy *policy, unsigned port) {
    char host[INET6_ADDRSTRLEN];
    unsigned other;

    for (size_t i = 0; policy && i < policy->allow_count; i++) {
        if (endpoint_read(policy->allow[i], host, &other) && other == port)
            return true;
    }
    return port_usual(port);
}

bool https_guard_host(const struct https_policy *policy, const char *host,
                      unsigned port) {
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6,
                               .sin6_port = htons((uint16_t)port)};
    char inner[HTTPS_HOST_MAX + 1];
    size_t n = strlen(host);

    if (host[0] == '[') {
        if (n < 3 || n > HTTPS_HOST_MAX)
            return false;
        memcpy(inner, host + 1, n - 2);
        inner[n - 2] = '\0';
        return inet_pton(AF_INET6, inner, &six.sin6_addr) == 1 &&
               https_guard_address(policy, (struct sockaddr *)&six, sizeof six);
    }
    if (inet_pton(AF_INET, host, &four.sin_addr) == 1)
        return https_guard_address(policy, (struct sockaddr *)&four, sizeof four);
    return strchr(host, '.') != NULL;
}

int https_guard_text(const char *url, const char *pointer, struct error *error) {
    size_t n = strlen(url), authority;

    if (n < 9 || n > HTTPS_URL_MAX || strncasecmp(url, "https://", 8) != 0)
        return error_set(error, ERROR_INVALID, pointer,
                         "an address begins with https:// and has at most %d bytes",
                         HTTPS_URL_MAX);
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)url[i] <= ' ' || (unsigned char)url[i] > '~' ||
            strchr("\\#\"<>^`{|}", url[i]))
            return error_set(error, ERROR_INVALID, pointer,
                             "byte %zu has no place in an address; write it %%-encoded",
                             i);
    }
    authority = strcspn(url + 8, "/?");
    if (authority == 0 || authority > HTTPS_HOST_MAX || memchr(url + 8, '@', authority) ||
        memchr(url + 8, '%', authority))
        return error_set(error, ERROR_INVALID, pointer,
                         "between https:// and the path stand a host and its port only");
    return 0;
}
