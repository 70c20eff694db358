
# --- JSON -------------------------------------------------------------------------------------------------------------
# A reader takes its value from the front of smtrain_rest and leaves it in smtrain_value, written as Python's json.dumps
# writes it with sorted keys and no spaces. Numbers stay as they stand, and strings too but for an escaped slash.
# A function's arguments are its own, and so they carry what has to outlast a call of itself.

smtrain_skip_space() {
  while :; do
    case $smtrain_rest in
      ' '* | "$smtrain_tab"* | "$smtrain_newline"* | "$smtrain_return"*) smtrain_rest=${smtrain_rest#?} ;;
      *) return 0 ;;
    esac
  done
}

smtrain_read_value() {
  smtrain_skip_space
  case $smtrain_rest in
    '"'*) smtrain_read_string ;;
    '{'*) smtrain_read_object ;;
    '['*) smtrain_read_array ;;
    *)
      smtrain_value=${smtrain_rest%%[!A-Za-z0-9.+-]*}
      smtrain_rest=${smtrain_rest#"$smtrain_value"}
      [ -n "$smtrain_value" ]
      ;;
  esac
}

smtrain_read_string() {
  smtrain_rest=${smtrain_rest#?}
  smtrain_value='"'
  while :; do
    smtrain_piece=${smtrain_rest%%['"\']*}
    smtrain_value=$smtrain_value$smtrain_piece
    smtrain_rest=${smtrain_rest#"$smtrain_piece"}
    case $smtrain_rest in
      '"'*)
        smtrain_rest=${smtrain_rest#?}
        smtrain_value=$smtrain_value'"'
        return 0
        ;;
      '\/'*)
        smtrain_rest=${smtrain_rest#??}
        smtrain_value=$smtrain_value/
        ;;
      '\'?*)
        smtrain_piece=${smtrain_rest#??}
        smtrain_value=$smtrain_value${smtrain_rest%"$smtrain_piece"}
        smtrain_rest=$smtrain_piece
        ;;
      *) return 1 ;;
    esac
  done
}

smtrain_read_array() {
  smtrain_rest=${smtrain_rest#?}
  smtrain_skip_space
  case $smtrain_rest in
    ']'*)
      smtrain_rest=${smtrain_rest#?}
      smtrain_value='[]'
      return 0
      ;;
  esac
  set -- ''
  while smtrain_read_value; do
    set -- "$1,$smtrain_value"
    smtrain_skip_space
    case $smtrain_rest in
      ','*) smtrain_rest=${smtrain_rest#?} ;;
      ']'*)
        smtrain_rest=${smtrain_rest#?}
        smtrain_value="[${1#,}]"
        return 0
        ;;
      *) return 1 ;;
    esac
  done
  return 1
}

smtrain_read_object() {
  smtrain_rest=${smtrain_rest#?}
  smtrain_skip_space
  case $smtrain_rest in
    '}'*)
      smtrain_rest=${smtrain_rest#?}
      smtrain_value='{}'
      return 0
      ;;
  esac
  set --
  while smtrain_read_key; do
    set -- "$@" "$smtrain_value"
    smtrain_read_value || return 1
    set -- "$@" "$smtrain_value"
    smtrain_skip_space
    case $smtrain_rest in
      ','*) smtrain_rest=${smtrain_rest#?} ;;
      '}'*)
        smtrain_rest=${smtrain_rest#?}
        smtrain_join_sorted "$@"
        return 0
        ;;
      *) return 1 ;;
    esac
  done
  return 1
}

# A key and the colon behind it.
smtrain_read_key() {
  smtrain_skip_space
  case $smtrain_rest in
    '"'*) smtrain_read_string || return 1 ;;
    *) return 1 ;;
  esac
  smtrain_skip_space
  case $smtrain_rest in
    ':'*) smtrain_rest=${smtrain_rest#?} ;;
    *) return 1 ;;
  esac
}

# An object of the keys and values that are given in turn. Each round goes once through the pairs that are left, takes the
# first in order and puts the others back behind. The quote that ends a key stays out of the comparison.
smtrain_join_sorted() {
  smtrain_value=
  while [ $# -gt 0 ]; do
    smtrain_key=$1
    smtrain_member=$2
    shift 2
    smtrain_left=$#
    while [ "$smtrain_left" -gt 0 ]; do
      # POSIX has this operator since 2024; the shells of images have had it for long.
      # shellcheck disable=SC3012
      if [ "${1%?}" \< "${smtrain_key%?}" ]; then
        set -- "$@" "$smtrain_key" "$smtrain_member"
        smtrain_key=$1
        smtrain_member=$2
      else
        set -- "$@" "$1" "$2"
      fi
      shift 2
      smtrain_left=$((smtrain_left - 2))
    done
    smtrain_value="$smtrain_value,$smtrain_key:$smtrain_member"
  done
  smtrain_value="{${smtrain_value#,}}"
}

# Calls a function with the key and the value of each member of an object, or with an empty key and each item of an array.
# The text is one that a reader has written.
smtrain_each() {
  case $2 in
    '{'*) set -- "$1" "${2#?}" key ;;
    '['*) set -- "$1" "${2#?}" '' ;;
    *) return 0 ;;
  esac
  while :; do
    case $2 in
      '' | '}' | ']') return 0 ;;
    esac
    smtrain_rest=${2#,}
    smtrain_value=
    [ -z "$3" ] || smtrain_read_key
    set -- "$1" "$2" "$3" "$smtrain_value"
    smtrain_read_value || return 1
    set -- "$1" "$smtrain_rest" "$3" "$4"
    "$1" "$4" "$smtrain_value"
  done
}

# The characters that a JSON string stands for, in smtrain_plain.
smtrain_decode() {
  smtrain_rest=${1#?}
  smtrain_rest=${smtrain_rest%?}
  smtrain_plain=
  while :; do
    smtrain_piece=${smtrain_rest%%'\'*}
    smtrain_plain=$smtrain_plain$smtrain_piece
    smtrain_rest=${smtrain_rest#"$smtrain_piece"}
    case $smtrain_rest in
      '') return 0 ;;
      '\u'*) smtrain_decode_code_point ;;
      '\b'*) smtrain_escape='\b' ;;
      '\f'*) smtrain_escape='\f' ;;
      '\n'*) smtrain_escape='\n' ;;
      '\r'*) smtrain_escape='\r' ;;
      '\t'*) smtrain_escape='\t' ;;
      '\"'*) smtrain_escape='"' ;;
      *) smtrain_escape='\\' ;;
    esac
    # The dot keeps a newline at the end. The format is one of the escapes above.
    # shellcheck disable=SC2059
    smtrain_piece=$(printf "$smtrain_escape.")
    smtrain_plain=$smtrain_plain${smtrain_piece%.}
    smtrain_rest=${smtrain_rest#??}
  done
}

# A \u escape, or the two of them that make up one character, as the octal escapes of its bytes in UTF-8. All but the last
# two characters are taken.
smtrain_decode_code_point() {
  smtrain_take_hex
  if [ "$smtrain_point" -ge 55296 ] && [ "$smtrain_point" -lt 56320 ]; then
    smtrain_high=$smtrain_point
    smtrain_rest=${smtrain_rest#??}
    smtrain_take_hex
    smtrain_point=$((65536 + (smtrain_high - 55296) * 1024 + smtrain_point - 56320))
  fi
  if [ "$smtrain_point" -lt 128 ]; then
    smtrain_escape=$(smtrain_octal "$smtrain_point")
  elif [ "$smtrain_point" -lt 2048 ]; then
    smtrain_escape=$(smtrain_octal $((192 + smtrain_point / 64)))
  elif [ "$smtrain_point" -lt 65536 ]; then
    smtrain_escape=$(smtrain_octal $((224 + smtrain_point / 4096)) $((128 + smtrain_point / 64 % 64)))
  else
    smtrain_escape=$(smtrain_octal $((240 + smtrain_point / 262144)) $((128 + smtrain_point / 4096 % 64)) \
      $((128 + smtrain_point / 64 % 64)))
  fi
  [ "$smtrain_point" -lt 128 ] || smtrain_escape=$smtrain_escape$(smtrain_octal $((128 + smtrain_point % 64)))
}

smtrain_take_hex() {
  smtrain_piece=${smtrain_rest#??}
  smtrain_rest=${smtrain_piece#??}
  smtrain_tail=${smtrain_piece#????}
  smtrain_point=$((0x${smtrain_piece%"$smtrain_tail"}))
}

smtrain_octal() {
  printf '\\%03o' "$@"
}
