#!/usr/bin/env bash
# The branch's package: what is in it, what it needs, and that it runs from where it was unpacked. package_test.sh BUILD
set -euo pipefail
build=$1
stage=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || true; rm -rf "$stage"' EXIT
die() { echo "$*"; exit 1; }
cpack -G DEB --config "$build/CPackConfig.cmake" -B "$stage/made" >"$stage/log" 2>&1 || { cat "$stage/log"; exit 1; }
debs=("$stage"/made/*.deb)
[ ${#debs[@]} -eq 1 ] || die "one package, not ${#debs[@]}"
deb=${debs[0]}
[[ $(basename "$deb") == aftercare-branch_*.deb ]] || die "its name is $(basename "$deb")"

files=$(dpkg-deb -c "$deb" | awk '$1 !~ /^d/ {print $6}' | sort | tr '\n' ' ')
want="./usr/bin/aftercare ./usr/bin/aftercare-branch ./usr/lib/systemd/system/aftercare-branch.service ./usr/share/doc/aftercare-branch/README.md ./usr/share/doc/aftercare-branch/aftercare.yaml "
[ "$files" = "$want" ] || die "in it: $files"
depends=$(dpkg-deb -f "$deb" Depends)
for package in libsqlite3-0 libzmq5 adduser tzdata; do
  [[ $depends == *"$package"* ]] || die "$package is not among: $depends"
done
for package in libpq libcurl libxlsxwriter postgresql gcc cmake; do
  [[ $depends != *"$package"* ]] || die "$package is among: $depends"
done

dpkg-deb -x "$deb" "$stage/root"
mkdir "$stage/control" && dpkg-deb -e "$deb" "$stage/control"
[ -x "$stage/control/postinst" ] && [ -x "$stage/control/prerm" ] || die "scripts are missing"
for script in postinst prerm; do sh -n "$stage/control/$script"; done
unit=$stage/root/usr/lib/systemd/system/aftercare-branch.service
grep -qx 'ExecStart=/usr/bin/aftercare-branch --config /etc/aftercare/aftercare.yaml' "$unit" || die "$(grep ExecStart "$unit")"
grep -qx 'WantedBy=multi-user.target' "$unit" || die "not of multi-user.target"

cat >"$stage/aftercare.yaml" <<END
data: $stage/data
sockets: $stage/s
branch: {source: branch-gz, prefix: GD01, metrics: "127.0.0.1:0"}
END
bin=$stage/root/usr/bin
"$bin/aftercare-branch" --config "$stage/aftercare.yaml" 2>"$stage/daemon" & pid=$!
for _ in $(seq 200); do
  "$bin/aftercare" --config "$stage/aftercare.yaml" status >/dev/null 2>&1 && break
  kill -0 "$pid" 2>/dev/null || { cat "$stage/daemon"; exit 1; }
  read -rt 0.05 <> <(:) || true
done
said=$("$bin/aftercare" --config "$stage/aftercare.yaml" say register - kind=repair region=GD01)
[[ $said == *"GD01-"*"-000001"* ]] || die "$said"
kill "$pid" && wait "$pid" || die "it does not stop"
pid=
echo "$(basename "$deb"): $depends"
