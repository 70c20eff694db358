//! Unpacks, lists and picks from archives made of what the fuzzer says, and looks whether anything came of it that must not.

#![no_main]

#[path = "../../src/archive/mod.rs"]
#[expect(dead_code, unused_imports, reason = "only what reads archives is wanted here")]
mod archive;
mod made;
mod model;
mod rules;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|archive: made::Made| rules::keep(&archive.bytes()));
