//! Shows any bytes as a log and as text from outside.

#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use smtrain_fuzz::logs;
use smtrain_fuzz::words::{self, LOG};

fuzz_target!(|bytes: &[u8]| logs::log(bytes));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    words::insert(&LOG, data, size, max_size, seed).unwrap_or_else(|| fuzzer_mutate(data, size, max_size))
});
