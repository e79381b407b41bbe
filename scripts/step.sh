#!/usr/bin/env bash
# Runs one function of the scripts beside this one: step.sh FUNCTION ARGUMENTS...
# A program of its own, because bash ignores `set -e` in whatever is called from a condition, subshells included; here the
# first command that fails ends the step.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"
# shellcheck source=scripts/packages.sh
. "$here/packages.sh"
# shellcheck source=scripts/models.sh
. "$here/models.sh"
# shellcheck source=scripts/test_parts.sh
. "$here/test_parts.sh"
"$@"
