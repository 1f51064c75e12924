#!/usr/bin/env bash
# The scripts of an operator: they parse, say what they are for, and refuse what they do not know. scripts_test.sh TREE
set -euo pipefail
cd "$1"
for script in deploy/quickstart deploy/install-deps tests/run tests/pg-cluster tests/unit/deploy/*.sh .ci/run; do
  [ ! -e "$script" ] || bash -n "$script"
done
deploy/quickstart --help | grep -q -- --requests || { echo "quickstart --help says nothing of --requests"; exit 1; }
code() { local code=0; "$@" >/dev/null 2>&1 || code=$?; echo $code; }
[ "$(code deploy/quickstart --no-such-option)" = 2 ] || { echo "an unknown option is not refused"; exit 1; }
[ "$(code deploy/quickstart --requests many)" = 2 ] || { echo "--requests many is not refused"; exit 1; }
[ "$(code deploy/quickstart --data)" != 0 ] || { echo "--data without a folder is not refused"; exit 1; }
[ "$(code deploy/install-deps no-such-list)" = 1 ] || { echo "an unknown list is not refused"; exit 1; }
# One package a line, none twice, none in two lists.
twice=$(sed -e 's/#.*//' -e '/^[[:space:]]*$/d' deploy/packages-* | sort | uniq -d)
[ -z "$twice" ] || { echo "in two lists: $twice"; exit 1; }
echo "all parse"
