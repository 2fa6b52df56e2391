#!/bin/bash
# Takes away what deploy/deploy.sh has made: the stacks, all files of the bucket in all versions,
# the keyspace with all readings, images, service-specific credentials and their parameters.
#
#   deploy/cleanup.sh [OPTION...]
#
#   --name NAME      what was deployed (default: meterline)
#   --region REGION  default: that of your AWS profile
#   --keep-data      keep bucket and keyspace, in the stack NAME; deploy.sh builds on them again
#   --yes            do not ask
set -euo pipefail
cd "$(dirname "$0")/.."
export program=cleanup
# shellcheck source=deploy/common.sh
. deploy/common.sh

name=meterline
region=
account=
keep_data=no
asking=yes
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

parse_options() {
  while [ $# -gt 0 ]; do
    case "$1" in
      --help)
        show_help
        exit 0
        ;;
      --keep-data) keep_data=yes ;;
      --yes) asking=no ;;
      --name | --region)
        [ $# -ge 2 ] || refuse "$1: want a value"
        if [ "$1" = --name ]; then name=$2; else region=$2; fi
        shift
        ;;
      *) refuse "there is no option $1" ;;
    esac
    shift
  done
  check_name
}

show_plan() {
  echo "account $account, region $region"
  if [ $keep_data = yes ]; then
    echo "  stack $name: all but bucket and keyspace is deleted, dead letters included"
  else
    echo "  stack $name: deleted, with EVERY FILE of the bucket and EVERY READING of the keyspace"
  fi
  echo "  stacks $name-ecs, $name-ecr, $name-credentials, as far as they are there: deleted, with" \
    "images, credentials, and the parameters /$name/keyspaces/*"
}

ask() {
  local answer
  if [ $asking = no ]; then return; fi
  read -r -p "Type the name, $name, to go on: " answer || true
  [ "$answer" = "$name" ] || fail "nothing was done"
}

# Page by page, as many as one call deletes.
empty_bucket() {
  local bucket=$1
  while true; do
    aws --region "$region" --output json s3api list-object-versions --bucket "$bucket" \
      --max-items 1000 --query \
      '{Objects: [Versions, DeleteMarkers][].{Key: Key, VersionId: VersionId}}' \
      >"$work/versions.json"
    grep -q '"Key"' "$work/versions.json" || break
    aws --region "$region" --output json s3api delete-objects --bucket "$bucket" \
      --delete "file://$work/versions.json" >"$work/deleted.json"
    if grep -q '"Errors"' "$work/deleted.json"; then
      fail "objects of $bucket cannot be deleted: $(head -c 1000 "$work/deleted.json")"
    fi
    say "emptying the bucket $bucket"
  done
}

bucket_of_stack() {
  aws_text cloudformation describe-stack-resources --stack-name "$name" --query \
    "StackResources[?ResourceType=='AWS::S3::Bucket' && ResourceStatus!='DELETE_COMPLETE']
    .PhysicalResourceId | [0]"
}

delete_main() {
  local bucket attempt
  stack_exists "$name" || return 0
  aws_text cloudformation update-termination-protection --stack-name "$name" \
    --no-enable-termination-protection >/dev/null 2>&1 || true
  # A file may come in between; then the bucket, and so the stack, is not deleted at once.
  for attempt in 1 2 3; do
    bucket=$(bucket_of_stack)
    if [ -n "$bucket" ] && [ "$bucket" != None ]; then empty_bucket "$bucket"; fi
    say "deleting the stack $name"
    if delete_stack "$name"; then return; fi
    say "attempt $attempt did not delete all of it"
  done
  fail "the stack $name could not be deleted"
}

keep_only_data() {
  local status
  status=$(stack_status "$name")
  case "$status" in
    NONE | REVIEW_IN_PROGRESS) return ;;
    ROLLBACK_* | CREATE_FAILED | DELETE_FAILED)
      fail "the stack $name is $status: there is no data to keep; run this without --keep-data"
      ;;
  esac
  say "reducing the stack $name to its data"
  aws --region "$region" cloudformation deploy --stack-name "$name" \
    --template-file deploy/aws/main.yaml --capabilities CAPABILITY_IAM \
    --no-fail-on-empty-changeset --tags "meterline=$name" \
    --parameter-overrides Running=no ServiceCredentials= CredentialsId= >&2 || {
    stack_failures "$name" >&2
    fail "the stack $name could not be reduced"
  }
}

# A repository is deleted only when it is empty.
delete_images() {
  local repository=$1 ids
  while true; do
    ids=$(aws --region "$region" --output json ecr list-images --repository-name "$repository" \
      --max-items 100 --query imageIds 2>"$work/error") || {
      grep -q RepositoryNotFound "$work/error" && return
      fail "$(<"$work/error")"
    }
    grep -q imageDigest <<<"$ids" || break
    say "deleting images of $repository"
    echo "$ids" >"$work/images.json"
    aws_text ecr batch-delete-image --repository-name "$repository" \
      --image-ids "file://$work/images.json" >/dev/null
  done
}

delete_if_there() {
  stack_exists "$1" || return 0
  say "deleting the stack $1"
  delete_stack "$1" || fail "the stack $1 could not be deleted"
}

parse_options "$@"
check_aws
find_region
check_login
show_plan
ask
for stack in "$name-ecs" "$name" "$name-ecr" "$name-credentials"; do
  await_stack "$stack" >/dev/null
done
delete_if_there "$name-ecs"
if [ $keep_data = yes ]; then keep_only_data; else delete_main; fi
delete_images "$name/processor"
delete_images "$name/api"
delete_if_there "$name-ecr"
remove_credentials
if [ $keep_data = yes ]; then
  say "done; bucket and keyspace stay in the stack $name, and cost what they hold"
else
  say "done; nothing of $name is left"
fi
