/* Lists of endpoints as settings have them: "tcp://a:7401, tcp://b:7401", with commas or blanks between. */
#ifndef AFTERCARE_BASE_ENDPOINTS_H
#define AFTERCARE_BASE_ENDPOINTS_H

#include <stddef.h>

#define ENDPOINT_CAP 160
#define ENDPOINTS_CAP 800 /* a list of them */
#define ENDPOINTS_MAX 8

#define ENDPOINTS_BETWEEN ", \t\n"

size_t endpoints_count(const char *list);
/* The i-th, from 0; "" where there are fewer, or it is too long to be one. */
void endpoints_at(const char *list, size_t i, char out[ENDPOINT_CAP]);

#endif
