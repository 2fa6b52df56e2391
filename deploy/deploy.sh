#!/bin/bash
# Deploys meterline on AWS: files put into a bucket are loaded into Amazon Keyspaces by a function,
# and a function URL answers. What is there already stays; run twice it changes nothing, and
# interrupted it can be run again. deploy/cleanup.sh takes it all away again.
#
#   deploy/deploy.sh [OPTION...]
#
#   --name NAME           of stacks, functions, queues, bucket (default: meterline)
#   --region REGION       default: that of your AWS profile
#   --dry-run             show what would be done, and do nothing
#
# Settings. Those not given stay as they are, or are at their defaults when all is new:
#   --keyspace NAME       default: --name, with _ for -
#   --store-url URL       use this store instead and make no keyspace (docs/operate/cassandra.md)
#   --delivery HOW        queue (default), direct, or worker: a queue that workers outside drain
#   --url-auth HOW        AWS_IAM (default), or NONE: everyone who knows the URL may ask
#   --uploads on|off      whether the function URL takes files, too (default: off)
#   --unit UNIT           of readings in files that name none, such as kWh (default: unknown)
#   --zone ZONE           time zone of days in files that name none, such as Europe/London or +10:00
#                         (default: unknown)
#   --feed FEED           layout of CSV files: a name of `meterline feed list`, auto, or none
#                         (default: none)
#   --alarm-topic ARN     a topic of SNS for alarms
#   --credentials HOW     sigv4 (default): no password anywhere; or service-specific: a user name
#                         and password in Systems Manager. Given again it rotates them
#   --parameter KEY=VALUE any other parameter of deploy/aws/main.yaml; may be repeated
#
# How it is built:
#   --prebuilt            take build/release/meterline instead of compiling in a container
#   --base-image NAME     slim Debian bookworm to compile in (default: debian:bookworm-slim)
#   --base-digest DIGEST  sha256:...; default: looked up
#   --tool TOOL           docker, podman or buildah; default: the first that works
#
# At the end, unless nothing was changed, a small file of a meter METERLINE-SMOKE-TEST is put into
# the bucket, its sum awaited, and the file removed. The reading stays in the store, on 1970-01-01.
#   --smoke, --no-smoke   do that anyway, or not at all
set -euo pipefail
cd "$(dirname "$0")/.."
export program=deploy
# shellcheck source=deploy/common.sh
. deploy/common.sh

name=meterline
region=
account=
keyspace=
url_auth=
uploads=
credentials=
tool=
files=build
base_image=debian:bookworm-slim
base_digest=
smoke=if-changed
dry_run=no
parameters=(Running=yes) # KEY=VALUE for deploy/aws/main.yaml
changed=no
old_credential=
work=$(mktemp -d)
login_host=

smoke_seconds_max=240
smoke_meter=METERLINE-SMOKE-TEST

clean_up() {
  if [ "$tool" = docker ] && [ -n "$login_host" ]; then
    docker logout "$login_host" >/dev/null || true
  fi
  rm -rf "$work"
}
trap clean_up EXIT

# one_of OPTION VALUE CHOICE...
one_of() {
  local option=$1 value=$2 choice
  shift 2
  for choice; do
    if [ "$choice" = "$value" ]; then return; fi
  done
  refuse "$option: want one of $*, got \"$value\""
}

# take OPTION VALUE: one that has a value.
take() {
  case "$1" in
    --name) name=$2 ;;
    --region) region=$2 ;;
    --keyspace)
      keyspace=$2
      parameters+=("KeyspaceName=$2")
      ;;
    --store-url) parameters+=("StoreUrl=$2") ;;
    --delivery)
      one_of "$1" "$2" queue direct worker
      parameters+=("Delivery=$2")
      ;;
    --url-auth)
      one_of "$1" "$2" AWS_IAM NONE
      url_auth=$2
      parameters+=("UrlAuth=$2")
      ;;
    --uploads)
      one_of "$1" "$2" on off
      uploads=$2
      parameters+=("Uploads=$2")
      ;;
    --unit) parameters+=("Unit=$2") ;;
    --zone) parameters+=("Zone=$2") ;;
    --feed) parameters+=("Feed=$2") ;;
    --alarm-topic) parameters+=("AlarmTopicArn=$2") ;;
    --credentials)
      one_of "$1" "$2" sigv4 service-specific
      credentials=$2
      ;;
    --parameter)
      # The AWS CLI would say nothing of one that does not exist.
      grep -q "^  ${2%%=*}:\$" <(sed -n '/^Parameters:/,/^Rules:/p' deploy/aws/main.yaml) ||
        refuse "$1: want KEY=VALUE of a parameter of deploy/aws/main.yaml, got \"$2\""
      case "$2" in KeyspaceName=*) keyspace=${2#*=} ;; esac
      parameters+=("$2")
      ;;
    --base-image) base_image=$2 ;;
    --base-digest) base_digest=$2 ;;
    --tool)
      one_of "$1" "$2" docker podman buildah
      tool=$2
      ;;
    *) refuse "there is no option $1" ;;
  esac
}

parse_options() {
  while [ $# -gt 0 ]; do
    case "$1" in
      --help)
        show_help
        exit 0
        ;;
      --dry-run) dry_run=yes ;;
      --prebuilt) files=prebuilt ;;
      --smoke) smoke=always ;;
      --no-smoke) smoke=never ;;
      *)
        [ $# -ge 2 ] || refuse "$1: there is no such option, or it wants a value"
        take "$1" "$2"
        shift
        ;;
    esac
    shift
  done
  check_name
  [ -z "$keyspace" ] || [[ $keyspace =~ ^[a-z][a-z0-9_]{0,47}$ ]] || refuse \
    "--keyspace: want 1 to 48 lower-case letters, digits and _, a letter first, got \"$keyspace\""
  [ -z "$base_digest" ] || [[ $base_digest =~ ^sha256:[0-9a-f]{64}$ ]] ||
    refuse "--base-digest: want sha256: and 64 digits, got \"$base_digest\""
  if [ "$url_auth" = NONE ] && [ "$uploads" = on ]; then
    refuse "--url-auth NONE with --uploads on would let anyone write into the store"
  fi
}

find_tool() {
  local candidate
  for candidate in ${tool:-docker podman buildah}; do
    if command -v "$candidate" >/dev/null && "$candidate" info >/dev/null 2>&1; then
      tool=$candidate
      return
    fi
  done
  fail "none of ${tool:-docker, podman, buildah} works here; install or start one"
}

check_prebuilt() {
  if [ $files = prebuilt ] && [ ! -x build/release/meterline ]; then
    fail "there is no build/release/meterline for --prebuilt; scripts/build.sh makes it"
  fi
}

# What the stack has now for a parameter, unless it is given.
setting() {
  local given
  for given in "${parameters[@]}"; do
    if [ "${given%%=*}" = "$1" ]; then
      echo "${given#*=}"
      return
    fi
  done
  stack_parameter "$name" "$1" 2>/dev/null || true
}

show_plan() {
  local status=$main_status binary="compiled in $base_image" given=${parameters[*]:1}
  [ $files = build ] || binary="build/release/meterline"
  cat <<PLAN
account $account, region $region
  stack $name-ecr: repositories $name/processor, $name/api
  images, by $tool: $binary; pushed if they are new
  stack $name ($status): keyspace, bucket $name-$account-$region, queues, functions
    $name-processor and $name-api, function URL, roles, logs, alarms, dashboard
  settings: ${given:-as they are, or defaults}
PLAN
  if [ "$credentials" = service-specific ]; then
    echo "  stack $name-credentials: a user; new service-specific credentials in" \
      "/$name/keyspaces/user and /password of Systems Manager, the old ones deleted"
  elif [ "$credentials" = sigv4 ]; then
    echo "  service-specific credentials, if any: deleted"
  fi
  if [ "$(setting UrlAuth)" = NONE ]; then
    echo "  WARNING: UrlAuth NONE lets everyone who knows the URL read every meter's consumption"
  fi
}

# Brings a stack into a state that can be deployed to; prints it.
settle_stack() {
  local status
  status=$(await_stack "$1") || exit 1
  case "$status" in
    ROLLBACK_COMPLETE | ROLLBACK_FAILED | CREATE_FAILED)
      say "the stack $1 was never completed ($status); it is deleted and made anew"
      delete_stack "$1" || fail "the stack $1 could not be deleted"
      status=NONE
      ;;
    UPDATE_ROLLBACK_FAILED)
      say "the stack $1 is taken back to where it was before the last update"
      aws_text cloudformation continue-update-rollback --stack-name "$1"
      status=$(await_stack "$1") || exit 1
      [ "$status" = UPDATE_ROLLBACK_COMPLETE ] || fail "the stack $1 is $status; look at it"
      ;;
    DELETE_FAILED) fail "the stack $1 was deleted in part; run deploy/cleanup.sh first" ;;
  esac
  echo "$status"
}

# deploy_stack STACK TEMPLATE KEY=VALUE...
deploy_stack() {
  local stack=$1 template=$2 output
  shift 2
  say "deploying the stack $stack"
  if ! output=$(aws --region "$region" cloudformation deploy --stack-name "$stack" \
    --template-file "$template" --capabilities CAPABILITY_IAM --no-fail-on-empty-changeset \
    --tags "meterline=$name" --parameter-overrides "$@" 2>&1); then
    say "$output"
    stack_failures "$stack" >&2 || true
    fail "the stack $stack could not be deployed; once that is put right, run this again"
  fi
  if [[ $output == *"No changes to deploy"* ]]; then
    say "the stack $stack is as it should be"
  else
    changed=yes
  fi
}

# Prints the digest of the base image, so that a build can be repeated.
pull_base() {
  local image=${base_image%@*} digest
  "$tool" pull -q "$image" >/dev/null || fail "$tool cannot pull $image"
  if [ "$tool" = buildah ]; then
    digest=$(buildah inspect --type image --format '{{.FromImageDigest}}' "$image")
  else
    digest=$("$tool" image inspect --format '{{index .RepoDigests 0}}' "$image")
  fi
  echo "${digest##*@}"
}

# Not every tool takes a digest beside a tag. A colon before a slash is that of a port.
untagged() {
  local last=${1##*/}
  echo "${1%"$last"}${last%%[:@]*}"
}

# build_image TARGET: as meterline/TARGET. What is equal comes out equal.
build_image() {
  local options=(-f deploy/Containerfile --target "$1" -t "meterline/$1" --build-arg "FILES=$files")
  if [ $files = build ]; then
    options+=(--build-arg "BASE_IMAGE=$(untagged "$base_image")"
      --build-arg "BASE_DIGEST=$base_digest")
  fi
  say "building the image $1"
  if [ "$tool" = docker ]; then
    # Lambda takes an image, no list of one with attestations beside it.
    DOCKER_BUILDKIT=1 BUILDX_NO_DEFAULT_ATTESTATIONS=1 docker build -q "${options[@]}" . >&2
  else
    "$tool" build -q --layers --format docker --timestamp 0 "${options[@]}" . >&2
  fi
}

build_images() {
  if [ $files = prebuilt ]; then
    deploy/collect-files.sh build/release/meterline build/image
  elif [ -z "$base_digest" ]; then
    base_digest=$(pull_base) || exit 1
    say "compiling in ${base_image%@*}@$base_digest"
  fi
  build_image processor
  build_image api
}

# What an image holds and does, without when and by whom it was built.
image_facts() {
  if [ "$tool" = buildah ]; then
    buildah inspect --type image --format '{{.OCIv1.Architecture}} {{.OCIv1.RootFS.DiffIDs}}
      {{.OCIv1.Config.Entrypoint}} {{.OCIv1.Config.Cmd}} {{.OCIv1.Config.Env}}
      {{.OCIv1.Config.User}} {{.OCIv1.Config.WorkingDir}}' "meterline/$1"
  else
    "$tool" image inspect --format '{{.Architecture}} {{.RootFS.Layers}}
      {{.Config.Entrypoint}} {{.Config.Cmd}} {{.Config.Env}}
      {{.Config.User}} {{.Config.WorkingDir}}' "meterline/$1"
  fi
}

# pushed_digest REPOSITORY TAG: empty if there is no such image.
pushed_digest() {
  local answer
  if answer=$(aws_text ecr describe-images --repository-name "${1#*/}" --image-ids "imageTag=$2" \
    --query 'imageDetails[0].imageDigest' 2>&1); then
    echo "$answer"
  elif [[ $answer != *ImageNotFound* ]]; then
    fail "$answer"
  fi
}

# Podman and buildah take the login from a file of this run; docker keeps it until the end.
log_in_to() {
  if [ "$login_host" = "$1" ]; then return; fi
  aws_text ecr get-login-password >"$work/password" || fail "ECR gives no login"
  login_host=$1
  if [ "$tool" = docker ]; then
    docker login --username AWS --password-stdin "$1" <"$work/password" >/dev/null
  else
    (umask 077 && printf '{"auths": {"%s": {"auth": "%s"}}}' "$1" \
      "$(printf 'AWS:%s' "$(<"$work/password")" | base64 | tr -d '\n')" >"$work/auth.json")
  fi
  rm "$work/password"
}

# push_image TARGET REPOSITORY: unless it is there; prints its name with its digest. The tag is the
# digest of what it holds, so an image that was built anew and is the same is not pushed again.
push_image() {
  local image=meterline/$1 repository=$2 tag digest
  tag=$(image_facts "$1" | openssl sha256 -r | cut -d ' ' -f 1)
  digest=$(pushed_digest "$repository" "$tag") || exit 1
  if [ -z "$digest" ]; then
    say "pushing the image $1"
    log_in_to "${repository%%/*}"
    if [ "$tool" = docker ]; then
      docker tag "$image" "$repository:$tag"
      docker push -q "$repository:$tag" >&2
    else
      "$tool" push -q --authfile "$work/auth.json" "$image" "docker://$repository:$tag" >&2
    fi
    digest=$(pushed_digest "$repository" "$tag") || exit 1
    [ -n "$digest" ] || fail "$repository:$tag was pushed, but the repository does not have it"
  fi
  echo "$repository@$digest"
}

push_images() {
  local image
  image=$(push_image processor "$(stack_output "$name-ecr" ProcessorRepository)") || exit 1
  parameters+=("ProcessorImage=$image")
  image=$(push_image api "$(stack_output "$name-ecr" ApiRepository)") || exit 1
  parameters+=("ApiImage=$image")
  case "$(image_facts processor)" in
    arm64*) parameters+=(Architecture=arm64) ;;
    *) parameters+=(Architecture=x86_64) ;;
  esac
}

# put_secret NAME VALUE: by a file, since others can see the arguments of programs.
put_secret() {
  local escaped=${2//\\/\\\\}
  (umask 077 && printf '{"Name": "%s", "Value": "%s", "Type": "SecureString", "Overwrite": true}' \
    "$1" "${escaped//\"/\\\"}" >"$work/secret.json")
  aws_text ssm put-parameter --cli-input-json "file://$work/secret.json" >/dev/null
  rm "$work/secret.json"
}

# New service-specific credentials beside those in use. A user can have two, so one that an
# interrupted run has left behind goes first.
make_credentials() {
  local user id service_user password
  deploy_stack "$name-credentials" deploy/aws/credentials.yaml "KeyspaceName=$keyspace"
  user=$(stack_output "$name-credentials" UserName)
  old_credential=$(stack_parameter "$name" CredentialsId 2>/dev/null || true)
  for id in $(credential_ids "$user"); do
    if [ "$id" != "$old_credential" ]; then
      say "deleting the credentials $id, which are not in use"
      delete_credential "$user" "$id"
    fi
  done
  say "making service-specific credentials for the user $user"
  read -r id service_user password < <(aws_text iam create-service-specific-credential \
    --user-name "$user" --service-name cassandra.amazonaws.com --query \
    'ServiceSpecificCredential.[ServiceSpecificCredentialId,ServiceUserName,ServicePassword]') ||
    fail "no credentials could be made; a user can have two, and $user may have both"
  put_secret "/$name/keyspaces/user" "$service_user"
  put_secret "/$name/keyspaces/password" "$password"
  parameters+=("ServiceCredentials=/$name/keyspaces" "CredentialsId=$id")
}

# Once the functions have the new ones.
retire_credentials() {
  local user id
  if [ "$credentials" = service-specific ]; then
    user=$(stack_output "$name-credentials" UserName)
    for id in $(credential_ids "$user"); do
      if [ "$id" = "$old_credential" ]; then
        say "deleting the credentials $id, which were replaced"
        delete_credential "$user" "$id"
      fi
    done
  elif [ "$credentials" = sigv4 ]; then
    remove_credentials
  fi
}

deploy_main() {
  deploy_stack "$name" deploy/aws/main.yaml "${parameters[@]}"
  if [ "$(stack_query "$name" EnableTerminationProtection)" != True ]; then
    aws_text cloudformation update-termination-protection --stack-name "$name" \
      --enable-termination-protection >/dev/null 2>&1 ||
      say "the stack $name could not be protected against deletion; only you know if it should be"
  fi
}

# ask_api QUERY: the answer of the function URL, or of whatever stands in its way.
ask_api() {
  local url
  url=$(stack_output "$name" FunctionUrl)
  if [ "$(stack_parameter "$name" UrlAuth)" = NONE ]; then
    curl -sS --max-time 35 "$url?$1" 2>&1 || true
  else
    ask_url "$url" "$1" "$work"
  fi
}

# Ends well once the API answers with the sum.
await_sum() {
  local query="date=01-01-1970&meterId=$smoke_meter" end=$((SECONDS + smoke_seconds_max)) answer=
  while [ $SECONDS -lt $end ]; do
    answer=$(ask_api "$query")
    if grep -q "\"sum\":$1[,}]" <<<"$answer"; then return; fi
    sleep 1
  done
  say "the last answer was: $answer"
  if [[ $answer == *Forbidden* || $answer == *AccessDenied* ]]; then
    say "the function URL does not take your login: that needs lambda:InvokeFunctionUrl and"
    say "lambda:InvokeFunction on the function $name-api, both of them"
  fi
  return 1
}

# Another sum each time, so that it is this file that answers.
smoke_test() {
  local bucket key version sum=$((RANDOM + 48)) hours zeros
  bucket=$(stack_output "$name" BucketName)
  key=meterline-smoke-test/$(date -u +%Y%m%dT%H%M%SZ)-$$.csv
  hours=$(seq -s, -f '%g:00' 0 23)
  zeros=$(printf ',0%.0s' {1..23})
  printf 'Meter,Date,%s\n%s,1970-01-01,%d%s\n' "$hours" $smoke_meter "$sum" "$zeros" \
    >"$work/smoke.csv"
  say "smoke test: s3://$bucket/$key"
  version=$(aws_text s3api put-object --bucket "$bucket" --key "$key" --body "$work/smoke.csv" \
    --query VersionId)
  if ! await_sum $sum; then
    say "after $smoke_seconds_max s the sum $sum was not there. Look at the logs:"
    say "  aws logs tail /aws/lambda/$name-processor; aws logs tail /aws/lambda/$name-api"
    fail "the smoke test failed; its file stays where it is"
  fi
  aws_text s3api delete-object --bucket "$bucket" --key "$key" --version-id "$version" >/dev/null
  say "smoke test: answered"
}

smoke_if_wanted() {
  if [ $smoke = never ]; then return; fi
  if [ "$(stack_parameter "$name" Delivery)" = worker ]; then
    say "no smoke test: the queue waits for workers (deploy/aws/ecs.yaml, deploy/kubernetes)"
  elif [ $smoke = if-changed ] && [ $changed = no ]; then
    say "nothing was changed, so there is no smoke test; --smoke does it anyway"
  else
    smoke_test
  fi
}

parse_options "$@"
check_aws
for needed in curl openssl; do
  command -v $needed >/dev/null || fail "$needed is missing"
done
find_region
find_tool
check_prebuilt
check_login
main_status=$(stack_status "$name")
show_plan
if [ $dry_run = yes ]; then exit 0; fi

ecr_status=$(settle_stack "$name-ecr")
main_status=$(settle_stack "$name")
say "stacks: $name-ecr $ecr_status, $name $main_status"
case "$main_status" in
  NONE | REVIEW_IN_PROGRESS)
    [ -n "$keyspace" ] || parameters+=("KeyspaceName=${name//-/_}")
    keyspace=${keyspace:-${name//-/_}}
    ;;
  *) keyspace=${keyspace:-$(stack_parameter "$name" KeyspaceName)} ;;
esac
deploy_stack "$name-ecr" deploy/aws/ecr.yaml "Name=$name"
build_images
push_images
if [ "$credentials" = service-specific ]; then
  make_credentials
elif [ "$credentials" = sigv4 ]; then
  parameters+=(ServiceCredentials= CredentialsId=)
fi
deploy_main
retire_credentials
smoke_if_wanted
echo "function URL: $(stack_output "$name" FunctionUrl)"
echo "bucket:       $(stack_output "$name" BucketName)"
