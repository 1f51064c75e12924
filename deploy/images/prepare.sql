-- Roles and schemas on a PostgreSQL that is not aftercare's own. May be run again. :pass is every role's password.
SELECT format('CREATE ROLE %I LOGIN', r) FROM unnest(ARRAY['intake','dispatcher','sla-watchdog','follow-up','reporting']) r
 WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) \gexec
SELECT format('ALTER ROLE %I PASSWORD %L', r, :'pass') FROM unnest(ARRAY['intake','dispatcher','sla-watchdog','follow-up','reporting']) r \gexec
SELECT format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', r || s, r)
  FROM unnest(ARRAY['intake','dispatcher','sla-watchdog','follow-up','reporting']) r, unnest(ARRAY['','_new']) s \gexec
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON DATABASE aftercare FROM PUBLIC;
SELECT format('GRANT CONNECT ON DATABASE aftercare TO %I', r) FROM unnest(ARRAY['intake','dispatcher','sla-watchdog','follow-up','reporting']) r \gexec
