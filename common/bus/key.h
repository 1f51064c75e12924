/* CURVE keys, and the file that holds one: who a client is, whom it trusts and where it goes. The file is JSON, mode 0600, made by
 * `aftercare keys`; proto/README.md describes it for others. Secrets stand in these files and in memory, nowhere else. */
#ifndef AFTERCARE_BUS_KEY_H
#define AFTERCARE_BUS_KEY_H

#include "base/endpoints.h"
#include "record/record.h"

#define BUS_KEY_BYTES 32
#define BUS_KEY_TEXT 41 /* Z85 with its NUL */
#define BUS_ENDPOINTS_MAX 8

/* Where intake is, in the order to try: the next ones are for when the first does not answer. */
struct bus_endpoints {
    char cmd[BUS_ENDPOINTS_MAX][160], feed[BUS_ENDPOINTS_MAX][160], live[BUS_ENDPOINTS_MAX][160];
    uint32_t cmd_n, feed_n, live_n;
};
struct bus_key {
    char aftercare[8]; /* "key" */
    int64_t version;   /* 1 */
    char stream[64];   /* "": asked for */
    char principal[64];
    char kind[16];
    char public_key[BUS_KEY_TEXT], secret_key[BUS_KEY_TEXT];
    char server_key[BUS_KEY_TEXT]; /* the server's public key; "" in the server's own file */
    struct bus_endpoints endpoints;
};
extern const struct record bus_key_record;

/* Reads a key file. Refused (problem: code, path, why): unreadable, readable by others than its owner (but in the folder
 * CREDENTIALS_DIRECTORY names, which systemd guards), not of this form, keys that are no pair. */
bool bus_key_load(const char *path, struct bus_key *, struct problem *) MUST_CHECK;
/* Writes it whole or not at all, mode 0600. replace false: what is there stays, and it is an error ("exists"). */
bool bus_key_save(const char *path, const struct bus_key *, bool replace, struct problem *) MUST_CHECK;
/* A fresh pair; everything else is left as it is. */
void bus_key_make(struct bus_key *);
/* Some of its endpoints, as many as find room, as settings have them (base/endpoints.h). */
void bus_key_list(char (*endpoints)[160], uint32_t n, char out[ENDPOINTS_CAP]);
/* Overwrites the secret in memory. */
void bus_key_forget(struct bus_key *);
/* Z85 and bytes. False: not 40 characters of Z85. */
bool bus_key_parse(const char *text, uint8_t out[BUS_KEY_BYTES]);
void bus_key_print(const uint8_t key[BUS_KEY_BYTES], char out[BUS_KEY_TEXT]);

/* Who this process is: every later bus_connect to a tcp:// endpoint goes by CURVE with this key (copied). Without server_key or
 * secret_key, and NULL: without. Before threads begin, or from the one thread that connects. */
void bus_identify(const struct bus_key *);

#endif
