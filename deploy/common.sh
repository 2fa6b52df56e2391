# What deploy.sh and cleanup.sh have in common. To be sourced; $region and $program are theirs.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154

export AWS_PAGER=""
settle_seconds_max=3600
poll_seconds=5

say() { echo "$program: $*" >&2; }

fail() {
  say "$*"
  exit 1
}

refuse() {
  say "$*; see $program.sh --help"
  exit 2
}

# The comment at the top of the script is its help.
show_help() {
  awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "$0"
}

aws_text() {
  aws --region "$region" --output text "$@"
}

# The first of these that asks for more than there is ends the script with what to do.
check_aws() {
  local version
  command -v aws >/dev/null || fail "the AWS CLI is missing; install aws 2.8 or newer"
  version=$(aws --version 2>&1 | sed -n 's|^aws-cli/\([0-9]*\.[0-9]*\).*|\1|p')
  case "$version" in
    2.[0-7] | 1.? | 1.1? | 1.2[0-6] | "")
      fail "aws ${version:-of unknown version} is too old; install 2.8 or newer"
      ;;
  esac
}

find_region() {
  region=${region:-${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region || true)}}}
  [ -n "$region" ] || fail "no region is set; give --region, such as --region eu-central-1"
}

check_login() {
  local error
  error=$(mktemp)
  account=$(aws_text sts get-caller-identity --query Account 2>"$error") || {
    say "AWS does not take your login; try aws configure, or aws sso login"
    fail "$(<"$error")"
  }
  rm "$error"
}

check_name() {
  [[ $name =~ ^[a-z][a-z0-9-]{1,23}$ ]] || refuse \
    "--name: want 2 to 24 lower-case letters, digits and hyphens, a letter first, got \"$name\""
}

# stack_query STACK QUERY: of its description; `None` where it has no such thing.
stack_query() {
  aws_text cloudformation describe-stacks --stack-name "$1" --query "Stacks[0].$2"
}

# NONE when there is no such stack.
stack_status() {
  local answer
  if answer=$(stack_query "$1" StackStatus 2>&1); then
    echo "$answer"
  elif [[ $answer == *"does not exist"* ]]; then
    echo NONE
  else
    fail "$answer"
  fi
}

stack_exists() {
  local status
  status=$(stack_status "$1") || exit 1
  [ "$status" != NONE ]
}

stack_output() {
  stack_query "$1" "Outputs[?OutputKey=='$2'].OutputValue | [0]"
}

stack_parameter() {
  stack_query "$1" "Parameters[?ParameterKey=='$2'].ParameterValue | [0]"
}

# Waits until nothing is being done to a stack, and prints its status then.
await_stack() {
  local status end=$((SECONDS + settle_seconds_max)) told=
  while true; do
    status=$(stack_status "$1") || exit 1
    case "$status" in
      REVIEW_IN_PROGRESS) break ;;
      *_IN_PROGRESS) ;;
      *) break ;;
    esac
    [ $SECONDS -lt $end ] || fail "the stack $1 has been $status for too long; look at it"
    [ -n "$told" ] || say "waiting for the stack $1, which is $status"
    told=yes
    sleep $poll_seconds
  done
  echo "$status"
}

# Why the last change to a stack failed.
stack_failures() {
  aws_text cloudformation describe-stack-events --stack-name "$1" --max-items 100 --query \
    "StackEvents[?contains(ResourceStatus, 'FAILED')].[LogicalResourceId, ResourceStatusReason]"
}

# delete_stack STACK: and waits until it is gone.
delete_stack() {
  local status
  aws_text cloudformation delete-stack --stack-name "$1"
  status=$(await_stack "$1") || exit 1
  case "$status" in
    NONE | DELETE_COMPLETE) ;;
    *)
      stack_failures "$1" >&2
      return 1
      ;;
  esac
}

# ask_url URL QUERY FOLDER: the answer of a function URL, to a call that is signed by your login, or
# what stands in its way. The login is told by a file in FOLDER, since others can see the arguments
# of programs. QUERY has its parameters in the order of their names: older curls do not sort them.
ask_url() {
  local login token
  login=$(aws configure export-credentials --format env-no-export 2>/dev/null) || fail \
    "your AWS CLI cannot tell its login, to sign calls by; update it, or use --no-smoke"
  token=$(sed -n 's/^AWS_SESSION_TOKEN=//p' <<<"$login")
  (
    umask 077
    printf 'aws-sigv4 = "aws:amz:%s:lambda"\nuser = "%s:%s"\n' "$region" \
      "$(sed -n 's/^AWS_ACCESS_KEY_ID=//p' <<<"$login")" \
      "$(sed -n 's/^AWS_SECRET_ACCESS_KEY=//p' <<<"$login")" >"$3/login"
    if [ -n "$token" ]; then
      printf 'header = "x-amz-security-token: %s"\n' "$token" >>"$3/login"
    fi
  )
  curl -sS --max-time 35 -K "$3/login" "$1?$2" 2>&1 || true
  rm "$3/login"
}

# Ids of the service-specific credentials of a user, one a line.
credential_ids() {
  aws_text iam list-service-specific-credentials --user-name "$1" \
    --service-name cassandra.amazonaws.com \
    --query 'ServiceSpecificCredentials[].[ServiceSpecificCredentialId]'
}

delete_credential() {
  aws_text iam delete-service-specific-credential --user-name "$1" \
    --service-specific-credential-id "$2"
}

# remove_credentials: those of this deployment, their user, and their parameters.
remove_credentials() {
  local user id
  if stack_exists "$name-credentials"; then
    user=$(stack_output "$name-credentials" UserName)
    for id in $(credential_ids "$user"); do delete_credential "$user" "$id"; done
    delete_stack "$name-credentials" || fail "the stack $name-credentials could not be deleted"
  fi
  aws_text ssm delete-parameters --names "/$name/keyspaces/user" "/$name/keyspaces/password" \
    >/dev/null
}
