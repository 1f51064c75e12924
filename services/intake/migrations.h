/* The schema of the journal: numbered, applied once each, never changed afterwards. The archive's tables are made from their records. */
#ifndef AFTERCARE_INTAKE_MIGRATIONS_H
#define AFTERCARE_INTAKE_MIGRATIONS_H

#include "pg/pg.h"

extern const struct pg_migration intake_migrations[];
extern const size_t intake_migrations_n;

#endif
