//! Reads any bytes as AWS's profile files, by smtrain's parser and the SDK's.

#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use smtrain_fuzz::profiles;
use smtrain_fuzz::words::{self, PROFILE};

fuzz_target!(|bytes: &[u8]| profiles::profile(bytes));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    words::insert(&PROFILE, data, size, max_size, seed).unwrap_or_else(|| fuzzer_mutate(data, size, max_size))
});
