
# --- The host ---------------------------------------------------------------------------------------------------------

# The whole of a file in smtrain_rest.
smtrain_read_file() {
  smtrain_rest=
  while IFS= read -r smtrain_line || [ -n "$smtrain_line" ]; do
    smtrain_rest=$smtrain_rest$smtrain_line$smtrain_newline
  done <"$1"
}

# What is left out in the file gets what the toolkit takes it for.
smtrain_read_host() {
  smtrain_config=$smtrain_ml/input/config/resourceconfig.json
  [ -r "$smtrain_config" ] || smtrain_fail "There is no $smtrain_config that says which host this is."
  smtrain_hosts=
  smtrain_current_host=
  smtrain_instance_type='"local"'
  smtrain_group='"homogeneousCluster"'
  smtrain_interface='"eth0"'
  smtrain_groups='[]'
  smtrain_topology='[]'
  smtrain_read_file "$smtrain_config"
  smtrain_read_value || smtrain_fail "$smtrain_config can't be read as JSON."
  smtrain_resource_config=$smtrain_value
  smtrain_each smtrain_take_fact "$smtrain_resource_config"
  [ -n "$smtrain_hosts" ] && [ -n "$smtrain_current_host" ] || smtrain_fail "$smtrain_config doesn't name the hosts."
  smtrain_read_groups
}

smtrain_take_fact() {
  case $1 in
    '"hosts"') smtrain_hosts=$2 ;;
    '"current_host"') smtrain_current_host=$2 ;;
    '"current_instance_type"') smtrain_instance_type=$2 ;;
    '"current_group_name"') smtrain_group=$2 ;;
    '"network_interface_name"') smtrain_interface=$2 ;;
    '"instance_groups"') smtrain_groups=$2 ;;
    '"topology"') smtrain_topology=$2 ;;
  esac
}

smtrain_read_groups() {
  smtrain_group_hosts='[]'
  smtrain_group_names=
  smtrain_group_table=
  smtrain_group_count=0
  smtrain_each smtrain_take_group "$smtrain_groups"
  smtrain_group_names="[${smtrain_group_names#,}]"
  smtrain_rest="{${smtrain_group_table#,}}"
  smtrain_read_value
  smtrain_group_table=$smtrain_value
  # With a distribution the toolkit would name its groups here. An image of one's own has none.
  smtrain_distribution_groups='[]'
  smtrain_distribution_hosts='[]'
  [ "$smtrain_group_count" -gt 0 ] || smtrain_distribution_hosts=$smtrain_hosts
  smtrain_rest=${smtrain_hosts#?}
  smtrain_read_value
  smtrain_master=$smtrain_value
  smtrain_is_master=false
  [ "$smtrain_master" != "$smtrain_current_host" ] || smtrain_is_master=true
  smtrain_is_hetero=false
  [ "$smtrain_group_count" -le 1 ] || smtrain_is_hetero=true
}

smtrain_take_group() {
  smtrain_name=
  smtrain_members='[]'
  smtrain_each smtrain_take_group_fact "$2"
  smtrain_group_count=$((smtrain_group_count + 1))
  smtrain_group_names=$smtrain_group_names,$smtrain_name
  smtrain_group_table=$smtrain_group_table,$smtrain_name:$2
  if [ "$smtrain_name" = "$smtrain_group" ]; then
    smtrain_group_hosts=$smtrain_members
  fi
}

smtrain_take_group_fact() {
  case $1 in
    '"instance_group_name"') smtrain_name=$2 ;;
    '"hosts"') smtrain_members=$2 ;;
  esac
}

smtrain_count_devices() {
  smtrain_count_cpus
  smtrain_gpus=0
  if smtrain_has nvidia-smi && smtrain_rest=$(nvidia-smi --list-gpus); then
    smtrain_rest=$smtrain_rest$smtrain_newline
    while [ -n "$smtrain_rest" ]; do
      case $smtrain_rest in
        'GPU '*) smtrain_gpus=$((smtrain_gpus + 1)) ;;
      esac
      smtrain_rest=${smtrain_rest#*"$smtrain_newline"}
    done
  fi
  smtrain_neurons=0
  case $smtrain_instance_type in
    *trn2.48xlarge*) smtrain_neurons=64 ;;
    *)
      if smtrain_has neuron-ls && smtrain_rest=$(neuron-ls -j) && smtrain_read_value; then
        smtrain_each smtrain_take_neuron_device "$smtrain_value"
      fi
      ;;
  esac
}

# Those that are online, whichever of them this process may use, as Python's cpu_count has it.
smtrain_count_cpus() {
  smtrain_cpus=0
  if [ -r /proc/stat ]; then
    while read -r smtrain_line; do
      case $smtrain_line in
        cpu[0-9]*) smtrain_cpus=$((smtrain_cpus + 1)) ;;
      esac
    done </proc/stat
  fi
  if [ "$smtrain_cpus" -eq 0 ]; then
    smtrain_cpus=$(nproc 2>/dev/null) || smtrain_cpus=1
  fi
}

smtrain_take_neuron_device() {
  smtrain_each smtrain_take_neuron_count "$2"
}

smtrain_take_neuron_count() {
  case $1 in
    '"nc_count"') smtrain_neurons=$((smtrain_neurons + $2)) ;;
  esac
}

# --- Variables --------------------------------------------------------------------------------------------------------

# Those that the toolkit has in its own process, so that pip sees them too.
smtrain_export_first() {
  smtrain_decode "$smtrain_current_host"
  export CURRENT_HOST="$smtrain_plain"
  export SAGEMAKER_JOB_NAME="${TRAINING_JOB_NAME-}"
  export SAGEMAKER_REGION="$smtrain_region"
}

smtrain_export_host() {
  export SM_HOSTS="$smtrain_hosts" SM_CURRENT_HOST="$CURRENT_HOST"
  smtrain_decode "$smtrain_instance_type"
  export SM_CURRENT_INSTANCE_TYPE="$smtrain_plain"
  smtrain_decode "$smtrain_group"
  export SM_CURRENT_INSTANCE_GROUP="$smtrain_plain"
  smtrain_decode "$smtrain_interface"
  export SM_NETWORK_INTERFACE_NAME="$smtrain_plain"
  export SM_CURRENT_INSTANCE_GROUP_HOSTS="$smtrain_group_hosts"
  export SM_INSTANCE_GROUPS="$smtrain_group_names" SM_INSTANCE_GROUPS_DICT="$smtrain_group_table"
  export SM_DISTRIBUTION_INSTANCE_GROUPS="$smtrain_distribution_groups" SM_IS_HETERO="$smtrain_is_hetero"
  export SM_NUM_CPUS="$smtrain_cpus" SM_NUM_GPUS="$smtrain_gpus" SM_NUM_NEURONS="$smtrain_neurons"
  export SM_RESOURCE_CONFIG="$smtrain_resource_config"
  [ "$smtrain_topology" = '[]' ] || export SM_TOPOLOGY="$smtrain_topology"
  smtrain_job_name=null
  [ -z "${TRAINING_JOB_NAME+set}" ] || smtrain_job_name="\"$TRAINING_JOB_NAME\""
  smtrain_has_smddprun=false
  ! smtrain_has smddprun || smtrain_has_smddprun=true
  smtrain_has_smddpmprun=false
  ! smtrain_has smddpmprun || smtrain_has_smddpmprun=true
  smtrain_export_training_env
  export PYTHONPATH="$smtrain_code${PYTHONPATH:+:$PYTHONPATH}"
}
