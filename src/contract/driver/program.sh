
# --- Code -------------------------------------------------------------------------------------------------------------

smtrain_make_folders() {
  for smtrain_folder in code model output/data output/intermediate; do
    [ -d "$smtrain_ml/$smtrain_folder" ] || mkdir -p "$smtrain_ml/$smtrain_folder"
  done
}

smtrain_find_python() {
  smtrain_python=$(command -v python3) || smtrain_python=$(command -v python) || smtrain_python=
}

smtrain_unpack() {
  if smtrain_has tar; then
    # Not every tar has gzip in itself.
    tar -xzf "$smtrain_archive" -C "$smtrain_code" 2>/dev/null ||
      { smtrain_has gzip && gzip -dc "$smtrain_archive" | tar -xf - -C "$smtrain_code"; }
  elif [ -n "$smtrain_python" ]; then
    "$smtrain_python" -W ignore -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' \
      "$smtrain_archive" "$smtrain_code"
  else
    smtrain_fail "The image has neither tar nor Python, and one of them is needed to unpack the code."
  fi || smtrain_fail "The code could not be unpacked from $smtrain_archive."
}

# What the toolkit takes the entry point for. It compares case-sensitively as well.
smtrain_find_kind() {
  case $smtrain_entry_point in
    *.sh) smtrain_kind=shell ;;
    *)
      if [ -e "$smtrain_code/setup.py" ]; then
        smtrain_kind=package
      else
        case $smtrain_entry_point in
          *.py | '') smtrain_kind=program ;;
          *) smtrain_kind=shell ;;
        esac
      fi
      ;;
  esac
}

smtrain_install() {
  case $smtrain_kind in
    package) smtrain_install_what InstallModuleError . ;;
    program) smtrain_install_what InstallRequirementsError ;;
  esac
}

smtrain_install_what() {
  smtrain_class=$1
  shift
  [ ! -e "$smtrain_code/requirements.txt" ] || set -- "$@" -r requirements.txt
  [ $# -gt 0 ] || return 0
  if [ -z "$smtrain_python" ]; then
    printf '%s\n' "smtrain: the image has no Python: $* is not installed" >&2
    return 0
  fi
  set -- "$smtrain_python" -m pip install "$@"
  smtrain_wait_for "$@"
  [ "$smtrain_exit_code" -eq 0 ] || smtrain_fail "$(smtrain_describe "$smtrain_class" "$smtrain_exit_code" "$*")"
}

# The hosts of a job come up at different times: the toolkit, too, waits until each has an address.
smtrain_wait_for_hosts() {
  case ${SM_STUDIO_LOCAL_MODE-} in
    [Tt][Rr][Uu][Ee]) return 0 ;;
  esac
  if [ "$smtrain_hosts" != "[$smtrain_current_host]" ] && smtrain_has getent && smtrain_has sleep; then
    smtrain_seconds=900
    smtrain_each smtrain_wait_for_host "$smtrain_hosts"
  fi
}

smtrain_wait_for_host() {
  smtrain_decode "$2"
  while [ -z "$smtrain_stopped" ] && [ "$smtrain_seconds" -gt 0 ] && ! getent hosts "$smtrain_plain" >/dev/null; do
    sleep 1
    smtrain_seconds=$((smtrain_seconds - 1))
  done
}

# --- The user's program -----------------------------------------------------------------------------------------------

smtrain_stop() {
  smtrain_stopped=yes
  smtrain_interrupted=yes
  [ -z "$smtrain_child" ] || kill -s TERM "$smtrain_child" 2>/dev/null
}

# Runs a program to its end, with this script's own input: a shell gives none to what it runs in the background.
smtrain_wait_for() {
  [ -z "$smtrain_stopped" ] || exit 143
  smtrain_interrupted=
  if (: <&0) 2>/dev/null; then
    exec 3<&0
    smtrain_exec "$@" <&3 3<&- &
    smtrain_child=$!
    exec 3<&-
  else
    smtrain_exec "$@" <&- &
    smtrain_child=$!
  fi
  # A signal that came before the program's id was known.
  [ -z "$smtrain_stopped" ] || kill -s TERM "$smtrain_child" 2>/dev/null
  smtrain_exit_code=0
  wait "$smtrain_child" || smtrain_exit_code=$?
  # A signal ends the wait, not the program. 127 says that the wait before was the last.
  while [ -n "$smtrain_interrupted" ]; do
    smtrain_interrupted=
    smtrain_again=0
    wait "$smtrain_child" || smtrain_again=$?
    [ "$smtrain_again" -eq 127 ] || smtrain_exit_code=$smtrain_again
  done
  smtrain_child=
}

smtrain_run() {
  smtrain_command=$*
  smtrain_wait_for "$@"
}

# The entry point with its arguments, by what it is.
smtrain_run_entry_point() {
  case $smtrain_kind in
    shell)
      smtrain_run_shell "$@"
      return
      ;;
  esac
  [ -n "$smtrain_python" ] || smtrain_fail "$smtrain_entry_point needs Python, and the image has none."
  case $smtrain_kind in
    package) smtrain_run "$smtrain_python" -m "${smtrain_entry_point%.py}" "$@" ;;
    *) smtrain_run "$smtrain_python" -- "$smtrain_entry_point" "$@" ;;
  esac
}

# The shell's exec lets a signal reach the entry point itself; the toolkit's command has none.
smtrain_run_shell() {
  ! smtrain_has chmod || chmod 777 "$smtrain_entry_point"
  smtrain_line=
  for smtrain_argument in "$@"; do
    smtrain_quote "$smtrain_argument"
    smtrain_line="$smtrain_line $smtrain_quoted"
  done
  smtrain_quote "$smtrain_entry_point"
  # Without arguments the toolkit, too, leaves a space behind the name.
  smtrain_line="./$smtrain_quoted ${smtrain_line# }"
  smtrain_wait_for /bin/sh -c "exec $smtrain_line"
  smtrain_command="/bin/sh -c $smtrain_line"
}

# Python's shlex.quote.
smtrain_quote() {
  case $1 in
    '' | *[!A-Za-z0-9_@%+=:,./-]*) ;;
    *)
      smtrain_quoted=$1
      return 0
      ;;
  esac
  smtrain_rest=$1
  smtrain_quoted="'"
  while :; do
    case $smtrain_rest in
      *"'"*)
        smtrain_quoted=$smtrain_quoted${smtrain_rest%%"'"*}"'\"'\"'"
        smtrain_rest=${smtrain_rest#*"'"}
        ;;
      *)
        smtrain_quoted="$smtrain_quoted$smtrain_rest'"
        return 0
        ;;
    esac
  done
}

# The toolkit's words on a program that failed: its class of error, the exit code, the command. What the program said is not
# known here. A shell tells a signal's number plus 128, where the toolkit has minus the number.
smtrain_describe() {
  smtrain_code_told=$2
  smtrain_extra=
  if [ "$2" -gt 128 ] && [ "$smtrain_kind" != shell ] && smtrain_signal=$(kill -l $(($2 - 128)) 2>/dev/null); then
    smtrain_code_told=-$(($2 - 128))
    smtrain_extra="Process killed by SIG$smtrain_signal (signal $(($2 - 128)))"
  elif [ "$2" -eq 137 ]; then
    smtrain_extra='OutOfMemory: Process killed by SIGKILL (signal 9)'
  fi
  printf '%s:\nExitCode %s\nErrorMessage ""\n' "$1" "$smtrain_code_told"
  [ -z "$smtrain_extra" ] || printf 'ExtraInfo "%s"\n' "$smtrain_extra"
  printf 'Command "%s"' "$3"
}

smtrain_main() {
  smtrain_stopped=
  smtrain_child=
  trap smtrain_stop TERM
  smtrain_make_folders
  smtrain_find_python
  smtrain_unpack
  smtrain_read_host
  smtrain_count_devices
  smtrain_export_first
  cd "$smtrain_code" || exit 1
  smtrain_find_kind
  smtrain_install
  smtrain_export_request
  smtrain_export_host
  smtrain_wait_for_hosts
  smtrain_start "$@"
  if [ "$smtrain_exit_code" -eq 0 ]; then
    : >"$smtrain_ml/output/success"
  else
    smtrain_write_failure "$(smtrain_describe ExecuteUserScriptError "$smtrain_exit_code" "$smtrain_command")"
  fi
  exit "$smtrain_exit_code"
}

smtrain_main "$@"
