//! Several threads inflate the same bytes as one, for any data and any chunk size.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;
use crate::archive::read_error::ReadError;
use crate::tests::TestResult;

fn gzip(data: &[u8], level: u32) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(data)?;
    encoder.finish()
}

fn gunzip(packed: Vec<u8>, threads: usize, sizes: ChunkSizes) -> io::Result<Vec<u8>> {
    let mut gunzip = Gunzip { state: GunzipState::Start(Cursor::new(packed)), threads, sizes };
    let mut out = Vec::new();
    gunzip.read_to_end(&mut out).map(|_| out)
}

fn small(chunk: usize) -> ChunkSizes {
    ChunkSizes { chunk, head: chunk / 2 }
}

/// Bytes of a kind: like weights, text, noise, or all alike.
fn data(kind: u32, length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    let words = ["the ", "model ", "loss=", "0.25\n", "epoch ", "of ", "weights, ", "and "];
    match kind {
        0 => (0..length / 4).flat_map(|_| (next() >> 6 & 0x00ff_ffff | 0x3c00_0000).to_le_bytes()).collect(),
        1 => (0..length / 4).flat_map(|_| words[next() as usize % 8].bytes()).collect(),
        2 => (0..length / 4).flat_map(|_| next().to_le_bytes()).collect(),
        _ => vec![7; length],
    }
}

fn is_trailing_data(error: io::Error) -> bool {
    matches!(ReadError::from(error), ReadError::TrailingData)
}

#[test]
fn long_archives_of_all_kinds() -> TestResult {
    for kind in 0..4 {
        for level in [1, 6, 9] {
            let plain = data(kind, 6_000_000, 3);
            let packed = gzip(&plain, level)?;
            assert!(gunzip(packed, 3, SIZES)? == plain, "kind {kind}, level {level}");
        }
    }
    Ok(())
}

#[test]
fn most_chunks_of_weights_are_guessed() -> TestResult {
    let (plain, sizes) = (data(0, 3_000_000, 9), small(100_000));
    let packed = gzip(&plain, 6)?;
    let mut parallel = Gunzip { state: GunzipState::Start(Cursor::new(packed)), threads: 2, sizes };
    let mut buffer = vec![0; 10_000];
    let mut wrong = 0;
    while parallel.read(&mut buffer)? > 0 {
        if let GunzipState::FirstMember(parallel) = &parallel.state {
            wrong = wrong.max(parallel.wrong_guesses);
        }
    }
    assert!(wrong < 2, "{wrong} in a row");
    Ok(())
}

#[test]
fn members_and_what_is_no_member_after_the_first() -> TestResult {
    let (first, second) = (data(0, 1_000_000, 1), data(1, 200_000, 2));
    let both = [gzip(&first, 6)?, gzip(&second, 6)?].concat();
    assert!(gunzip(both.clone(), 2, small(50_000))? == [first, second].concat());
    let error = gunzip([both, b"garbage".to_vec()].concat(), 2, small(50_000)).err().ok_or("it was taken")?;
    assert!(is_trailing_data(error));
    Ok(())
}

#[test]
fn what_is_cut_short_or_damaged_is_an_error() -> TestResult {
    let plain = data(0, 600_000, 5);
    let packed = gzip(&plain, 6)?;
    for length in (0..packed.len()).step_by(packed.len() / 40).chain(packed.len() - 12..packed.len()) {
        assert!(gunzip(packed[..length].to_vec(), 2, small(40_000)).is_err(), "{length} bytes");
    }
    for at in (0..packed.len()).step_by(packed.len() / 60).chain(packed.len() - 8..packed.len()) {
        let mut damaged = packed.clone();
        damaged[at] ^= 0x10;
        let inflated = gunzip(damaged, 2, small(40_000));
        // Some of the header's bits mean nothing.
        assert!(inflated.is_err() || (at < 10 && inflated? == plain), "byte {at}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn as_one_thread_does(
        pieces in prop::collection::vec((0_u32..4, 1_usize..120_000, any::<u32>()), 1..8),
        level in 0_u32..10,
        chunk in 4_000_usize..60_000,
        threads in 2_usize..5,
    ) {
        let plain: Vec<u8> = pieces.iter().flat_map(|(kind, length, seed)| data(*kind, *length, *seed)).collect();
        let packed = gzip(&plain, level)?;
        prop_assert!(gunzip(packed, threads, small(chunk))? == plain);
    }

    /// Wherever bits are changed, bytes missing, or a member or garbage behind it.
    #[test]
    fn what_is_damaged_is_to_several_threads_what_it_is_to_one(
        pieces in prop::collection::vec((0_u32..4, 1_usize..60_000, any::<u32>()), 1..6),
        (level, chunk, threads) in (0_u32..10, 4_000_usize..30_000, 2_usize..5),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8), 0..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
        (is_followed, garbage) in (any::<bool>(), prop::collection::vec(any::<u8>(), 0..3)),
    ) {
        let plain: Vec<u8> = pieces.iter().flat_map(|(kind, length, seed)| data(*kind, *length, *seed)).collect();
        let mut packed = gzip(&plain, level)?;
        for (at, bit) in flips {
            let at = at.index(packed.len());
            packed[at] ^= 1_u8 << bit;
        }
        packed.truncate(cut.map_or(packed.len(), |cut| cut.index(packed.len())));
        packed.extend(if is_followed { gzip(&plain[..plain.len() / 2], level)? } else { Vec::new() });
        packed.extend(garbage);
        let mut expected = Vec::new();
        let in_order = MemberReader::new(Cursor::new(packed.clone())).read_to_end(&mut expected);
        match (in_order, gunzip(packed, threads, small(chunk))) {
            (Ok(_), Ok(inflated)) => prop_assert!(inflated == expected),
            (Err(one), Err(other)) => prop_assert_eq!(is_trailing_data(one), is_trailing_data(other)),
            (one, other) => prop_assert!(false, "{one:?}, {:?}", other.map(|inflated| inflated.len())),
        }
    }
}
