#include "migrations.h"

/* The indexes, each for one reader: (pos) replay and the promise that no position comes twice; (source, n) stored answers;
 * (key, pos) one story. */
static const char journal_sql[] =
    "CREATE TABLE head ("
    " one boolean PRIMARY KEY DEFAULT true CHECK (one),"
    " epoch bigint NOT NULL,"
    " pos bigint NOT NULL,"
    " link bytea NOT NULL,"
    " rec timestamptz NOT NULL,"
    " own_n bigint NOT NULL," /* last number of intake's own events */
    " holder text NOT NULL,"
    " lease_until timestamptz NOT NULL"
    ") WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);"
    "CREATE TABLE source ("
    " id bigint PRIMARY KEY,"
    " name text COLLATE \"C\" NOT NULL UNIQUE,"
    " incarnation bytea,"
    " frozen boolean NOT NULL DEFAULT false,"
    " last bigint NOT NULL DEFAULT 0,"
    " upto bigint NOT NULL DEFAULT 0"
    ") WITH (fillfactor = 50);"
    "CREATE TABLE journal ("
    " pos bigint NOT NULL,"
    " source bigint NOT NULL,"
    " n bigint NOT NULL,"
    " type text COLLATE \"C\" NOT NULL,"
    " key text COLLATE \"C\" NOT NULL,"
    " rec timestamptz NOT NULL,"
    " body bytea NOT NULL,"
    " priv bytea,"
    " link bytea NOT NULL,"
    " digest bytea,"
    " result bytea,"
    " PRIMARY KEY (pos)"
    ") PARTITION BY RANGE (pos);"
    "CREATE INDEX journal_source ON journal (source, n);"
    "CREATE INDEX journal_key ON journal (key, pos);"
    /* Answers that are no rows of the journal: refusals, and (code repeat) idempotency keys seen before. */
    "CREATE TABLE refused ("
    " source bigint NOT NULL,"
    " n bigint NOT NULL,"
    " rec timestamptz NOT NULL,"
    " digest bytea NOT NULL,"
    " code text NOT NULL,"
    " field text NOT NULL,"
    " args text NOT NULL,"
    " pos bigint NOT NULL,"
    " result bytea,"
    " event bytea,"
    " PRIMARY KEY (source, n)"
    ");";

static const char refused_sql[] =
    "ALTER TABLE refused ADD corrected bigint NOT NULL DEFAULT 0;" /* position of the event that says it rightly */
    "ALTER TABLE source ADD refused_day bigint NOT NULL DEFAULT 0, ADD refused_n bigint NOT NULL DEFAULT 0,"
    " ADD refused_bytes bigint NOT NULL DEFAULT 0, ADD unkept bigint NOT NULL DEFAULT 0;";

static const char seal_sql[] = "ALTER TABLE journal ADD seal bytea; ALTER TABLE head ADD seal bytea NOT NULL DEFAULT '';";

/* What was ordered by personal.erased and how far it has come; nothing of personal fields gets into PostgreSQL's own statistics. */
static const char erased_sql[] =
    "CREATE TABLE erased ("
    " pos bigint PRIMARY KEY," /* of the event that orders it */
    " customer text COLLATE \"C\" NOT NULL,"
    " events bigint NOT NULL DEFAULT 0,"
    " refusals bigint NOT NULL DEFAULT 0,"
    " tables text[] NOT NULL DEFAULT '{}'," /* to be written anew */
    " erased timestamptz,"
    " rewritten timestamptz"
    ");"
    "CREATE INDEX journal_erased ON journal (pos) WHERE type = 'personal.erased';"
    "ALTER TABLE journal ALTER priv SET STATISTICS 0; ALTER TABLE refused ALTER event SET STATISTICS 0, ALTER args SET STATISTICS 0;";

/* When a source with a suffix was first heard of, and its place among its principal's: these begin so many in so many days
 * (sources.h). Those from before do not count. */
static const char source_since_sql[] =
    "ALTER TABLE source ADD since timestamptz NOT NULL DEFAULT 'epoch', ADD nth bigint NOT NULL DEFAULT 0;"
    "ALTER TABLE source ALTER since SET DEFAULT now();"
    "CREATE INDEX source_nth ON source (split_part(name, '/', 1), nth) WHERE nth > 0;";

/* Bytes of files, beside the journal and the archive. Until they are whole they are each sender's own: what one puts wrongly spoils
 * nobody's. Parted by digest, so that an erasure writes a thirty-second of them anew. */
static const char file_sql[] =
    "CREATE TABLE file_bytes ("
    " sha256 bytea NOT NULL,"
    " owner text COLLATE \"C\" NOT NULL," /* principal that puts them */
    " upto bigint NOT NULL,"
    " whole boolean NOT NULL DEFAULT false,"
    " announce boolean NOT NULL DEFAULT false," /* file.stored is to be said of some ticket */
    " touched timestamptz NOT NULL DEFAULT now(),"
    " PRIMARY KEY (sha256, owner)"
    ") WITH (fillfactor = 50);"
    "CREATE UNIQUE INDEX file_bytes_whole ON file_bytes (sha256) WHERE whole;"
    "CREATE INDEX file_bytes_owner ON file_bytes (owner) WHERE NOT whole;"
    "CREATE INDEX file_bytes_announce ON file_bytes (sha256) WHERE announce;"
    "CREATE TABLE file_part ("
    " sha256 bytea NOT NULL,"
    " owner text COLLATE \"C\" NOT NULL,"
    " at bigint NOT NULL,"
    " data bytea NOT NULL,"
    " PRIMARY KEY (sha256, owner, at)"
    ") PARTITION BY HASH (sha256);"
    "ALTER TABLE file_part ALTER data SET STORAGE EXTERNAL, ALTER data SET STATISTICS 0;"
    "DO $$ BEGIN FOR i IN 0 .. 31 LOOP"
    " EXECUTE format('CREATE TABLE file_part_%s PARTITION OF file_part FOR VALUES WITH (MODULUS 32, REMAINDER %s)', i, i);"
    " EXECUTE format('ALTER TABLE file_part_%s ALTER data SET STORAGE EXTERNAL, ALTER data SET STATISTICS 0', i);"
    " END LOOP; END $$;";

/* Who is known to have a content is one thing, whose bytes of it are kept another. And what was taken of whom today. */
static const char file_has_sql[] =
    "ALTER TABLE file_bytes ADD keeps boolean NOT NULL DEFAULT false;" /* file_part has it, under this owner; whole: this owner has it */
    "UPDATE file_bytes SET keeps = true WHERE whole;"
    "DROP INDEX file_bytes_whole;"
    "CREATE UNIQUE INDEX file_bytes_keeps ON file_bytes (sha256) WHERE keeps;"
    "CREATE TABLE file_day (owner text COLLATE \"C\" PRIMARY KEY, day date NOT NULL, bytes bigint NOT NULL) WITH (fillfactor = 50);";

const struct pg_migration intake_migrations[] = {
    {1, journal_sql},
    {2, refused_sql},
    {3, seal_sql},
    {4, erased_sql},
    {5, source_since_sql},
    {6, file_sql},
    {7, file_has_sql},
};
const size_t intake_migrations_n = sizeof(intake_migrations) / sizeof(intake_migrations[0]);
