#!/usr/bin/env bash
# The image's second stage installs each library that the programs link. image_test.sh TREE BUILD
set -euo pipefail
recipe=$1/deploy/images/Dockerfile
libraries=$(readelf -d "$2"/bin/aftercare* | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p' | sort -u)
[ -n "$libraries" ] || { echo "no programs in $2/bin"; exit 1; }
missing=
for library in $libraries; do
  case $library in
    libc.so.*|libm.so.*|libgcc_s.*|libasan.*|libubsan.*|ld-linux*) continue ;; # of Debian's smallest system, or of a test build
  esac
  package=$(dpkg-query -S "*/$library" | sed 's/:.*//' | sort -u | head -n 1)
  sed '1,/^FROM debian:bookworm-slim$/d' "$recipe" | grep -qw -- "$package" || missing="$missing $package ($library)"
done
[ -z "$missing" ] || { echo "not in the image:$missing"; exit 1; }
echo "$(wc -w <<<"$libraries") libraries: all in the image"
