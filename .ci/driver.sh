#!/bin/sh
# The driver as shellcheck sees it; never run. `src/contract/driver/mod.rs` writes the first part for each job, and puts the
# files below behind it.

smtrain_region=eu-west-1
smtrain_entry_point=train.py
smtrain_export_request() {
  export SM_HPS='{}'
}
smtrain_exec() {
  exec "$@"
}
smtrain_export_training_env() {
  export SM_TRAINING_ENV="$smtrain_distribution_hosts$smtrain_has_smddpmprun$smtrain_has_smddprun$smtrain_is_master$smtrain_job_name"
}
smtrain_start() {
  smtrain_run_entry_point "$@"
}

# shellcheck source=src/contract/driver/start.sh
. start.sh
# shellcheck source=src/contract/driver/json.sh
. json.sh
# shellcheck source=src/contract/driver/host.sh
. host.sh
# shellcheck source=src/contract/driver/program.sh
. program.sh
