//! Reads any bytes as the SageMaker SDK's `config.yaml` below a job spec.

#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use smtrain_fuzz::specs;
use smtrain_fuzz::words::{self, SDK_CONFIG};

fuzz_target!(|bytes: &[u8]| specs::sdk_config(bytes));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    words::insert(&SDK_CONFIG, data, size, max_size, seed).unwrap_or_else(|| fuzzer_mutate(data, size, max_size))
});
