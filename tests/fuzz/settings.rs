//! Reads any bytes as settings below a job spec, with flags, variables and a file of images.

#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use smtrain_fuzz::specs;
use smtrain_fuzz::words::{self, SPEC};

fuzz_target!(|bytes: &[u8]| specs::settings(bytes));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    words::insert(&SPEC, data, size, max_size, seed).unwrap_or_else(|| fuzzer_mutate(data, size, max_size))
});
