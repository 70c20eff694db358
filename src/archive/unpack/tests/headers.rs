//! Headers whose numbers are wrong, and archives that end too early.

use super::made::{in_time, listed, made, picked, refusal, unpacked};
use super::*;

const DAMAGED: &str = "the archive is damaged or cut short after before";

/// A good file, and then one whose size is what the twelve bytes of the header say.
fn with_size(field: [u8; 12]) -> Raw {
    Raw::default().file("before", b"1").altered(b"x", b"data", |header| header.as_old_mut().size = field)
}

fn binary(first: u8, last: u64) -> [u8; 12] {
    let mut field = [0; 12];
    field[0] = first;
    field[4..].copy_from_slice(&last.to_be_bytes());
    field
}

#[test]
fn sizes_are_octal_or_binary() -> TestResult {
    for field in [*b"00000000004\0", *b"          4 ", *b"4\0xxxxxxxxxx", binary(0x80, 4)] {
        assert_eq!(made(with_size(field))?, ["before=1", "x=data"]);
    }
    Ok(())
}

#[test]
fn sizes_that_are_no_number_are_refused() -> TestResult {
    let mut beyond = binary(0x80, 4);
    beyond[3] = 1;
    for field in [
        *b"0000000000x\0",
        *b"00000000008\0",
        *b"-0000000004\0",
        [b' '; 12],
        [0; 12],
        [0x1b; 12],
        binary(0xff, u64::MAX),
        binary(0xff, 4),
        binary(0x81, 4),
        beyond,
        binary(0x80, u64::MAX),
        binary(0x80, u64::MAX - 100),
    ] {
        let text = refusal(with_size(field))?;
        assert!(text.starts_with(DAMAGED) && !text.contains('\x1b'), "{field:?}: {text}");
        let (all, result) = listed(&with_size(field).gz()?);
        assert!(all.len() == 1 && matches!(result, Err(UnpackError::Damaged { .. })), "{field:?}");
    }
    Ok(())
}

#[test]
fn sizes_beyond_the_archive_are_refused_at_once() -> TestResult {
    for field in [binary(0x80, 1 << 62), binary(0x80, u64::MAX - 4096), *b"77777777777\0"] {
        let archive = with_size(field).gz()?;
        let (unpacked, listed, picked) = in_time(move || {
            (Place::new().map(|place| place.unpack(&archive)), listed(&archive), picked(&archive, "x"))
        })?;
        assert!(matches!(unpacked?, Err(UnpackError::TooLarge(_))));
        assert!(matches!(listed.1, Err(UnpackError::Damaged { place, .. }) if place == "in x"));
        assert!(matches!(picked, Err(UnpackError::TooLarge(_))));
    }
    Ok(())
}

#[test]
fn a_wrong_checksum_is_refused() -> TestResult {
    for field in [*b"0000000\0", [0; 8], [b' '; 8], [0xff; 8], *b"\x1b[2J\x07\x07\x07\x07"] {
        let mut bad = header(EntryType::Regular, "x", "", 0);
        bad.as_old_mut().cksum = field;
        let mut archive = Raw::default().file("before", b"1");
        archive.push(bad.as_bytes(), b"");
        let text = refusal(archive)?;
        assert!(text.starts_with(DAMAGED) && !text.contains('\x1b'), "{text}");
    }
    Ok(())
}

#[test]
fn a_changed_byte_anywhere_in_a_header_is_refused_or_does_nothing() -> TestResult {
    let tar = Raw::default().file("x", b"data").tar;
    for at in 0..512 {
        let mut tar = tar.clone();
        tar[at] ^= 0x10;
        let result = unpacked(&gzip(&tar)?)?;
        // The checksum's own spaces may change.
        assert!(matches!(result, Err(UnpackError::Damaged { .. })) || (148..156).contains(&at), "{at}: {result:?}");
    }
    Ok(())
}

/// Good gzip, of a tar that ends too early: a copy that was cut and compressed later.
#[test]
fn a_tar_cut_short_anywhere_is_refused_or_a_shorter_archive() -> TestResult {
    let about = Raw::default().long_name(b"long").file("x", b"").pax(&[("path", b"other")]).file("y", &[7; 600]);
    let tar = about.link("l", "x").tar;
    for length in 1..tar.len() {
        let (archive, is_whole_blocks) = (gzip(&tar[..length])?, length % 512 == 0);
        let (result, listing) = (unpacked(&archive)?, listed(&archive).1);
        assert!(is_whole_blocks || matches!(result, Err(UnpackError::Damaged { .. })), "{length}: {result:?}");
        assert_eq!(result.is_ok(), listing.is_ok(), "{length}");
    }
    Ok(())
}

#[test]
fn an_archive_cut_short_anywhere_is_not_listed_to_its_end_either() -> TestResult {
    let archive = Raw::default().file("a", b"x").pax(&[("path", b"other")]).file("model.bin", &[7; 600]).gz()?;
    for length in 0..archive.len() {
        assert!(matches!(listed(&archive[..length]).1, Err(UnpackError::Damaged { .. })), "{length}");
    }
    Ok(())
}

#[test]
fn one_block_of_zeros_ends_an_archive_and_nothing_may_follow() -> TestResult {
    let mut one = Raw::default().file("a", b"x");
    one.tar.extend_from_slice(&[0; 512]);
    assert_eq!(unpacked(&gzip(&one.tar)?)??, ["a=x"]);
    assert!(matches!(unpacked(&one.file("b", b"").gz()?)?, Err(UnpackError::TrailingData)));
    assert!(matches!(unpacked(&gzip(&[0; 700])?)?, Ok(tree) if tree.is_empty()));
    Ok(())
}

#[test]
fn headers_of_the_oldest_form_are_read() -> TestResult {
    let mut old = Header::new_old();
    old.as_old_mut().name[..3].copy_from_slice(b"old");
    old.set_size(4);
    old.set_cksum();
    let mut archive = Raw::default();
    archive.push(old.as_bytes(), b"data");
    assert_eq!(made(archive)?, ["old=data"]);
    Ok(())
}
