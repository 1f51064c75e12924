#!/usr/bin/python3
"""Keeps a table of tickets in step with the stream, exactly once, in one's own PostgreSQL.
    table_in_step.py KEYFILE "dbname=mine" [--once]
The table's rows and the cursor (position, link) change in one transaction: whatever is killed, in whatever moment, the rows
are those of every event up to the cursor, each applied once. --once ends at the head; without it goes on for ever."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import aftercare  # noqa: E402
import psycopg2  # noqa: E402

SCHEMA = """
CREATE TABLE IF NOT EXISTS ticket (number text PRIMARY KEY, kind text NOT NULL, region text NOT NULL, state text NOT NULL,
                                   events bigint NOT NULL, pos bigint NOT NULL);
CREATE TABLE IF NOT EXISTS cursor (one boolean PRIMARY KEY DEFAULT true CHECK (one), pos bigint NOT NULL, link bytea);
INSERT INTO cursor (pos) VALUES (0) ON CONFLICT DO NOTHING"""
STATES = {"ticket.resolved": "resolved", "ticket.closed": "closed", "ticket.cancelled": "cancelled", "ticket.reopened": "open"}
NEEDS = {"ticket.registered": 1, **dict.fromkeys(STATES, 1)}  # a version beyond these has to stop us


def apply(sql, event):
    if event["type"] == "ticket.registered":
        sql.execute("INSERT INTO ticket VALUES (%s, %s, %s, 'open', 1, %s)",
                    (event["key"], event["data"]["kind"], event.get("region", ""), event["pos"]))
    else:  # events about other things, or about nothing, meet no row
        sql.execute("UPDATE ticket SET state = coalesce(%s, state), events = events + 1, pos = %s WHERE number = %s",
                    (STATES.get(event["type"]), event["pos"], event.get("key")))


def main():
    key, where, once = sys.argv[1], sys.argv[2], "--once" in sys.argv[3:]
    database = psycopg2.connect(where)
    with database, database.cursor() as sql:
        sql.execute(SCHEMA)
        sql.execute("SELECT pos, link FROM cursor")
        pos, link = sql.fetchone()
    client = aftercare.open(key, patience=60 if once else None)
    with client, client.read(pos, bytes(link) if link else None, follow=not once, needs=NEEDS, name="table") as reader:
        for batch in reader:
            with database, database.cursor() as sql:  # one transaction
                for event in batch.events:
                    apply(sql, event)
                sql.execute("UPDATE cursor SET pos = %s, link = %s WHERE pos = %s", (batch.upto, batch.link, batch.after))
                if sql.rowcount != 1:
                    raise SystemExit("another process keeps this table")
            reader.commit(batch)
    print(reader.have)


if __name__ == "__main__":
    try:
        main()
    except aftercare.Error as error:
        sys.exit(f"table_in_step: {error}")
