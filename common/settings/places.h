/* Where an instance lies on this machine. Not for use outside this folder. */
#ifndef AFTERCARE_SETTINGS_PLACES_H
#define AFTERCARE_SETTINGS_PLACES_H

#include "settings/settings.h"

#define SYSTEM_DATA "/var/lib/aftercare"
#define SYSTEM_SOCKETS "/run/aftercare"
#define SYSTEM_FILE "/etc/aftercare/aftercare.yaml"

/* --data, then AFTERCARE_DATA, then the place for who runs this. False: longer than fits. */
bool places_data(const char *data_dir, char *out, size_t cap);
/* Whether the data folder was named, by --data or AFTERCARE_DATA. */
bool places_given(const char *data_dir);
/* The folder of sockets that belongs to a data folder: two instances never share one. */
void places_sockets(const char *data, char *out, size_t cap);
/* The settings file that applies when none is named; false: there is none. */
bool places_file(const char *data_dir, const char *data, char *out, size_t cap);

#endif
