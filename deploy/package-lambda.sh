#!/bin/bash
# Packs the program as a zip for AWS Lambda's runtime provided.al2023, with its own libraries and
# loader, since Debian's are newer than those of that runtime.
#   deploy/package-lambda.sh [--output FILE] [BINARY]
# BINARY: build/release/meterline; FILE: build/lambda.zip. The handler is `processor` or `api`.
# The same program gives the same zip, to the byte.
set -euo pipefail
cd "$(dirname "$0")/.."

zip_bytes_max=$((50 * 1000 * 1000)) # Lambda takes no larger one by upload.

fail() {
  echo "package-lambda: $*" >&2
  exit 1
}

usage() {
  sed -n '2,6s/^# *//p' "$0"
}

# A script, since it chooses by handler and has to call the loader by a path that is known only
# when it runs; the runtime has a shell. It costs a millisecond of a cold start.
write_bootstrap() {
  cat >"$1" <<'BOOTSTRAP'
#!/bin/sh
case "$_HANDLER" in
  processor | api) ;;
  *)
    echo "bootstrap: want the handler \"processor\" or \"api\", got \"$_HANDLER\"" >&2
    exit 1
    ;;
esac
cd /tmp || exit 1
export TZDIR="$LAMBDA_TASK_ROOT/zoneinfo"
exec "$LAMBDA_TASK_ROOT/lib/loader" --library-path "$LAMBDA_TASK_ROOT/lib" \
  "$LAMBDA_TASK_ROOT/meterline" lambda "$_HANDLER"
BOOTSTRAP
  chmod 755 "$1"
}

# write_zip FOLDER FILE: sorted, all of one time.
write_zip() {
  python3 - "$1" "$2" <<'PYTHON'
import pathlib
import sys
import zipfile

folder = pathlib.Path(sys.argv[1])
with zipfile.ZipFile(sys.argv[2], "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), (1980, 1, 1, 0, 0, 0))
        entry.external_attr = 0o100755 << 16
        entry.create_system = 3  # Unix, so that the mode counts.
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, path.read_bytes())
PYTHON
}

binary=build/release/meterline
output=build/lambda.zip
while [ $# -gt 0 ]; do
  case "$1" in
    --output)
      [ $# -ge 2 ] || fail "--output: want a file"
      output=$2
      shift 2
      ;;
    --help)
      usage
      exit 0
      ;;
    -*)
      usage >&2
      exit 2
      ;;
    *)
      binary=$1
      shift
      ;;
  esac
done
command -v python3 >/dev/null || fail "python3 is missing; it writes the zip"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
deploy/collect-files.sh --flat "$binary" "$folder/zip"
write_bootstrap "$folder/zip/bootstrap"
mkdir -p "$(dirname "$output")"
write_zip "$folder/zip" "$folder/lambda.zip"
bytes=$(stat -c %s "$folder/lambda.zip")
[ "$bytes" -le "$zip_bytes_max" ] ||
  fail "the zip has $bytes bytes, and Lambda takes at most $zip_bytes_max"
mv "$folder/lambda.zip" "$output"
echo "$output: $bytes bytes"
