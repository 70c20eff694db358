//! Sparse files of the old GNU form: maps that are right, and maps that lie.

use tar::GnuExtSparseHeader;

use super::made::{LIMITS, in_time, listed, made, picked, refusal, unpacked};
use super::*;
use crate::archive::{list, pick};

/// A sparse file `s`: its map, its real size and the bytes that are stored.
fn sparse(map: &[(u64, u64)], real: u64, data: &[u8]) -> Raw {
    let alter = |header: &mut Header| {
        header.set_entry_type(EntryType::GNUSparse);
        if let Some(gnu) = header.as_gnu_mut() {
            gnu.set_real_size(real);
            gnu.set_is_extended(map.len() > 4);
            for (place, (offset, length)) in gnu.sparse.iter_mut().zip(map) {
                place.set_offset(*offset);
                place.set_length(*length);
            }
        }
    };
    let mut archive = Raw::default();
    let mut sparse = header(EntryType::GNUSparse, "s", "", data.len() as u64);
    alter(&mut sparse);
    sparse.set_cksum();
    archive.tar.extend_from_slice(sparse.as_bytes());
    let mut rest = map.get(4..).unwrap_or_default().chunks(21).peekable();
    while let Some(pieces) = rest.next() {
        let mut more = GnuExtSparseHeader::new();
        for (place, (offset, length)) in more.sparse_mut().iter_mut().zip(pieces) {
            place.set_offset(*offset);
            place.set_length(*length);
        }
        more.set_is_extended(rest.peek().is_some());
        archive.tar.extend_from_slice(more.as_bytes());
    }
    archive.tar.extend_from_slice(data);
    archive.tar.resize(archive.tar.len().next_multiple_of(512), 0);
    archive
}

#[test]
fn holes_are_zeros() -> TestResult {
    let data = [vec![b'a'; 512], vec![b'b'; 10]].concat();
    let archive = || sparse(&[(512, 512), (2048, 10), (3000, 0)], 3000, &data).file("after", b"x");
    let place = Place::new()?;
    let expected = [vec![0; 512], vec![b'a'; 512], vec![0; 1024], vec![b'b'; 10], vec![0; 942]].concat();
    place.unpack(&archive().gz()?)?;
    assert!(fs::read(place.root().join("s"))? == expected);
    assert_eq!(fs::read_to_string(place.root().join("after"))?, "x");
    let archive = archive().gz()?;
    assert!(picked(&archive, "s")? == Some(expected));
    assert_eq!(listed(&archive).0.iter().map(|listed| listed.size).collect::<Vec<_>>(), [3000, 1]);
    assert_eq!(made(sparse(&[], 0, b""))?, ["s="]);
    Ok(())
}

#[test]
fn a_map_of_many_pieces_is_read_to_its_end() -> TestResult {
    let map: Vec<(u64, u64)> = (0..100).map(|piece| (piece * 1024, 512)).collect();
    let data: Vec<u8> = (0..100).flat_map(|piece| [piece; 512]).collect();
    let place = Place::new()?;
    place.unpack(&sparse(&map, 99 * 1024 + 512, &data).file("after", b"x").gz()?)?;
    let file = fs::read(place.root().join("s"))?;
    assert!(file.len() == 99 * 1024 + 512 && (0_u8..100).all(|piece| file[usize::from(piece) * 1024 + 511] == piece));
    assert!(place.root().join("after").exists());
    Ok(())
}

#[test]
fn maps_that_lie_are_refused() -> TestResult {
    let block = [b'x'; 1024];
    for (what, archive) in [
        ("overlapping", sparse(&[(0, 512), (511, 512)], 1023, &block)),
        ("descending", sparse(&[(1024, 512), (0, 512)], 1536, &block)),
        ("more than is stored", sparse(&[(0, 512), (512, 513)], 1025, &block)),
        ("less than is stored", sparse(&[(0, 512)], 512, &block)),
        ("larger than the file", sparse(&[(0, 512), (4096, 512)], 4000, &block)),
        ("smaller than the file", sparse(&[(0, 512), (4096, 512)], 5000, &block)),
        ("without end", sparse(&[(0, 512), (u64::MAX - 100, 512)], u64::MAX, &block)),
        ("overflowing", sparse(&[(u64::MAX, u64::MAX)], 0, &block)),
        ("unaligned", sparse(&[(0, 100), (512, 924)], 1436, &block)),
        ("in the second part", sparse(&[(0, 0), (0, 0), (0, 0), (0, 0), (9, 512), (8, 512)], 520, &block)),
    ] {
        let text = refusal(Raw { tar: [Raw::default().file("before", b"1").tar, archive.tar].concat() })?;
        assert!(text.starts_with("the archive is damaged or cut short after before"), "{what}: {text}");
    }
    Ok(())
}

#[test]
fn a_map_that_is_no_number_or_has_no_end_is_refused() -> TestResult {
    let garbage = Raw::default().altered(b"s", b"", |header| {
        header.set_entry_type(EntryType::GNUSparse);
        if let Some(gnu) = header.as_gnu_mut() {
            (gnu.sparse[0].offset, gnu.sparse[0].numbytes, gnu.realsize) = ([b'x'; 12], [b'\x1b'; 12], [b'y'; 12]);
        }
    });
    assert!(!refusal(garbage)?.contains('\x1b'));
    let endless = |blocks: usize| {
        let mut archive = sparse(&[(0, 0); 5], 0, b"");
        let mut more = GnuExtSparseHeader::new();
        more.set_is_extended(true);
        archive.tar.truncate(512);
        (0..blocks).for_each(|_| archive.tar.extend_from_slice(more.as_bytes()));
        archive
    };
    for blocks in [1, 8000, 10_000] {
        assert!(matches!(unpacked(&gzip(&endless(blocks).tar)?)?, Err(UnpackError::Damaged { .. })), "{blocks}");
    }
    let not_gnu = Raw::default().altered(b"s", b"", |header| {
        *header = Header::new_ustar();
        header.set_entry_type(EntryType::GNUSparse);
        header.set_size(0);
    });
    assert!(matches!(refused(not_gnu)?, UnpackError::Damaged { .. }));
    Ok(())
}

/// A few hundred bytes that claim to be exabytes of nothing.
#[test]
fn a_hole_without_end_is_neither_written_nor_waited_for() -> TestResult {
    let archive = || sparse(&[(1 << 62, 512)], (1 << 62) + 512, &[b'x'; 512]).file("after", b"y").gz();
    let bytes = archive()?;
    assert!(matches!(in_time(move || Place::new().map(|place| place.unpack(&bytes)))??, Err(UnpackError::TooLarge(_))));
    let bytes = archive()?;
    let (all, result) = in_time(move || listed(&bytes))?;
    result?;
    assert_eq!(all.iter().map(|listed| listed.size).collect::<Vec<_>>(), [(1 << 62) + 512, 1]);
    let bytes = archive()?;
    assert_eq!(in_time(move || picked(&bytes, "after"))??, Some(b"y".to_vec()));
    let bytes = archive()?;
    assert!(matches!(in_time(move || picked(&bytes, "s"))?, Err(UnpackError::TooLarge(_))));
    Ok(())
}

/// Nor by whoever wants only some of the files.
#[test]
fn a_hole_in_what_is_not_wanted_is_passed_over() -> TestResult {
    struct Only(&'static str);
    impl UnpackHooks for Only {
        fn wants(&mut self, path: &Path) -> bool {
            path == Path::new(self.0)
        }
    }
    let bytes = sparse(&[(1 << 62, 512)], (1 << 62) + 512, &[b'x'; 512]).file("after", b"y").gz()?;
    let unpacked = in_time(move || {
        let place = Place::new()?;
        let unpacked = unpack(io::Cursor::new(bytes), &place.root(), &LIMITS, &mut Only("after"));
        io::Result::Ok(unpacked)
    })??;
    assert_eq!(unpacked?, Unpacked { files: 1, bytes: 1, ..Unpacked::default() });
    Ok(())
}

/// As many pieces as headers may have: each takes its own time, not that of all before it.
#[test]
fn a_map_of_very_many_pieces_takes_no_longer_than_its_size() -> TestResult {
    let map: Vec<(u64, u64)> = (0..100_000).map(|piece| (piece * 2, 0)).collect();
    let bytes = sparse(&map, 199_998, b"").file("after", b"y").gz()?;
    let (unpacked, told, picked) = in_time(move || {
        let mut told = 0;
        let listed = list(io::Cursor::new(bytes.clone()), &LIMITS, &mut |_| {
            told += 1;
            Ok(())
        });
        let picked = pick(io::Cursor::new(bytes.clone()), &LIMITS, Path::new("s"), &mut io::sink());
        (Place::new().map(|place| place.unpack(&bytes)), listed.map(|()| told), picked)
    })?;
    assert_eq!((unpacked??.bytes, told?, picked?), (199_999, 2, Some(199_998)));
    Ok(())
}
