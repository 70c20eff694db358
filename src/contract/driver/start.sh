
# What follows is the same in every job. It needs a POSIX shell; of other programs it takes what is there.
#
# All its names start with smtrain_, since a variable that the environment has already would reach the user's program.

smtrain_ml=/opt/ml
smtrain_code=$smtrain_ml/code
smtrain_archive=$smtrain_ml/input/data/code/sourcedir.tar.gz
smtrain_newline='
'
smtrain_tab='	'
smtrain_return=$(printf '\r')

# --- Ends -------------------------------------------------------------------------------------------------------------

# The job's FailureReason, unless the user's program left one itself.
smtrain_write_failure() {
  printf '%s\n' "$1" >&2
  if ! [ -e "$smtrain_ml/output/failure" ]; then
    printf '%s' "$1" >"$smtrain_ml/output/failure"
  fi
}

smtrain_fail() {
  smtrain_write_failure "$1"
  exit 1
}

smtrain_has() {
  command -v "$1" >/dev/null 2>&1
}
