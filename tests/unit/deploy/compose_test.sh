#!/usr/bin/env bash
# The compose file is clean, and without a password it starts nothing. compose_test.sh TREE. 77: no docker-compose here.
set -euo pipefail
command -v docker-compose >/dev/null || { echo "docker-compose is not installed (deploy/packages-test)"; exit 77; }
cd "$1"
out=$(mktemp)
trap 'rm -f "$out"' EXIT
said=$(AFTERCARE_PASSWORD=secret docker-compose config 2>&1 >"$out") || { echo "$said"; exit 1; }
[ -z "$said" ] || { echo "$said"; exit 1; }
! env -u AFTERCARE_PASSWORD docker-compose config >/dev/null 2>&1 || { echo "starts without a password"; exit 1; }
services=$(AFTERCARE_PASSWORD=secret docker-compose config --services)
for name in postgresql intake dispatcher sla-watchdog follow-up reporting; do
  grep -qx "$name" <<<"$services" || { echo "no service $name"; exit 1; }
done
# PostgreSQL and each daemon say how they are.
[ "$(grep -c '    healthcheck:' "$out")" -eq 6 ] || { echo "not every daemon has a health check"; exit 1; }
echo clean
