#!/usr/bin/env bash
# systemd finds nothing to say about the units as they are installed. units_test.sh BUILD
set -euo pipefail
build=$1
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
DESTDIR=$stage cmake --install "$build" --prefix /usr/local >"$stage/install.log" || { cat "$stage/install.log"; exit 1; }
units=$stage/etc/systemd/system
mkdir -p "$units" "$stage/usr/lib/systemd/system" "$stage/usr/lib/postgresql/15/bin" "$stage/bin"
# As deploy/systemd/README.md says.
cp "$stage"/usr/local/share/aftercare/systemd/*.service "$stage"/usr/local/share/aftercare/systemd/*.target "$units"
# What the machine itself has: its targets, PostgreSQL, kill.
ln -s usr/lib "$stage/lib"
cp -a /usr/lib/systemd/system/*.target "$stage/usr/lib/systemd/system"
cp "$(type -P true)" "$stage/usr/lib/postgresql/15/bin/postgres"
cp "$(type -P kill)" "$stage/bin/kill"
cd "$units"
said=$(systemd-analyze verify --root="$stage" -- *.target *.service 2>&1) || { echo "$said"; exit 1; }
[ -z "$said" ] || { echo "$said"; exit 1; }
# One unit a daemon, and each daemon that is built is installed.
for program in "$build"/bin/aftercare-*; do
  name=$(basename "$program")
  [ "$name" != aftercare-bench ] || continue # measures, is not installed
  [ -x "$stage/usr/local/bin/$name" ] || { echo "$name is not installed"; exit 1; }
  grep -q "^ExecStart=/usr/local/bin/$name " "$name.service" || { echo "$name.service does not start $name"; exit 1; }
done
for unit in *.service; do
  grep -qx 'WantedBy=aftercare.target' "$unit" && grep -qx 'Type=notify' "$unit" || { echo "$unit: not of the target, or not Type=notify"; exit 1; }
done
# What a rule or a reader of the book looks for is there too.
for file in policies/boston311.yaml networks/boston311.jsonl mappings/boston311.yaml requests/boston311-2011q3.csv.gz calendars README.md; do
  [ -e "$stage/usr/local/share/aftercare/$file" ] || { echo "share/aftercare/$file is not installed"; exit 1; }
done
echo "$(ls -- *.service | wc -l) units: nothing to say"
